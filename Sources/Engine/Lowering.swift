internal import CKernels
internal import Graph
internal import IngotCore
internal import Quantization

/// Turns a graph into a plan, in two rounds: every value gets a place (an alias of another, or a buffer whose
/// life is known), then every node becomes steps with addresses.
struct Lowering {
  /// Where a value's elements are.
  struct Location {
    /// Index into `buffers`.
    var buffer: Int
    /// Elements from the buffer's start.
    var offset = 0
    /// Elements from row to row when rows (all dims but the first) are not back to back; nil: dense.
    var rowStride: Int?
  }

  /// Memory that a value owns.
  struct Buffer {
    var byteCount: Int
    var firstStep: Int
    var lastStep: Int
    /// Lives as long as the plan: inputs and outputs.
    var isPermanent = false
    var address: UnsafeMutableRawPointer?
  }

  let graph: Graph
  let symbols: SymbolTable
  /// Largest values of the named dims.
  let maxima: Sizes
  let runtime: Runtime
  let weights: WeightPacker?
  let fusions: Fusions

  var buffers: [Buffer] = []
  var locations: [Graph.Value: Location] = [:]
  /// Dense copies made for operands whose operator cannot read rows with gaps: by node and operand.
  var dense: [OperandKey: Int] = [:]
  /// The last node that reads a value, itself or through an alias.
  var lastUse: [Graph.Value: Int] = [:]
  /// How often each node's values are used.
  let useCounts: [Int]
  var plan = Plan()
  var scratchBytes = 0
  /// Copies that close the gaps in outputs, run last.
  private var outputCopies: [CopyStep] = []
  var packed: [Parameter: PackedWeight] = [:]
  var floats: [Parameter: AlignedBuffer] = [:]

  struct OperandKey: Hashable {
    let node: Int
    let operand: Int
  }

  /// Lowers a graph.
  /// - Parameters:
  ///   - maxima: largest value of each named dim.
  ///   - weights: where parameters are read; nil for a graph without.
  ///   - fuses: whether products take in norms and gates; changes no result.
  /// - Throws: `.unsupported` for what the engine cannot run, errors of weights, `.memory`.
  static func plan(
    _ graph: Graph, maxima: [String: Int], runtime: Runtime, weights: WeightPacker?, fuses: Bool = true
  ) throws(IngotError) -> Plan {
    let symbols = try SymbolTable(graph)
    var lowering = Lowering(
      graph: graph, symbols: symbols, maxima: try symbols.sizes(maxima), runtime: runtime, weights: weights,
      fusions: fuses ? Fusions(graph) { weights?.isInteger($0) ?? false } : Fusions())
    lowering.findLastUses()
    try lowering.placeValues()
    try lowering.allocate()
    try lowering.makePorts()
    var progress = Progress("loading weights", total: graph.nodes.count)
    for index in graph.nodes.indices {
      if lowering.fusions.step(of: index) == index {
        try lowering.emit(index)
        lowering.nameSteps(of: index)
      }
      progress.update(index)
    }
    progress.finish()
    try lowering.finish()
    try weights?.keep(lowering.packed)
    return lowering.plan
  }

  private init(
    graph: Graph, symbols: SymbolTable, maxima: Sizes, runtime: Runtime, weights: WeightPacker?,
    fusions: Fusions
  ) {
    (self.graph, self.symbols, self.maxima, self.runtime, self.weights, self.fusions) =
      (graph, symbols, maxima, runtime, weights, fusions)
    useCounts = graph.useCounts()
  }

  /// Gives every buffer its address: permanent ones their own memory, the others a place in the arena.
  private mutating func allocate() throws(IngotError) {
    let temporary = buffers.indices.filter { !buffers[$0].isPermanent }
    let arena = ArenaPlanner(
      temporary.map {
        .init(
          byteCount: buffers[$0].byteCount, firstStep: buffers[$0].firstStep, lastStep: buffers[$0].lastStep)
      })
    let block = try AlignedBuffer(byteCount: arena.byteCount)
    plan.retained.append(block)
    plan.workspaceBytes += arena.byteCount
    for (index, offset) in zip(temporary, arena.offsets) { buffers[index].address = block.base + offset }
    for index in buffers.indices where buffers[index].isPermanent {
      let memory = try AlignedBuffer(byteCount: buffers[index].byteCount)
      plan.retained.append(memory)
      plan.workspaceBytes += memory.byteCount
      buffers[index].address = memory.base
    }
  }

  private mutating func makePorts() throws(IngotError) {
    for (name, value) in graph.inputs { plan.inputs.append(try port(name, value)) }
    for output in graph.outputs {
      guard !graph.nodes[output.value.node].op.isParameter else {
        throw unsupported(output.value.node, "a parameter cannot be an output")
      }
      var port = try port(output.name, output.value)
      if locations[output.value]?.rowStride != nil {
        // Callers get rows without gaps.
        let memory = try AlignedBuffer(byteCount: port.capacity * port.type.dtype.storage.byteCount)
        plan.retained.append(memory)
        plan.workspaceBytes += memory.byteCount
        outputCopies.append(denseCopy(of: output.value, to: memory.base))
        port.address = memory.base
      }
      plan.outputs.append(port)
    }
  }

  private func port(_ name: String, _ value: Graph.Value) throws(IngotError) -> Plan.Port {
    let type = graph.type(of: value)
    let extents = type.dims.map(symbols.extent)
    return Plan.Port(
      name: name, type: type, extents: extents, address: address(value),
      capacity: capacity(type))
  }

  private mutating func finish() throws(IngotError) {
    plan.steps += outputCopies.map(Step.copy)
    announceWeights()
    let scratch = try AlignedBuffer(byteCount: scratchBytes)
    plan.workspaceBytes += scratchBytes
    plan.retained.append(scratch)
    (runtime.context.scratch, runtime.context.scratch_bytes) = (scratch.base, scratch.byteCount)
  }

  // MARK: What emitters ask for

  /// Largest number of elements of a type; beyond any memory, some number that is so too.
  func capacity(_ type: TensorType) -> Int {
    type.dims.reduce(1) { count, dim in
      let (product, overflow) = count.multipliedReportingOverflow(by: symbols.extent(dim).value(maxima))
      return overflow ? Self.beyondMemory : min(product, Self.beyondMemory)
    }
  }

  /// Small enough that bytes of many such buffers can be added up.
  private static let beyondMemory = 1 << 48

  /// Start of a value's elements.
  func address(_ value: Graph.Value) -> UnsafeMutableRawPointer {
    guard let location = locations[value], let base = buffers[location.buffer].address else {
      preconditionFailure("a value has no place")
    }
    return base + location.offset * graph.type(of: value).dtype.storage.byteCount
  }

  /// Start of an operand's elements: of its dense copy where one was made.
  func operand(_ node: Int, _ index: Int) -> UnsafeMutableRawPointer {
    if let copy = dense[OperandKey(node: node, operand: index)], let base = buffers[copy].address {
      return base
    }
    return address(graph.nodes[node].inputs[index])
  }

  /// An operand of floats.
  func floatOperand(_ node: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
    operand(node, index).assumingMemoryBound(to: Float.self)
  }

  /// A result of floats.
  func floatResult(_ node: Int, _ output: Int = 0) -> UnsafeMutablePointer<Float> {
    address(Graph.Value(node: node, output: output)).assumingMemoryBound(to: Float.self)
  }

  /// Elements from row to row (of the first axis) of an operand that may have gaps.
  func rowStride(_ node: Int, _ index: Int) -> Int {
    let value = graph.nodes[node].inputs[index]
    if let stride = locations[value]?.rowStride { return stride }
    return graph.type(of: value).dims.dropFirst().reduce(1) { $0 * ($1.value ?? 1) }
  }

  func extents(_ dims: some Sequence<Dim>) -> Extents { Extents(factors: dims.map(symbols.extent)) }

  func unsupported(_ node: Int, _ what: String) -> IngotError {
    let types = graph.nodes[node].inputs.map { graph.type(of: $0).description }.joined(separator: ", ")
    return IngotError(
      .unsupported, "the engine cannot run \(graph.nodes[node].op.name)(\(types)): \(what)",
      at: .init(line: graph.nodes[node].place))
  }

  /// Makes sure the kernels' scratch memory is large enough.
  mutating func reserveScratch(_ bytes: Int) { scratchBytes = max(scratchBytes, bytes) }
}

extension DType {
  /// How the engine keeps elements of this type: floats and truth values as f32, integers as they are.
  var storage: DType {
    switch self {
    case .f64, .f32, .f16, .bf16, .bool: .f32
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8: self
    }
  }
}
