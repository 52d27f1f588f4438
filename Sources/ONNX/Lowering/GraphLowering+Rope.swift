internal import Checkpoints
internal import Graph
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension GraphLowering {
  /// Rotates x [tokens…, heads, D]; the first `rotaryDim` dims of each head.
  mutating func rope(_ node: Graph.Node, _ rope: Op.Rope) throws(IngotError) -> String {
    let type = node.types[0]
    guard let heads = type.dims[1].value, let headDim = type.dims[2].value else {
      throw error(node, "heads and head dim must be known")
    }
    let x = try operand(node.inputs[0])
    if style.usesRuntimeOperators || builder.opset >= 23, style.tokens.count == 2 {
      return try fusedRope(node, rope, x, heads: heads, headDim: headDim)
    }
    let (cos, sin) = try angles(rope.table, node)
    let lead = style.tokens.count
    let half = rope.rotaryDim / 2
    // [tokens…, 1, R/2], to be the same for all heads.
    let axes = builder.ints([lead])
    let (c, s) = (builder.node("Unsqueeze", [cos, axes]), builder.node("Unsqueeze", [sin, axes]))
    var rotating = x
    var rest: [String] = []
    if rope.rotaryDim < headDim {
      let parts = builder.node(
        "Split", [x, builder.ints([rope.rotaryDim, headDim - rope.rotaryDim])], [("axis", .int(-1))], results: 2)
      (rotating, rest) = (parts[0], [parts[1]])
    }
    let zeros = [Int](repeating: 0, count: lead)
    var pair: [String]
    if rope.interleaved {
      let pairs = builder.node("Reshape", [rotating, builder.ints(zeros + [heads, half, 2])])
      pair = builder.node("Split", [pairs, builder.ints([1, 1])], [("axis", .int(-1))], results: 2)
      for side in 0...1 {
        pair[side] = builder.node("Reshape", [pair[side], builder.ints(zeros + [heads, half])])
      }
    } else {
      pair = builder.node("Split", [rotating, builder.ints([half, half])], [("axis", .int(-1))], results: 2)
    }
    var first = builder.node(
      "Sub", [builder.node("Mul", [pair[0], c]), builder.node("Mul", [pair[1], s])])
    var second = builder.node(
      "Add", [builder.node("Mul", [pair[1], c]), builder.node("Mul", [pair[0], s])])
    if rope.interleaved {
      let shape = builder.ints(zeros + [heads, half, 1])
      (first, second) = (builder.node("Reshape", [first, shape]), builder.node("Reshape", [second, shape]))
      let joined = builder.node("Concat", [first, second], [("axis", .int(-1))])
      let turned = builder.node("Reshape", [joined, builder.ints(zeros + [heads, rope.rotaryDim])])
      return rest.isEmpty ? turned : builder.node("Concat", [turned] + rest, [("axis", .int(-1))])
    }
    return builder.node("Concat", [first, second] + rest, [("axis", .int(-1))])
  }

  /// One node: ONNX Runtime's `RotaryEmbedding`, or the standard one of opset 23, whose operands are in another order.
  private mutating func fusedRope(
    _ node: Graph.Node, _ rope: Op.Rope, _ x: String, heads: Int, headDim: Int
  ) throws(IngotError) -> String {
    let flatX = flat[x] ?? builder.node("Reshape", [x, builder.ints([0, 0, heads * headDim])])
    var attributes: [(String, Attribute)] = [
      ("interleaved", .int(rope.interleaved ? 1 : 0)), ("num_heads", .int(heads)),
    ]
    if rope.rotaryDim < headDim { attributes.append(("rotary_embedding_dim", .int(rope.rotaryDim))) }
    let turned: String
    if style.usesRuntimeOperators {
      guard let positions, let tables = try tables(rope.table, node) else {
        throw error(node, "ONNX Runtime's operator needs positions and tables of a known length")
      }
      turned = builder.node(
        "RotaryEmbedding", [flatX, positions, tables.cos, tables.sin], attributes, domain: "com.microsoft")
    } else {
      let (cos, sin) = try angles(rope.table, node)
      turned = builder.node("RotaryEmbedding", [flatX, cos, sin], attributes)
    }
    let result = builder.node("Reshape", [turned, builder.ints([0, 0, heads, headDim])])
    flat[result] = turned
    return result
  }

  /// Cosines and sines of the tokens' angles, [tokens…, R/2].
  private mutating func angles(
    _ table: String, _ node: Graph.Node
  ) throws(IngotError) -> (cos: String, sin: String) {
    if let known = rotaryAngles[table] { return known }
    guard let positions else { throw error(node, "this layout has no positions") }
    let scope = builder.scope
    builder.scope = table
    defer { builder.scope = scope }
    let result: (String, String)
    if let tables = try tables(table, node) {
      result = (
        builder.node("Gather", [tables.cos, positions]), builder.node("Gather", [tables.sin, positions])
      )
    } else {
      let frequencies = try frequencies(table, node)
      let inverse = builder.constant(
        .f32, [frequencies.inverseFrequencies.count], frequencies.inverseFrequencies.map(Double.init))
      let column = builder.node(
        "Unsqueeze", [cast(positions, to: .f32), builder.ints([style.tokens.count])])
      let angle = builder.node("Mul", [column, inverse])
      result = (
        scaled(builder.node("Cos", [angle]), frequencies.attentionFactor),
        scaled(builder.node("Sin", [angle]), frequencies.attentionFactor)
      )
    }
    rotaryAngles[table] = result
    return result
  }

  private mutating func scaled(_ x: String, _ factor: Float) -> String {
    let product = factor == 1 ? x : builder.node("Mul", [x, builder.scalar(.f32, Double(factor))])
    return style.dtype == .f32 ? product : cast(product, to: style.dtype)
  }

  private func frequencies(_ table: String, _ node: Graph.Node) throws(IngotError) -> RotaryFrequencies {
    guard let known = style.rotary[table] else { throw error(node, "no angles are known for table \"\(table)\"") }
    return known
  }

  /// Tables [rows, R/2] in the weights, where they are wanted.
  private mutating func tables(
    _ table: String, _ node: Graph.Node
  ) throws(IngotError) -> (cos: String, sin: String)? {
    guard let rows = style.rotaryRows else { return nil }
    let source = try frequencies(table, node)
    let dims = [rows, source.inverseFrequencies.count]
    let names = ["cos", "sin"].map { kind in
      let piece = WeightPiece.computed(
        ComputedTensor(
          key: "\(table).\(kind)", source: "\(source)", dtype: style.dtype, dims: dims
        ) {
          source.values(rows: rows) { kind == "cos" ? cosf($0) : sinf($0) }
        })
      return builder.weight(piece)[0]
    }
    return (names[0], names[1])
  }
}

extension RotaryFrequencies {
  /// The table [rows, R/2] of a function of the angles at positions 0, 1, …
  fileprivate func values(rows: Int, _ function: (Float) -> Float) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows * inverseFrequencies.count) { buffer, count in
      for row in 0..<rows {
        for (column, frequency) in inverseFrequencies.enumerated() {
          buffer[count + column] = function(Float(row) * frequency) * attentionFactor
        }
        count += inverseFrequencies.count
      }
    }
  }
}
