public import CKernels
public import Checkpoints
public import Graph
public import IngotCore

/// Reads the tensors of a parameter and packs them for the kernels, 16 rows at a time, so that beside the result
/// only a few rows are in memory.
public struct WeightPacker: Sendable {
  private let checkpoint: any Checkpoint
  private let sizesOnly: Bool
  private let dequantizes: Bool
  private let store: PackedStore?
  private let slabs = WeightSlabs()

  /// Packs tensors of a checkpoint.
  public init(_ checkpoint: any Checkpoint) {
    (self.checkpoint, sizesOnly, dequantizes, store) = (checkpoint, false, false, nil)
  }

  /// Packs tensors, or only learns how much memory they take.
  /// - Parameters:
  ///   - sizesOnly: whether to reserve the memory and leave it untouched.
  ///   - dequantizes: whether to unpack quantised blocks to 32-bit floats, for exact products.
  ///   - folder: where packed weights are kept between runs; nil for nowhere.
  /// - Throws: `.io` for files of the checkpoint that cannot be looked at.
  public init(
    _ checkpoint: any Checkpoint, sizesOnly: Bool, dequantizes: Bool, packedFolder folder: String?
  ) throws(IngotError) {
    (self.checkpoint, self.sizesOnly, self.dequantizes) = (checkpoint, sizesOnly, dequantizes)
    // Unpacked floats are large and quickly made.
    // Nor are tiles kept that lie in a file already: maybe in an encrypted one.
    if let folder, !sizesOnly, !dequantizes, !(checkpoint is any PackedWeightSource) {
      store = try PackedStore(folder: folder, checkpoint)
    } else {
      store = nil
    }
  }

  /// Keeps weights for the next run, unless they came from there.
  /// - Throws: `.io`.
  public func keep(_ weights: [Parameter: PackedWeight]) throws(IngotError) {
    guard let store, weights.values.contains(where: { !$0.isMapped }) else { return }
    try store.save(
      weights.map { (name: $0.key.description, weight: $0.value) }.sorted { $0.name < $1.name })
  }

  /// The form of a tensor that is packed: integers, where they are wanted, with their inputs in the order of their
  /// groups.
  private func form(_ tensor: CheckpointTensor) -> (tensor: CheckpointTensor, inputOrder: [Int32]?) {
    guard !dequantizes, let reordered = tensor.reordered else { return (tensor, nil) }
    return (reordered.tensor, reordered.inputOrder)
  }

  /// The packed format of tensors of an encoding.
  private func format(_ encoding: TensorEncoding) -> (format: ingot_format, group: Int) {
    switch encoding {
    case .block, .grouped: dequantizes ? (INGOT_F32, 0) : encoding.packedFormat
    case .plain: encoding.packedFormat
    }
  }

  /// Whether a parameter is packed as integers, so that products with it quantise their other operand.
  package func isInteger(_ parameter: Parameter) -> Bool {
    guard let part = parameter.parts.first, let tensor = checkpoint.tensor(named: part.name) else {
      return false
    }
    return format(form(tensor).tensor.encoding).group != 0
  }

  /// The tensors that make up a parameter.
  /// - Throws: `.format` when one is missing; `.shape` when one has other extents than the model calls for.
  public func tensors(of parameter: Parameter) throws(IngotError) -> [CheckpointTensor] {
    var tensors: [CheckpointTensor] = []
    for part in parameter.parts {
      let tensor = try checkpoint.required(part.name)
      guard tensor.shape.dims == part.dims else {
        throw IngotError(
          .shape, "the tensor is \(tensor.shape), the model needs \(Shape(part.dims))",
          at: .init(file: tensor.file.path, tensor: part.name),
          hint: "configuration and weights may belong to different models")
      }
      tensors.append(tensor)
    }
    return tensors
  }

  /// Whether tensors have one packed format, with their inputs in one order, and so can lie in one matrix.
  public func haveOneFormat(_ names: [String]) -> Bool {
    let forms = names.map { checkpoint.tensor(named: $0).map(form) }
    guard let first = forms.first ?? nil else { return names.isEmpty }
    return forms.allSatisfy {
      guard let form = $0 else { return false }
      return format(form.tensor.encoding) == format(first.tensor.encoding)
        && form.inputOrder == first.inputOrder
    }
  }

  /// A parameter of any shape as 32-bit floats: norms and biases.
  /// - Throws: as `tensors(of:)`, and `.memory`.
  public func floats(_ parameter: Parameter) throws(IngotError) -> AlignedBuffer {
    let tensors = try tensors(of: parameter)
    let count = tensors.reduce(0) { $0 + $1.shape.count }
    let buffer = try AlignedBuffer(byteCount: count * MemoryLayout<Float>.stride)
    var target = UnsafeMutableBufferPointer(rebasing: buffer.bytes.bindMemory(to: Float.self)[..<count])
    for tensor in tensors where !sizesOnly {
      try tensor.readRows(
        0..<tensor.rowCount, into: UnsafeMutableBufferPointer(rebasing: target[..<tensor.shape.count]))
      target = UnsafeMutableBufferPointer(rebasing: target[tensor.shape.count...])
    }
    return buffer
  }

  /// A weight [outputs, inputs] in the format its tensors are stored in.
  /// - Parameter context: whose threads pack.
  /// - Throws: as `tensors(of:)`; `.unsupported` when the tensors are of several formats; `.memory`.
  public func pack(_ parameter: Parameter, context: ingot_context) throws(IngotError) -> PackedWeight {
    let forms = try tensors(of: parameter).map(form)
    let (tensors, order) = (forms.map(\.tensor), forms[0].inputOrder)
    let (format, group) = format(tensors[0].encoding)
    guard haveOneFormat(parameter.parts.map(\.name)) else {
      throw IngotError(.unsupported, "\(parameter) mixes weights of several formats")
    }
    let dims = parameter.dims
    if let known = store?.weight(
      named: parameter.description, format: format, group: group, outputs: dims[0], inputs: dims[1],
      inputOrder: order)
    {
      return known
    }
    if let source = checkpoint as? any PackedWeightSource,
      let known = source.packedWeight(of: parameter, format: format, group: group)
    {
      return known
    }
    return try PackedWeight(
      format: format, group: group, outputs: dims[0], inputs: dims[1], inputOrder: order, in: slabs
    ) { (base) throws(IngotError) in
      if sizesOnly { return }
      var job = PackingJob(
        tensors: tensors, format: format, group: group, outputs: dims[0], inputs: dims[1], target: base)
      withUnsafeMutablePointer(to: &job) { pointer in
        ingot_pool_run(context.pool, context.threads, packTile, pointer, Int64((dims[0] + 15) / 16))
      }
      if let failure = job.failure.withLock({ $0 }) { throw failure }
      // The packed copy is what is read from now on.
      for tensor in tensors { tensor.release() }
    }
  }
}
