internal import Artifact
internal import Checkpoints
internal import Engine
internal import Graph
internal import IngotCore

/// The stages of one set: what goes in and out, and the memory they need.
///
/// All stages run over one buffer of keys and values with one workspace, so the set has one memory plan: T = W + I + R,
/// the weights as they lie in the file, the steps of the plan, and everything that is written to.
struct StagePlan {
  let json: JSONValue

  /// - Parameter weights: bytes of the file's weights.
  init(
    _ set: StageSet, graph: Graph, checkpoint: any Checkpoint, options: CompileOptions, weights: Int
  ) throws(IngotError) {
    var engine = DecoderEngine.Options(contextLength: set.total)
    engine.engine = options.engine
    engine.kvType = options.kvType
    engine.chunkTokens = options.prefillChunk
    let memory = try DecoderEngine.memory(of: graph, for: checkpoint, options: engine)
    // What is not in the file although the engine counts it with the weights: rotary tables, norms as floats.
    let runtime = memory.cache + memory.workspace + max(0, memory.weights - weights)
    let stages: [(name: String, tokens: Int, context: Int)] =
      set.share > 0
      ? [
        ("share", set.share, set.share), ("unshare", set.unshare, set.share + set.unshare),
        ("decode", 1, set.total),
      ] : [("prefill", set.unshare, set.unshare), ("decode", 1, set.total)]
    json = .object(
      JSONObject([
        .init("name", .string(set.description)), .init("dynamic", .bool(options.isDynamic)),
        .init(
          "memory",
          .object(
            JSONObject([
              .init("total", .int(weights + memory.instructions + runtime)), .init("weight", .int(weights)),
              .init("instruct", .int(memory.instructions)), .init("runtime", .int(runtime)),
              .init("cache", .int(memory.cache)), .init("workspace", .int(memory.workspace)),
            ]))),
        .init(
          "stages",
          .array(
            stages.map { stage in
              Self.stage(
                stage.name, tokens: stage.tokens, context: stage.context, set, graph, checkpoint.config,
                options)
            })),
      ]))
  }

  private static func stage(
    _ name: String, tokens: Int, context: Int, _ set: StageSet, _ graph: Graph, _ config: DecoderConfig,
    _ options: CompileOptions
  ) -> JSONValue {
    let pageTokens = DecoderEngine.pageTokens
    let sizes = [
      "tokens": tokens, "rows": 1, "batch": 1, "blocks": (set.total + pageTokens - 1) / pageTokens,
    ]
    func port(_ name: String, _ shape: [JSONValue], _ dtype: String) -> JSONValue {
      .object(
        JSONObject([
          .init("name", .string(name)), .init("shape", .array(shape)), .init("dtype", .string(dtype)),
        ]))
    }
    func ports(_ values: [(name: String, value: Graph.Value)]) -> [JSONValue] {
      values.map { name, value in
        let type = graph.type(of: value)
        let shape = type.dims.map { dim in
          // What may vary is shown with its most.
          let extent = dim.binding(sizes).value
          if options.isDynamic, dim.value == nil {
            return JSONValue.string("\(dim)" + (extent.map { " ≤ \($0)" } ?? ""))
          }
          return extent.map { .int($0) } ?? .string("\(dim)")
        }
        return port(name, shape, type.dtype.rawValue)
      }
    }
    let cache = ["k", "v"].flatMap { kind in
      (0..<config.layerCount).map { layer in
        port(
          "layer_\(layer)_\(kind)_cache",
          [.int(set.total), .int(config.kvHeadCount), .int(config.headDim)], options.kvType.rawValue)
      }
    }
    return .object(
      JSONObject([
        .init("name", .string(name)), .init("tokens", .int(tokens)), .init("context", .int(context)),
        .init("inputs", .array(ports(graph.inputs))),
        .init("outputs", .array(ports(graph.outputs.map { ($0.name, $0.value) }))),
        .init("cache", .array(cache)),
      ]))
  }
}
