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
    if let folder, !sizesOnly, !dequantizes {
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

  /// The packed format of tensors of an encoding.
  private func format(_ encoding: TensorEncoding) -> (format: ingot_format, group: Int) {
    if dequantizes, case .block = encoding { return (INGOT_F32, 0) }
    return encoding.packedFormat
  }

  /// Whether a parameter is packed as integers, so that products with it quantise their other operand.
  package func isInteger(_ parameter: Parameter) -> Bool {
    guard let part = parameter.parts.first, let tensor = checkpoint.tensor(named: part.name) else {
      return false
    }
    return format(tensor.encoding).group != 0
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

  /// Whether tensors have one packed format and so can lie in one matrix.
  public func haveOneFormat(_ names: [String]) -> Bool {
    let formats = names.map { checkpoint.tensor(named: $0).map { format($0.encoding) } }
    return formats.allSatisfy {
      $0 != nil && $0?.format == formats[0]?.format && $0?.group == formats[0]?.group
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
      tensor.readRows(
        0..<tensor.rowCount, into: UnsafeMutableBufferPointer(rebasing: target[..<tensor.shape.count]))
      target = UnsafeMutableBufferPointer(rebasing: target[tensor.shape.count...])
    }
    return buffer
  }

  /// A weight [outputs, inputs] in the format its tensors are stored in.
  /// - Parameter context: whose threads pack.
  /// - Throws: as `tensors(of:)`; `.unsupported` when the tensors are of several formats; `.memory`.
  public func pack(_ parameter: Parameter, context: ingot_context) throws(IngotError) -> PackedWeight {
    let tensors = try tensors(of: parameter)
    let (format, group) = format(tensors[0].encoding)
    guard haveOneFormat(parameter.parts.map(\.name)) else {
      throw IngotError(.unsupported, "\(parameter) mixes weights of several formats")
    }
    let dims = parameter.dims
    if let known = store?.weight(
      named: parameter.description, format: format, group: group, outputs: dims[0], inputs: dims[1])
    {
      return known
    }
    return try PackedWeight(
      format: format, group: group, outputs: dims[0], inputs: dims[1], in: slabs
    ) { base in
      if sizesOnly { return }
      var job = PackingJob(
        tensors: tensors, format: format, group: group, outputs: dims[0], inputs: dims[1], target: base)
      withUnsafeMutablePointer(to: &job) { pointer in
        ingot_pool_run(context.pool, context.threads, packTile, pointer, Int64((dims[0] + 15) / 16))
      }
      // The packed copy is what is read from now on.
      for tensor in tensors { tensor.file.release(tensor.byteRange) }
    }
  }
}

/// What the threads of one packing share; read only while they run.
struct PackingJob {
  let tensors: [CheckpointTensor]
  let format: ingot_format
  let group: Int
  let outputs: Int
  let inputs: Int
  let target: UnsafeMutableRawPointer

  /// The stored bytes of a row of the whole, and the encoding they are in.
  func row(_ index: Int) -> (bytes: UnsafeRawBufferPointer, encoding: TensorEncoding) {
    var index = index
    for tensor in tensors {
      if index < tensor.rowCount { return (tensor.rowBytes(index), tensor.encoding) }
      index -= tensor.rowCount
    }
    preconditionFailure("row \(index) is beyond the parameter")
  }

  func pack(tile: Int) {
    let rows = min(16, outputs - tile * 16)
    let tileBytes = ingot_tile_bytes(format, Int64(inputs), Int32(group))
    let destination = target + tile * tileBytes
    if group == 0 {
      packFloats(tile * 16, rows, destination)
    } else {
      packBlocks(tile * 16, rows, destination)
    }
  }

  private func packFloats(_ first: Int, _ rows: Int, _ destination: UnsafeMutableRawPointer) {
    let elementBytes = format == INGOT_F32 ? 4 : 2
    withUnsafeTemporaryAllocation(byteCount: rows * inputs * elementBytes, alignment: 64) { scratch in
      for index in 0..<rows {
        let (bytes, encoding) = row(first + index)
        let part = UnsafeMutableRawBufferPointer(
          rebasing: scratch[index * inputs * elementBytes..<(index + 1) * inputs * elementBytes])
        if bytes.count == part.count && encoding.isKernelFloat {
          part.copyMemory(from: bytes)
        } else {
          encoding.decode(bytes, into: part.bindMemory(to: Float.self).baseAddress!, count: inputs)
        }
      }
      ingot_pack_float_tile(
        format, Int64(inputs), scratch.baseAddress, Int64(inputs), Int32(rows), destination)
    }
  }

  private func packBlocks(_ first: Int, _ rows: Int, _ destination: UnsafeMutableRawPointer) {
    let groups = inputs / group
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: rows * inputs) { integers in
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * rows * groups) { scales in
        guard let q = integers.baseAddress, let scale = scales.baseAddress else { return }
        let minimum = format == INGOT_I4M || format == INGOT_I8M ? scale + rows * groups : nil
        for index in 0..<rows {
          let (bytes, encoding) = row(first + index)
          guard case .block(let type) = encoding else {
            preconditionFailure("blocks and floats in one weight")
          }
          let status = ingot_split_blocks(
            ingot_block(rawValue: type.rawValue), bytes.baseAddress, inputs / type.blockWeights,
            q + index * inputs, scale + index * groups, minimum.map { $0 + index * groups })
          precondition(status == 0, "no kernel for \(type)")
        }
        ingot_pack_integer_tile(
          format, Int64(inputs), Int32(group), q, scale, minimum, Int32(rows), destination)
      }
    }
  }
}

/// The job of one tile. At file scope, since it runs on threads that Swift's isolation does not know.
private func packTile(_ argument: UnsafeMutableRawPointer?, _ tile: Int64, _ thread: Int32) {
  argument?.assumingMemoryBound(to: PackingJob.self).pointee.pack(tile: Int(tile))
}
