internal import Graph
internal import IngotCore

/// Small models that choose a token from logits on a device.
enum SamplingHeads {
  /// `m_logits` [1, V] → `token` [1, 1], the likeliest id.
  static func greedy(vocabSize: Int, dtype: DType, opset: Int) -> ModelBuilder {
    var builder = ModelBuilder(opset: opset)
    let logits = builder.input("m_logits", dtype, [1, .fixed(vocabSize)])
    let token = builder.node("ArgMax", [logits], [("axis", .int(1)), ("keepdims", .int(1))])
    builder.output(token, as: "token", .i64, [1, 1])
    return builder
  }

  /// The 50 likeliest after a penalty on recent tokens, cut by nucleus:
  /// `m_logits` [1, V], `input_ids` [1, N], `top_p`, `temperature`, `penalty` [1] → `probs`, `token` [1, 50].
  ///
  /// Logits of tokens in `input_ids` are divided by the penalty where positive, else multiplied. The five likeliest
  /// are always kept.
  static func penalty(vocabSize: Int, totalLength: Int, dtype: DType, opset: Int) -> ModelBuilder {
    let count = min(50, vocabSize)
    var builder = ModelBuilder(opset: opset)
    let given = builder.input("m_logits", dtype, [1, .fixed(vocabSize)])
    let ids = builder.input("input_ids", .i64, [1, .fixed(totalLength)])
    let topP = builder.input("top_p", .f32, [1])
    let temperature = builder.input("temperature", .f32, [1])
    let penalty = builder.input("penalty", .f32, [1])
    let axis: [(String, Attribute)] = [("axis", .int(1))]
    let logits =
      dtype == .f32 ? given : builder.node("Cast", [given], [("to", .int(DType.f32.onnx.rawValue))])
    let recent = builder.node("GatherElements", [logits, ids], axis)
    let isNegative = builder.node("Less", [recent, builder.scalar(.f32, 0)])
    let weighed = builder.node(
      "Where",
      [isNegative, builder.node("Mul", [recent, penalty]), builder.node("Div", [recent, penalty])])
    let penalised = builder.node("ScatterElements", [logits, ids, weighed], axis)
    let best = builder.node("TopK", [penalised, builder.ints([count])], axis, results: 2)
    let cooled = builder.node("Div", [best[0], temperature])
    let sums = builder.node("CumSum", [builder.node("Softmax", [cooled], axis), builder.int(1)])
    let first = builder.constant(.bool, [1, count], (0..<count).map { $0 < 5 ? 1 : 0 })
    let isKept = builder.node("Or", [builder.node("Less", [sums, topP]), first])
    let kept = builder.node("Where", [isKept, cooled, builder.scalar(.f32, -1000)])
    builder.output(builder.node("Softmax", [kept], axis), as: "probs", .f32, [1, .fixed(count)])
    builder.output(best[1], as: "token", .i64, [1, .fixed(count)])
    return builder
  }
}
