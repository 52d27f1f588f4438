internal import Graph
internal import IngotCore

extension GraphLowering {
  /// Attention of q [tokens…, H, D] over earlier keys and values, if any, and the new ones k, v [tokens…, Hkv, D].
  mutating func attention(_ node: Graph.Node, _ attention: Op.Attention) throws(IngotError) -> String {
    let (query, key) = (graph.type(of: node.inputs[0]), graph.type(of: node.inputs[1]))
    guard let heads = query.dims[1].value, let kvHeads = key.dims[1].value, let headDim = query.dims[2].value
    else { throw error(node, "heads and head dim must be known") }
    let sizes = HeadSizes(heads: heads, kvHeads: kvHeads, headDim: headDim)
    let operands = [
      try operand(node.inputs[0]), try operand(node.inputs[1]), try operand(node.inputs[2]),
    ]
    if case .lengths(let perSequence, let total) = cache.mask, case .paged(let layer) = attention.cache {
      return try groupQuery(node, attention, operands, sizes, layer, perSequence, total)
    }
    // One axis of tokens is a batch of one.
    let isBatch = style.tokens.count == 2 && hasTokens(query)
    let rows = operands.map { isBatch ? $0 : builder.node("Unsqueeze", [$0, builder.ints([0])]) }
    let (k, v) = try extended(key: rows[1], value: rows[2], attention)
    let mask = try self.mask(window: attention.window, query: rows[0], key: k)
    let q = transposed(rows[0])  // [B, H, S, D]
    var result: String
    if builder.opset >= 23, attention.softcap == nil {
      result = builder.node(
        "Attention", [q, k, v, mask],
        [("scale", .float(attention.scale)), ("softmax_precision", .int(DType.f32.onnx.rawValue))])
    } else {
      result = spelledOut(q, k, v, mask, attention, sizes)
    }
    result = transposed(result)  // [B, S, H, D]
    if isBatch {
      let joined = builder.node("Reshape", [result, builder.ints([0, 0, heads * headDim])])
      flat[result] = joined
      return result
    }
    return builder.node("Squeeze", [result, builder.ints([0])])
  }

  /// softmax(q kᵀ · scale + mask) v with standard operators.
  ///
  /// The query heads of one key head are laid one after another, so that keys need not be repeated.
  private mutating func spelledOut(
    _ query: String, _ k: String, _ v: String, _ mask: String, _ attention: Op.Attention, _ sizes: HeadSizes
  ) -> String {
    let isGrouped = sizes.heads != sizes.kvHeads
    var q = builder.node("Mul", [query, builder.scalar(style.dtype, Double(attention.scale))])
    if isGrouped { q = builder.node("Reshape", [q, builder.ints([0, sizes.kvHeads, -1, sizes.headDim])]) }
    let keys = builder.node("Transpose", [k], [("perm", .ints([0, 1, 3, 2]))])  // [B, Hkv, D, keys]
    var scores = builder.node("MatMul", [q, keys])
    if isGrouped { scores = builder.node("Reshape", [scores, builder.ints([0, sizes.heads, -1, 0])]) }
    if let cap = attention.softcap {
      let bound = builder.scalar(style.dtype, Double(cap))
      scores = builder.node("Mul", [builder.node("Tanh", [builder.node("Div", [scores, bound])]), bound])
    }
    scores = builder.node("Add", [scores, mask])
    var weights = inFloat32(scores) { $0.builder.node("Softmax", [$1], [("axis", .int(-1))]) }
    if isGrouped { weights = builder.node("Reshape", [weights, builder.ints([0, sizes.kvHeads, -1, 0])]) }
    let result = builder.node("MatMul", [weights, v])
    return isGrouped
      ? builder.node("Reshape", [result, builder.ints([0, sizes.heads, -1, sizes.headDim])]) : result
  }

  /// [B, S, H, D] ↔ [B, H, S, D].
  private mutating func transposed(_ x: String) -> String {
    builder.node("Transpose", [x], [("perm", .ints([0, 2, 1, 3]))])
  }

  /// All keys and values, [B, Hkv, keys, D]; notes what the model gives back.
  /// - Parameters:
  ///   - key: the new ones, [B, S, Hkv, D].
  private mutating func extended(
    key: String, value: String, _ attention: Op.Attention
  ) throws(IngotError) -> (key: String, value: String) {
    var new = [key, value]
    if cache.layout == .bhsd { new = new.map { transposed($0) } }
    var all = new
    guard case .paged(let layer) = attention.cache else { return (transposed(key), transposed(value)) }
    if let past = cache.past[layer] {
      let axis = cache.layout == .bhsd ? 2 : 1
      all = zip([past.key, past.value], new).map {
        builder.node("Concat", [$0, $1], [("axis", .int(axis))])
      }
    }
    cache.present[layer] = cache.returnsAll ? (all[0], all[1]) : (new[0], new[1])
    if cache.layout == .bshd { all = all.map { transposed($0) } }
    return (all[0], all[1])
  }

  /// ONNX Runtime's operator, which can write into the buffer that it reads.
  private mutating func groupQuery(
    _ node: Graph.Node, _ attention: Op.Attention, _ operands: [String], _ sizes: HeadSizes, _ layer: Int,
    _ perSequence: String, _ total: String
  ) throws(IngotError) -> String {
    guard let past = cache.past[layer] else { throw error(node, "layer \(layer) has no cache") }
    guard sizes.headDim % 8 == 0 else {
      throw error(
        node, "GroupQueryAttention takes heads of a multiple of 8; the model's are \(sizes.headDim) wide",
        hint: "use --ops standard")
    }
    let widths = [sizes.heads, sizes.kvHeads, sizes.kvHeads].map { $0 * sizes.headDim }
    let rows = zip(operands, widths).map {
      flat[$0] ?? builder.node("Reshape", [$0, builder.ints([0, 0, $1])])
    }
    var attributes: [(String, Attribute)] = [
      ("num_heads", .int(sizes.heads)), ("kv_num_heads", .int(sizes.kvHeads)), ("do_rotary", .int(0)),
      ("scale", .float(attention.scale)), ("local_window_size", .int(attention.window ?? -1)),
    ]
    if let cap = attention.softcap { attributes.append(("softcap", .float(cap))) }
    let results = builder.node(
      "GroupQueryAttention", rows + [past.key, past.value, perSequence, total], attributes, results: 3,
      domain: "com.microsoft")
    cache.present[layer] = (results[1], results[2])
    let shaped = builder.node(
      "Reshape", [results[0], builder.ints([0, 0, sizes.heads, sizes.headDim])])
    flat[shaped] = results[0]
    return shaped
  }
}

/// Heads of one attention.
private struct HeadSizes {
  let heads: Int
  let kvHeads: Int
  let headDim: Int
}
