internal import CKernels
internal import Checkpoints
internal import Graph
internal import IngotCore
internal import NN
internal import Quantization

/// A network planned for one combination of input types, all extents numbers.
final class CompiledNetwork {
  private let graph: Graph
  private let plan: Plan
  private let runtime: Runtime
  private let cache: KVCache?
  private let paged: PagedInputs?
  private let positions: Int

  init(
    _ network: Network, _ checkpoint: (any Checkpoint)?, _ options: NetworkOptions,
    signature: [String: TensorType], sizes: [String: Int]
  ) throws(IngotError) {
    let packer = checkpoint.map(WeightPacker.init)
    var graph = try network.graph(inputTypes: signature).binding(sizes)
    if options.fuses {
      graph = try graph.applying(Pass.standard(mergingWeightsWhere: { packer?.haveOneFormat($0) ?? true }))
    }
    self.graph = graph
    let layers = graph.cacheLayers
    cache =
      layers.isEmpty ? nil : try KVCache(layers: layers, type: options.kvType, pageCount: options.cachePages)
    let headDims = graph.headDims
    var sources: [String: RotaryTables.Source] = [:]
    for (name, source) in options.rotary {
      sources[name] = RotaryTables.Source(
        parameters: source.parameters, headDim: headDims[name] ?? 2, maxPositions: source.maxPositions)
    }
    runtime = Runtime(
      options: options.engine, kvType: options.kvType,
      rotary: RotaryTables(maximumPositions: options.maximumPositions, sources: sources), cache: cache)
    runtime.profiler = options.profiler
    positions = options.maximumPositions
    plan = try Lowering.plan(graph, maxima: [:], runtime: runtime, weights: packer, fuses: options.fuses)
    if !headDims.isEmpty { _ = try runtime.rotary.acquire(plannedLength: options.maximumPositions) }
    paged = layers.isEmpty ? nil : try PagedInputs(plan, slotCount: options.cachePages * KVCache.pageTokens)
  }

  func forward(_ inputs: [String: HostTensor]) throws(IngotError) -> [String: HostTensor] {
    for port in plan.inputs {
      guard let tensor = inputs[port.name] else { continue }
      tensor.dtype.load(tensor.bytes, count: tensor.shape.count, to: port.address)
    }
    try checkIndices()
    try paged?.fill(runtime.batch)
    plan.run(Sizes(), runtime, tableOf: nil)
    var results: [String: HostTensor] = [:]
    for port in plan.outputs {
      let shape = Shape(port.extents.map { $0.value(Sizes()) })
      let buffer = try AlignedBuffer(byteCount: shape.count * port.type.dtype.byteCount)
      port.type.dtype.store(port.address, count: shape.count, to: buffer.base)
      results[port.name] = try HostTensor(
        dtype: port.type.dtype, shape: shape,
        bytes: UnsafeRawBufferPointer(start: buffer.base, count: shape.count * port.type.dtype.byteCount),
        storage: buffer)
    }
    return results
  }

  /// Refuses ids and positions that would read beyond a table, and makes the rows of rotary tables that they read. Only
  /// those the caller gives can be checked; the lowering refuses others.
  private func checkIndices() throws(IngotError) {
    for node in graph.nodes {
      var lowest = 0
      let limit: Int
      switch node.op {
      case .embedding: limit = graph.type(of: node.inputs[0]).dims[0].value ?? 0
      case .rope: limit = positions
      case .gather(let axis):
        let dims = graph.type(of: node.inputs[0]).dims
        limit = dims[axis < 0 ? axis + dims.count : axis].value ?? 0
        // Counted from the end, as in torch.
        lowest = -limit
      case .input, .parameter, .constant, .linear, .matmul, .rmsNorm, .layerNorm, .attention, .unary, .binary,
        .gated, .cast, .softmax, .reduce, .topK, .sort, .reshape, .permute, .slice, .concat, .split, .tile:
        continue
      }
      guard case .input(let name) = graph.nodes[node.inputs[1].node].op,
        let port = plan.inputs.first(where: { $0.name == name })
      else { continue }
      var highest = -1
      for index in 0..<port.capacity {
        let value =
          port.type.dtype == .i64
          ? Int(port.address.load(fromByteOffset: index * 8, as: Int64.self))
          : Int(port.address.load(fromByteOffset: index * 4, as: Int32.self))
        guard value < limit, value >= lowest else {
          throw IngotError(
            .argument,
            "\(node.op.name): element \(index) of \"\(name)\" is \(value), outside \(lowest)..<\(limit)",
            at: .init(line: node.place))
        }
        highest = max(highest, value)
      }
      if case .rope = node.op { runtime.rotary.cover(highest + 1) }
    }
  }
}

extension Graph {
  /// The same graph with names replaced by numbers.
  fileprivate func binding(_ sizes: [String: Int]) throws(IngotError) -> Graph {
    var rewriter = Rewriter(self)
    for (index, node) in nodes.enumerated() {
      let inputs = node.inputs.map(rewriter.translate)
      let value = try rewriter.append(
        node.op, inputs, inputType: node.types.first?.binding(sizes), place: node.place)
      for output in node.types.indices {
        rewriter.replace(.init(node: index, output: output), by: .init(node: value.node, output: output))
      }
    }
    return try rewriter.finish()
  }

  /// The rotary dim that each rotary table is used with.
  fileprivate var headDims: [String: Int] {
    var dims: [String: Int] = [:]
    for node in nodes { if case .rope(let rope) = node.op { dims[rope.table] = rope.rotaryDim } }
    return dims
  }
}
