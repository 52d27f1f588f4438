import CKernels
import Checkpoints
import IngotCore
import Quantization

/// A matrix on its way to integers: where its rows come from, and the scales and zeros made so far.
final class QuantizedPiece: @unchecked Sendable {
  /// Rows of the whole, from one tensor.
  struct Part: Sendable {
    let tensor: CheckpointTensor
    /// The whole's row that is the tensor's first.
    let first: Int
  }
  /// How scales are ordered: [N, groups], or [groups, N].
  enum Order { case byRow, byGroup }

  let tensors: [Part]
  let quantizer: BlockQuantizer
  let outputs: Int
  let inputs: Int
  /// Inputs that share a scale.
  let group: Int
  let groups: Int
  let order: Order
  // Threads write apart from each other; whoever reads waits for all that write.
  private var memory: (scales: AlignedBuffer, zeros: AlignedBuffer)?

  /// - Throws: `.memory`.
  init(
    _ tensors: [CheckpointTensor], _ quantizer: BlockQuantizer, group: Int, scalesLie order: Order
  ) throws(IngotError) {
    var parts: [Part] = []
    var first = 0
    for tensor in tensors {
      parts.append(Part(tensor: tensor, first: first))
      first += tensor.rowCount
    }
    (self.tensors, self.quantizer, self.group, self.order) = (parts, quantizer, group, order)
    (outputs, inputs) = (first, tensors[0].columnCount)
    groups = (inputs + group - 1) / group
    memory = (
      try AlignedBuffer(byteCount: 4 * outputs * groups), try AlignedBuffer(byteCount: outputs * groups)
    )
  }

  /// In `order`, as they will be stored.
  var scales: UnsafeMutablePointer<Float> {
    guard let memory else { preconditionFailure("the piece is finished") }
    return memory.scales.base.assumingMemoryBound(to: Float.self)
  }

  /// In `order`, one per byte.
  var zeros: UnsafeMutablePointer<UInt8> {
    guard let memory else { preconditionFailure("the piece is finished") }
    return memory.zeros.base.assumingMemoryBound(to: UInt8.self)
  }

  /// Bytes of the zero points as they are stored.
  var zeroPointBytes: Int {
    switch order {
    case .byRow: outputs * ((groups * quantizer.scheme.bits + 7) / 8)
    case .byGroup: (outputs * groups * quantizer.scheme.bits + 7) / 8
    }
  }

  /// Frees the scales once they are written.
  func finish() { memory = nil }
}

extension BlockQuantizer {
  /// - Throws: `.unsupported` unless a group could be rounded.
  func check(_ status: ingot_quantized, _ tensor: CheckpointTensor, row: Int) throws(IngotError) {
    switch status {
    case INGOT_QUANTIZED: return
    case INGOT_NOT_FINITE:
      throw tensor.error(
        .unsupported, "row \(row) holds a NaN or an infinity, which integers cannot stand for",
        hint: "export without --quant, or repair the weights")
    default:
      throw tensor.error(
        .unsupported, "row \(row) has weights so large that their scale does not fit \(scales)",
        hint: "export with --dtype f32")
    }
  }
}

/// Room for the inputs of one output while they are rounded.
struct RowScratch: ~Copyable {
  let floats: UnsafeMutablePointer<Float>
  let codes: UnsafeMutablePointer<UInt8>
  let scales: UnsafeMutablePointer<Float>
  let zeros: UnsafeMutablePointer<UInt8>

  /// - Parameter codes: room for codes, which may be more than the inputs.
  init(inputs: Int, codes: Int, groups: Int) {
    floats = .allocate(capacity: inputs)
    self.codes = .allocate(capacity: codes)
    scales = .allocate(capacity: groups)
    zeros = .allocate(capacity: groups)
  }

  deinit {
    floats.deallocate()
    codes.deallocate()
    scales.deallocate()
    zeros.deallocate()
  }
}
