internal import CKernels
internal import Checkpoints
internal import Graph
internal import IngotCore
internal import Quantization

/// Round two for the operators that models are made of.
extension Lowering {
  mutating func emit(_ index: Int) throws(IngotError) {
    let node = graph.nodes[index]
    for operand in node.inputs.indices where dense[OperandKey(node: index, operand: operand)] != nil {
      emitDenseCopy(index, operand)
    }
    switch node.op {
    case .input, .parameter: break
    case .constant(let constant): try emitConstant(index, constant)
    case .embedding: try emitEmbedding(index)
    case .linear(let linear): try emitLinear(index, linear)
    case .rmsNorm, .layerNorm: plan.steps.append(.norm(try normStep(index)))
    case .rope: plan.steps.append(.rope(try ropeStep(index)))
    case .attention(let attention): try emitAttention(index, attention)
    case .gated(let activation): try emitGated(index, activation)
    case .matmul(let transposeA, let transposeB): emitMatmul(index, transposeA, transposeB)
    case .unary(let function): try emitUnary(index, function)
    case .binary(let function): try emitBinary(index, function)
    case .softmax(let axis): try emitSoftmax(index, axis)
    case .reduce(let reduction, let axis, _): try emitReduce(index, reduction, axis)
    case .topK: try emitSort(index, descending: true)
    case .sort(let descending): try emitSort(index, descending: descending)
    case .gather(let axis): try emitGather(index, axis)
    case .cast(let dtype): try emitCast(index, dtype)
    case .permute, .slice, .concat, .tile, .split: try emitMove(index)
    case .reshape: break
    }
  }

  // MARK: Weights

  func parameter(_ value: Graph.Value) -> Parameter? {
    if case .parameter(let parameter) = graph.nodes[value.node].op { parameter } else { nil }
  }

  private func source(_ node: Int) throws(IngotError) -> WeightPacker {
    guard let weights else { throw unsupported(node, "parameters need a checkpoint") }
    return weights
  }

  /// A parameter as f32, read once however many operators use it.
  mutating func floatParameter(_ node: Int, _ operand: Int) throws(IngotError) -> UnsafeMutablePointer<Float>
  {
    guard let parameter = parameter(graph.nodes[node].inputs[operand]) else {
      return floatOperand(node, operand)
    }
    if let known = floats[parameter] { return known.base.assumingMemoryBound(to: Float.self) }
    let buffer = try source(node).floats(parameter)
    floats[parameter] = buffer
    plan.retained.append(buffer)
    plan.weightBytes += buffer.byteCount
    return buffer.base.assumingMemoryBound(to: Float.self)
  }

  private mutating func packedParameter(_ node: Int, _ parameter: Parameter) throws(IngotError)
    -> PackedWeight
  {
    if let known = packed[parameter] { return known }
    let weight = try source(node).pack(parameter, context: runtime.context)
    packed[parameter] = weight
    plan.retained.append(weight)
    plan.weightBytes += weight.byteCount
    return weight
  }

  private mutating func retainedDescriptor(_ weight: PackedWeight) -> UnsafePointer<ingot_weight> {
    let descriptor = UnsafeMutablePointer<ingot_weight>.allocate(capacity: 1)
    descriptor.initialize(to: weight.descriptor)
    plan.retained.append(Allocation(descriptor))
    return UnsafePointer(descriptor)
  }

  private mutating func retainedOrder(_ order: [Int32]) -> UnsafePointer<Int32> {
    let pointer = UnsafeMutablePointer<Int32>.allocate(capacity: order.count)
    pointer.initialize(from: order, count: order.count)
    plan.retained.append(Allocation(pointer))
    return UnsafePointer(pointer)
  }

  // MARK: Operators

  /// Ids and positions are followed into tables, so they must be what a caller gives and has checked.
  func requireGivenIndices(_ index: Int) throws(IngotError) {
    let indices = graph.nodes[index].inputs[1]
    guard case .input = graph.nodes[indices.node].op, graph.type(of: indices).dtype == .i64 else {
      throw unsupported(index, "ids and positions must be an input of i64; gather takes computed indices")
    }
  }

  private mutating func emitEmbedding(_ index: Int) throws(IngotError) {
    let node = graph.nodes[index]
    let width = node.types[0].dims.last?.value ?? 0
    try requireGivenIndices(index)
    var step = EmbeddingStep(
      kind: INGOT_TABLE_F32, block: 0, table: UnsafeRawPointer(bitPattern: 64)!, rowBytes: width * 4,
      width: width,
      rowCount: graph.type(of: node.inputs[0]).dims[0].value ?? 0,
      ids: UnsafePointer(operand(index, 1).assumingMemoryBound(to: Int64.self)),
      count: symbols.extent(graph.type(of: node.inputs[1]).dims[0]), y: floatResult(index))
    // Rows are gathered from the mapped file as they are stored, so the table takes no memory of ours.
    if let parameter = parameter(node.inputs[0]), let tensor = try source(index).tensors(of: parameter).first,
      parameter.parts.count == 1, tensor.rowOrder == .natural, let kind = tensor.encoding.tableKind,
      let base = tensor.storedBytes?.baseAddress
    {
      (step.kind, step.block) = kind
      step.table = base
      step.rowBytes = tensor.rowByteCount
      plan.retained.append(tensor.file)
    } else if let parameter = parameter(node.inputs[0]), weights != nil,
      case let weight = try packedParameter(index, parameter), weight.inputOrder == nil
    {
      // Rows that no file holds as rows: quantised on the way in, or tiles that a head shares.
      let descriptor = retainedDescriptor(weight)
      step.kind = INGOT_TABLE_TILES
      step.table = UnsafeRawPointer(descriptor)
      step.rowBytes = weight.byteCount / max(1, step.rowCount)
    } else {
      step.table = UnsafeRawPointer(try floatParameter(index, 0))
    }
    plan.steps.append(.embedding(step))
  }

  /// - Parameter gate: the gate that joins the halves of the result, as one step with the product.
  private mutating func emitLinear(
    _ index: Int, _ linear: Op.Linear, gate: (node: Int, activation: ingot_unary)? = nil
  ) throws(IngotError) {
    let node = graph.nodes[index]
    guard linear.transposeB, let parameter = parameter(node.inputs[1]) else {
      return try emitLinearOnValues(index, linear)
    }
    let weight = try packedParameter(index, parameter)
    let outputs = Int64(weight.descriptor.n)
    let descriptor = retainedDescriptor(weight)
    let residual = linear.hasResidual ? node.inputs.count - 1 : nil
    let rows = graph.type(of: node.inputs[0]).dims.dropLast()
    guard rows.count <= 1 || rows.dropFirst().allSatisfy({ $0.value != nil }) else {
      throw unsupported(index, "only the first dim of x may be named")
    }
    let norm = fusions.norms[index]
    var arguments = ingot_matmul_arguments()
    arguments.weight = descriptor
    arguments.x = UnsafePointer(floatOperand(norm ?? index, 0))
    arguments.x_stride = Int64(norm.map { rowStride($0, 0) } ?? linearRowStride(index))
    if linear.hasBias { arguments.bias = UnsafePointer(try floatParameter(index, 2)) }
    if let residual {
      arguments.residual = UnsafePointer(floatOperand(index, residual))
      arguments.residual_stride = outputs
    }
    if let norm {
      let (pointer, isLayerNorm) = try normArguments(norm)
      (arguments.norm, arguments.norm_is_layer) = (pointer, isLayerNorm ? 1 : 0)
    }
    if let order = weight.inputOrder { arguments.x_order = retainedOrder(order) }
    (arguments.y, arguments.y_stride) = (floatResult(gate?.node ?? index), outputs)
    if let gate {
      arguments.gated = 1
      arguments.activation = gate.activation
      arguments.gate_is_second = graph.nodes[gate.node].inputs[0].output == 1 ? 1 : 0
      arguments.y_stride = outputs / 2
    }
    let most = extents(rows).product(maxima)
    reserveScratch(
      ingot_matmul_scratch_bytes(
        weight.descriptor.format, Int64(most), weight.descriptor.k, weight.descriptor.group,
        Int32(runtime.threads)))
    plan.steps.append(.matmul(MatmulStep(arguments: arguments, rows: rows.product(symbols))))
  }

  /// Rows of x are all dims but the last; only those of two-dimensional x may have gaps.
  private func linearRowStride(_ index: Int) -> Int {
    let x = graph.type(of: graph.nodes[index].inputs[0])
    return x.rank == 2 ? rowStride(index, 0) : x.dims.last?.value ?? 1
  }

  private mutating func emitGated(_ index: Int, _ activation: Op.Unary) throws(IngotError) {
    let type = graph.nodes[index].types[0]
    let width = type.dims.dropFirst().reduce(1) { $0 * ($1.value ?? 0) }
    guard type.rank >= 2, width > 0, let function = activation.kernel else {
      throw unsupported(index, "needs rows of a fixed width")
    }
    if let product = fusions.gates[index], case .linear(let linear) = graph.nodes[product].op {
      return try emitLinear(product, linear, gate: (index, function))
    }
    plan.steps.append(
      .gated(
        GatedStep(
          activation: function, rows: extents(type.dims.prefix(1)), width: width,
          gate: UnsafePointer(floatOperand(index, 0)), gateStride: rowStride(index, 0),
          up: UnsafePointer(floatOperand(index, 1)), upStride: rowStride(index, 1), y: floatResult(index))))
  }
}

extension Sequence where Element == Dim {
  /// The product of extents of which at most one has names.
  fileprivate func product(_ symbols: SymbolTable) -> Extent {
    var result = Dim.fixed(1)
    for dim in self { result = dim.value.map { result * $0 } ?? dim * (result.value ?? 1) }
    return symbols.extent(result)
  }
}

extension TensorEncoding {
  /// How the embedding kernel reads rows of this encoding; nil when it cannot.
  fileprivate var tableKind: (ingot_table, Int32)? {
    switch self {
    case .plain(.f32): (INGOT_TABLE_F32, 0)
    case .plain(.f16): (INGOT_TABLE_F16, 0)
    case .plain(.bf16): (INGOT_TABLE_BF16, 0)
    case .plain: nil
    case .block(let type): (INGOT_TABLE_BLOCKS, Int32(type.rawValue))
    case .grouped: nil
    }
  }
}

/// Owns a small allocation that steps point to.
final class Allocation: @unchecked Sendable {
  private let pointer: UnsafeMutableRawPointer
  init<T: BitwiseCopyable>(_ pointer: UnsafeMutablePointer<T>) {
    self.pointer = UnsafeMutableRawPointer(pointer)
  }
  deinit { pointer.deallocate() }
}
