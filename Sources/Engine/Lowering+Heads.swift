internal import CKernels
internal import Graph
internal import IngotCore

/// Norms, rotations and attention.
extension Lowering {
  /// The step of a norm over the last axis.
  mutating func normStep(_ index: Int) throws(IngotError) -> NormStep {
    let type = graph.nodes[index].types[0]
    let width = type.dims.last?.value ?? 0
    let inner = type.dims.dropFirst().dropLast().reduce(1) { $0 * ($1.value ?? 0) }
    guard width > 0, inner > 0 else { throw unsupported(index, "only the first dim may be named") }
    var (arguments, isLayerNorm) = try normParameters(index)
    arguments.width = Int64(width)
    arguments.x = UnsafePointer(floatOperand(index, 0))
    arguments.x_stride = Int64(type.rank == 1 ? width : rowStride(index, 0))
    arguments.y = floatResult(index)
    arguments.y_stride = Int64(inner * width)
    arguments.heads = Int64(inner)
    return NormStep(
      arguments: arguments, isLayerNorm: isLayerNorm,
      rows: type.rank == 1 ? .fixed(1) : symbols.extent(type.dims[0]))
  }

  /// What a norm multiplies with and adds.
  mutating func normParameters(_ index: Int) throws(IngotError) -> (ingot_norm_arguments, isLayerNorm: Bool) {
    var arguments = ingot_norm_arguments()
    arguments.weight = UnsafePointer(try floatParameter(index, 1))
    var isLayerNorm = false
    if case .rmsNorm(let epsilon, let offset) = graph.nodes[index].op {
      (arguments.epsilon, arguments.weight_offset) = (epsilon, offset)
    } else if case .layerNorm(let epsilon) = graph.nodes[index].op {
      (arguments.epsilon, isLayerNorm) = (epsilon, true)
      arguments.bias = UnsafePointer(try floatParameter(index, 2))
    }
    return (arguments, isLayerNorm)
  }

  /// The step of a rotation of heads.
  mutating func ropeStep(_ index: Int) throws(IngotError) -> RopeStep {
    let node = graph.nodes[index]
    guard case .rope(let rope) = node.op, let heads = node.types[0].dims[1].value,
      let headDim = node.types[0].dims[2].value
    else {
      throw unsupported(index, "heads and head dim must be numbers")
    }
    try requireGivenIndices(index)
    var arguments = ingot_rope_arguments()
    (arguments.heads, arguments.head_dim) = (Int64(heads), Int64(headDim))
    arguments.rotary_dim = Int64(rope.rotaryDim)
    arguments.interleaved = rope.interleaved ? 1 : 0
    arguments.positions = UnsafePointer(operand(index, 1).assumingMemoryBound(to: Int64.self))
    arguments.x = UnsafePointer(floatOperand(index, 0))
    arguments.x_stride = Int64(rowStride(index, 0))
    arguments.y = floatResult(index)
    arguments.y_stride =
      Int64(locations[.init(node: index)]?.rowStride ?? heads * headDim)
    let table = try runtime.tableIndex(rope.table, rotaryDim: rope.rotaryDim, place: node.place)
    return RopeStep(arguments: arguments, tokens: symbols.extent(node.types[0].dims[0]), table: table)
  }

  /// What attention does to its queries (operand 0) or keys (1) first.
  private mutating func headSteps(_ index: Int, _ operand: Int) throws(IngotError) -> HeadSteps {
    var steps = HeadSteps()
    for step in graph.headSteps(of: graph.nodes[index].inputs[operand], useCounts)
    where fusions.deferred[step] == index {
      if case .rope = graph.nodes[step].op {
        steps.rope = try ropeStep(step)
      } else {
        steps.norm = try normStep(step)
      }
    }
    return steps
  }

  mutating func emitAttention(_ index: Int, _ attention: Op.Attention) throws(IngotError) {
    let node = graph.nodes[index]
    let key = graph.type(of: node.inputs[1])
    guard let heads = node.types[0].dims[1].value, let headDim = node.types[0].dims[2].value,
      let kvHeads = key.dims[1].value
    else { throw unsupported(index, "heads and head dim must be numbers") }
    let type = runtime.kvType.kernelType
    var cache = ingot_cache_arguments()
    (cache.kv_heads, cache.head_dim, cache.type) = (Int64(kvHeads), Int64(headDim), type)
    (cache.k, cache.k_stride) = (UnsafePointer(floatOperand(index, 1)), Int64(rowStride(index, 1)))
    (cache.v, cache.v_stride) = (UnsafePointer(floatOperand(index, 2)), Int64(rowStride(index, 2)))
    var arguments = ingot_attention_arguments()
    (arguments.heads, arguments.kv_heads, arguments.head_dim) = (Int64(heads), Int64(kvHeads), Int64(headDim))
    arguments.window = Int64(attention.window ?? 0)
    arguments.scale = attention.scale
    arguments.softcap = attention.softcap ?? 0
    arguments.type = type
    (arguments.q, arguments.q_stride) = (UnsafePointer(floatOperand(index, 0)), Int64(rowStride(index, 0)))
    (arguments.y, arguments.y_stride) = (floatResult(index), Int64(heads * headDim))
    var layer: Int?
    switch attention.cache {
    case .paged(let paged): layer = paged
    case .none:
      let most = symbols.extent(node.types[0].dims[0]).value(maxima)
      let pages = (most + Int(INGOT_PAGE) - 1) / Int(INGOT_PAGE)
      let memory = try AlignedBuffer(
        byteCount: pages * ingot_page_bytes(type, Int64(kvHeads), Int64(headDim)))
      plan.retained.append(memory)
      plan.workspaceBytes += memory.byteCount
      cache.pages = memory.base
      arguments.pages = UnsafeRawPointer(memory.base)
      try runtime.reserveOwnSequence(tokens: most)
    }
    reserveScratch(
      ingot_attention_scratch_bytes(Int64(heads), Int64(kvHeads), Int64(headDim), Int32(runtime.threads)))
    plan.steps.append(
      .attention(
        AttentionStep(
          queries: try headSteps(index, 0), keys: try headSteps(index, 1), cache: cache, arguments: arguments,
          tokens: symbols.extent(node.types[0].dims[0]), layer: layer)))
  }
}
