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
    let positions = try operand(node.inputs[1])
    if style.usesRuntimeOperators || builder.opset >= 23, style.tokens.count == 2 {
      return try fusedRope(node, rope, x, positions, heads: heads, headDim: headDim)
    }
    let (cos, sin) = try angles(rope.table, node, positions)
    let lead = style.tokens.count
    let half = rope.rotaryDim / 2
    // [tokens…, 1, R/2], to be the same for all heads.
    let axes = builder.ints([lead])
    let (c, s) = (builder.node("Unsqueeze", [cos, axes]), builder.node("Unsqueeze", [sin, axes]))
    var rotating = x
    var rest: [String] = []
    if rope.rotaryDim < headDim {
      let parts = builder.node(
        "Split", [x, builder.ints([rope.rotaryDim, headDim - rope.rotaryDim])], [("axis", .int(-1))],
        results: 2)
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
    _ node: Graph.Node, _ rope: Op.Rope, _ x: String, _ positions: String, heads: Int, headDim: Int
  ) throws(IngotError) -> String {
    let flatX = flat[x] ?? builder.node("Reshape", [x, builder.ints([0, 0, heads * headDim])])
    var attributes: [(String, Attribute)] = [
      ("interleaved", .int(rope.interleaved ? 1 : 0)), ("num_heads", .int(heads)),
    ]
    if rope.rotaryDim < headDim { attributes.append(("rotary_embedding_dim", .int(rope.rotaryDim))) }
    let turned: String
    if style.usesRuntimeOperators {
      guard let tables = try tables(rope.table, node, positions) else {
        throw error(node, "ONNX Runtime's operator needs tables of a known length")
      }
      turned = builder.node(
        "RotaryEmbedding", [flatX, tables.rows, tables.cos, tables.sin], attributes, domain: "com.microsoft")
    } else {
      let (cos, sin) = try angles(rope.table, node, positions)
      turned = builder.node("RotaryEmbedding", [flatX, cos, sin], attributes)
    }
    let result = builder.node("Reshape", [turned, builder.ints([0, 0, heads, headDim])])
    flat[result] = turned
    return result
  }

  /// Cosines and sines of the tokens' angles, [tokens…, R/2].
  private mutating func angles(
    _ table: String, _ node: Graph.Node, _ positions: String
  ) throws(IngotError) -> (cos: String, sin: String) {
    let key = "\(table) \(positions)"
    if let known = rotaryAngles[key] { return known }
    let scope = builder.scope
    builder.scope = table
    defer { builder.scope = scope }
    let result: (String, String)
    if let tables = try tables(table, node, positions) {
      result = (
        builder.node("Gather", [tables.cos, tables.rows]), builder.node("Gather", [tables.sin, tables.rows])
      )
    } else {
      let source = try source(table, node)
      let column = builder.node(
        "Unsqueeze", [cast(positions, to: .f32), builder.ints([style.tokens.count])])
      let angle = builder.node("Mul", [column, inverseFrequencies(source, positions)])
      result = (
        scaled(builder.node("Cos", [angle]), source.attentionFactor),
        scaled(builder.node("Sin", [angle]), source.attentionFactor)
      )
    }
    rotaryAngles[key] = result
    return result
  }

  private mutating func scaled(_ x: String, _ factor: Float) -> String {
    let product = factor == 1 ? x : builder.node("Mul", [x, builder.scalar(.f32, Double(factor))])
    return style.dtype == .f32 ? product : cast(product, to: style.dtype)
  }

  private func source(_ table: String, _ node: Graph.Node) throws(IngotError) -> RotaryAngles {
    guard let known = style.rotary[table] else {
      throw error(node, "no angles are known for table \"\(table)\"")
    }
    return known
  }

  /// Radians per position, [R/2] in f32.
  private mutating func inverseFrequencies(_ source: RotaryAngles, _ positions: String) -> String {
    func constant(_ frequencies: RotaryFrequencies, _ builder: inout ModelBuilder) -> String {
      let values = frequencies.inverseFrequencies.map(Double.init)
      return builder.constant(.f32, [values.count], values)
    }
    switch source {
    case .fixed(let frequencies): return constant(frequencies, &builder)
    case .byLength(let short, let long, let threshold):
      let isLong = builder.node("Greater", [length(positions), builder.int(threshold)])
      return builder.node("Where", [isLong, constant(long, &builder), constant(short, &builder)])
    case .growing(_, let theta, let factor, let dim, let maxPositions):
      // base = theta · (factor · length / maxPositions - (factor - 1)) ^ (dim / (dim - 2)).
      let longest = builder.node("Max", [length(positions), builder.int(maxPositions)])
      let ratio = builder.node(
        "Mul", [cast(longest, to: .f32), builder.scalar(.f32, factor / Double(maxPositions))])
      let growth = builder.node("Sub", [ratio, builder.scalar(.f32, factor - 1)])
      let power = builder.node("Pow", [growth, builder.scalar(.f32, Double(dim) / Double(dim - 2))])
      let base = builder.node("Mul", [power, builder.scalar(.f32, theta)])
      let exponents = stride(from: 0, to: dim, by: 2).map { -Double($0) / Double(dim) }
      return builder.node("Pow", [base, builder.constant(.f32, [exponents.count], exponents)])
    }
  }

  /// Tokens of the longest sequence so far, an i64 scalar.
  private mutating func length(_ positions: String) -> String {
    let last = builder.node("ReduceMax", [positions], [("keepdims", .int(0))])
    return builder.node("Add", [last, builder.int(1)])
  }

  /// Tables [rows, R/2] in the weights, where they are wanted, and the tokens' rows in them.
  private mutating func tables(
    _ table: String, _ node: Graph.Node, _ positions: String
  ) throws(IngotError) -> (cos: String, sin: String, rows: String)? {
    guard let count = style.rotaryRows else { return nil }
    let source = try source(table, node)
    var sections: [RotarySection] = []
    var rows = positions
    switch source {
    case .fixed(let frequencies), .growing(let frequencies, _, _, _, _):
      sections = [RotarySection(frequencies: frequencies, rows: count)]
    case .byLength(let short, let long, let threshold):
      // Both tables in one: long sequences read below the short table.
      sections = [
        RotarySection(frequencies: short, rows: min(threshold, count)),
        RotarySection(frequencies: long, rows: count),
      ]
      let isLong = builder.node("Greater", [length(positions), builder.int(threshold)])
      let offset = builder.node("Where", [isLong, builder.int(min(threshold, count)), builder.int(0)])
      rows = builder.node("Add", [positions, offset])
    }
    let width = sections[0].frequencies.inverseFrequencies.count
    let dims = [sections.reduce(0) { $0 + $1.rows }, width]
    let all = sections
    let names = ["cos", "sin"].map { kind in
      let piece = WeightPiece.computed(
        ComputedTensor(key: "\(table).\(kind)", source: "\(sections)", dtype: style.dtype, dims: dims) {
          all.flatMap { $0.values { kind == "cos" ? cosf($0) : sinf($0) } }
        })
      return builder.weight(piece)[0]
    }
    return (names[0], names[1], rows)
  }
}

/// Rows of a rotary table.
private struct RotarySection: Sendable {
  let frequencies: RotaryFrequencies
  let rows: Int

  /// A function of the angles at positions 0, 1, …, row-major.
  func values(_ function: (Float) -> Float) -> [Float] {
    let inverse = frequencies.inverseFrequencies
    return [Float](unsafeUninitializedCapacity: rows * inverse.count) { buffer, count in
      for row in 0..<rows {
        for (column, frequency) in inverse.enumerated() {
          buffer[count + column] = function(Float(row) * frequency) * frequencies.attentionFactor
        }
        count += inverse.count
      }
    }
  }
}
