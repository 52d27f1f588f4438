internal import Checkpoints
internal import Graph
internal import IngotCore

/// Builds the ONNX model of a part: ports in their order, the lowered graph between them.
struct PartBuilder {
  let plan: PartPlan
  let config: DecoderConfig
  let style: LoweringStyle
  private var builder: ModelBuilder
  private var cache = CachePorts()

  init(_ plan: PartPlan, config: DecoderConfig, style: LoweringStyle, opset: Int) {
    var style = style
    style.tokens = plan.tokens
    (self.plan, self.config, self.style) = (plan, config, style)
    builder = ModelBuilder(opset: opset)
  }

  /// - Throws: `.unsupported` for what the opset cannot say.
  static func build(
    _ plan: PartPlan, of whole: Graph, _ borders: LayerBoundaries, config: DecoderConfig,
    style: LoweringStyle,
    opset: Int
  ) throws(IngotError) -> ModelBuilder {
    let graph = try plan.segment.graph(of: whole, borders)
    var part = PartBuilder(plan, config: config, style: style, opset: opset)
    return try part.build(graph)
  }

  private mutating func build(_ graph: Graph) throws(IngotError) -> ModelBuilder {
    var inputs: [String: String] = [:]
    if plan.segment.embeds {
      inputs["input_ids"] = builder.input(plan.ports.ids, .i64, plan.tokens)
    } else {
      inputs[Segment.hidden] = builder.input(plan.ports.hiddenIn, style.dtype, plan.tokens + [width])
    }
    if !plan.segment.layers.isEmpty {
      if !plan.ports.putsPositionsFirst { declareMask() }
      inputs["position_ids"] = builder.input(plan.ports.positions, .i64, plan.tokens)
      if plan.ports.putsPositionsFirst { declareMask() }
      declarePast()
    }
    var lowering = GraphLowering(graph, builder, style: style, cache: cache, inputs: inputs)
    let results = try lowering.run()
    (builder, cache) = (lowering.builder, lowering.cache)
    for output in graph.outputs where output.name != Segment.result {
      if let value = results[output.name] { builder.rename(value, to: output.name) }
    }
    guard let result = results[Segment.result].map(builder.current) else {
      throw IngotError(.unsupported, "the part \"\(plan.path)\" has no result")
    }
    declareResult(result)
    declarePresent()
    builder.removeDeadNodes()
    return builder
  }

  private var width: Dim { .fixed(config.hiddenSize) }
  private var sequence: Dim { plan.tokens.last ?? 1 }
  private var batch: Dim { plan.tokens.count == 2 ? plan.tokens[0] : 1 }

  private mutating func declareMask() {
    let name = plan.ports.mask
    switch plan.cache {
    case .none:
      cache.mask = .additive(
        builder.input(name, style.dtype, [batch, 1, sequence, sequence]), window: .positions(history: 0))
    case .buffer(_, let slots, _):
      cache.mask = .additive(
        builder.input(name, style.dtype, [batch, 1, sequence, .fixed(slots) + sequence]),
        window: .positions(history: slots))
    case .growing(_, _, let total, let isAdditive):
      cache.mask =
        isAdditive
        ? .additive(builder.input(name, style.dtype, [batch, 1, sequence, total]), window: .slots)
        : .padding(builder.input(name, .i64, [batch, total]))
    case .shared(_, let total):
      let mask = builder.input(name, .i64, [batch, total])
      builder.scope = "mask"
      let count = builder.node("ReduceSum", [mask, builder.ints([1])], [("keepdims", .int(0))])
      let last = builder.node("Sub", [count, builder.int(1)])
      let length = builder.node("Gather", [builder.node("Shape", [mask]), builder.int(1)])
      func int32(_ value: String) -> String {
        builder.node("Cast", [value], [("to", .int(DType.i32.onnx.rawValue))])
      }
      cache.mask = .lengths(perSequence: int32(last), total: int32(length))
    }
  }

  private mutating func declarePast() {
    switch plan.cache {
    case .none(let layout): cache.layout = layout
    case .growing(let layout, let past, _, _):
      (cache.layout, cache.returnsAll) = (layout, true)
      declarePast(dims(layout, past))
    case .shared(let past, _): declarePast(dims(.bhsd, past))
    case .buffer(let layout, let slots, let stacks):
      cache.layout = layout
      guard stacks else { return declarePast(dims(layout, .fixed(slots))) }
      let stacked = [Dim.fixed(plan.segment.layers.count)] + dims(layout, .fixed(slots))
      let keys = builder.input(plan.ports.pastKey, style.dtype, stacked)
      let values = builder.input(plan.ports.pastValue, style.dtype, stacked)
      builder.scope = "cache"
      for (index, layer) in plan.segment.layers.enumerated() {
        let number = builder.int(index)
        cache.past[layer] = (
          builder.node("Gather", [keys, number]), builder.node("Gather", [values, number])
        )
      }
    }
  }

  private mutating func declarePast(_ dims: [Dim]) {
    for layer in plan.segment.layers {
      cache.past[layer] = (
        builder.input(name(plan.ports.pastKey, layer), style.dtype, dims),
        builder.input(name(plan.ports.pastValue, layer), style.dtype, dims)
      )
    }
  }

  private mutating func declareResult(_ result: String) {
    guard plan.segment.hasHead else {
      return builder.output(result, as: plan.ports.result, style.dtype, plan.tokens + [width])
    }
    switch plan.ending {
    case .plain:
      builder.output(result, as: plan.ports.result, style.dtype, plan.tokens + [.fixed(config.vocabSize)])
    case .topK(let count):
      let best = builder.node("TopK", [result, builder.ints([count])], [("axis", .int(-1))], results: 2)
      builder.output(best[0], as: "values", style.dtype, plan.tokens + [.fixed(count)])
      builder.output(best[1], as: "indices", .i64, plan.tokens + [.fixed(count)])
    case .top1:
      builder.output(
        builder.node("ArgMax", [result], [("axis", .int(-1)), ("keepdims", .int(1))]), as: "token", .i64,
        plan.tokens + [1])
    }
  }

  private mutating func declarePresent() {
    let layers = plan.segment.layers
    guard !layers.isEmpty else { return }
    switch plan.cache {
    case .none(let layout): declarePresent(dims(layout, sequence))
    case .growing(let layout, _, let total, _): declarePresent(dims(layout, total))
    case .shared(_, let total): declarePresent(dims(.bhsd, total))
    case .buffer(let layout, _, stacks: false): declarePresent(dims(layout, sequence))
    case .buffer(let layout, _, stacks: true):
      builder.scope = "cache"
      let stacked = [Dim.fixed(layers.count)] + dims(layout, sequence)
      func stack(_ rows: [String]) -> String {
        let axis = builder.ints([0])
        let raised = rows.map { builder.node("Unsqueeze", [$0, axis]) }
        return builder.node("Concat", raised, [("axis", .int(0))])
      }
      let rows = layers.compactMap { cache.present[$0] }
      builder.output(stack(rows.map(\.key)), as: plan.ports.presentKey, style.dtype, stacked)
      builder.output(stack(rows.map(\.value)), as: plan.ports.presentValue, style.dtype, stacked)
    }
  }

  private mutating func declarePresent(_ dims: [Dim]) {
    for layer in plan.segment.layers {
      guard let rows = cache.present[layer] else { continue }
      builder.output(rows.key, as: name(plan.ports.presentKey, layer), style.dtype, dims)
      builder.output(rows.value, as: name(plan.ports.presentValue, layer), style.dtype, dims)
    }
  }

  private func dims(_ layout: KVLayout, _ length: Dim) -> [Dim] {
    let (heads, width) = (Dim.fixed(config.kvHeadCount), Dim.fixed(config.headDim))
    return layout == .bhsd ? [batch, heads, length, width] : [batch, length, heads, width]
  }

  private func name(_ pattern: String, _ layer: Int) -> String {
    let first = plan.ports.countsLayersFromZero ? plan.segment.layers.lowerBound : 0
    return PortNames.name(pattern, layer - first)
  }
}
