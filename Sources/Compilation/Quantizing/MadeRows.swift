internal import CKernels
internal import Checkpoints
internal import IngotCore
internal import Quantization

/// Rows rounded to integers.
final class QuantizedRows: RowSource {
  private let tensor: CheckpointTensor
  private let quantizer: GroupedQuantizer

  init(_ tensor: CheckpointTensor, _ quantizer: GroupedQuantizer) {
    (self.tensor, self.quantizer) = (tensor, quantizer)
  }

  func release() { tensor.release() }

  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let rowBytes = quantizer.rowBytes(count: tensor.columnCount)
    try tensor.withFloatRows(rows) { (row, values) throws(IngotError) in
      let start = (row - rows.lowerBound) * rowBytes
      let part = UnsafeMutableRawBufferPointer(rebasing: target[start..<start + rowBytes])
      do throws(IngotError) {
        try quantizer.quantize(UnsafeBufferPointer(values), into: part)
      } catch {
        throw tensor.error(error.kind, "row \(row): \(error.what)")
      }
    }
  }
}

/// Rows as floats of another width, to nearest.
final class ConvertedRows: RowSource {
  private let tensor: CheckpointTensor
  private let dtype: DType

  /// - Precondition: the dtype is f32, f16 or bf16.
  init(_ tensor: CheckpointTensor, _ dtype: DType) { (self.tensor, self.dtype) = (tensor, dtype) }

  func release() { tensor.release() }

  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let rowBytes = tensor.columnCount * dtype.byteCount
    guard let base = target.baseAddress else { return }
    try tensor.withFloatRows(rows) { (row, values) throws(IngotError) in
      let place = base + (row - rows.lowerBound) * rowBytes
      switch dtype {
      case .f32: place.copyMemory(from: values.baseAddress!, byteCount: rowBytes)
      case .bf16:
        ingot_f32_to_bf16(values.baseAddress, place.assumingMemoryBound(to: UInt16.self), values.count)
      default:
        guard ingot_f32_overflows(values.baseAddress, values.count, 65520) == 0 else {
          throw tensor.error(
            .unsupported, "row \(row) has a weight beyond 65504, the largest 16-bit float",
            hint: "use --quant bf16, or an override for this tensor")
        }
        ingot_f32_to_f16(values.baseAddress, place.assumingMemoryBound(to: UInt16.self), values.count)
      }
    }
  }
}

extension CheckpointTensor {
  /// Lends rows as 32-bit floats, one after another.
  func withFloatRows(
    _ rows: Range<Int>, _ body: (Int, UnsafeMutableBufferPointer<Float>) throws(IngotError) -> Void
  ) throws(IngotError) {
    try withTemporaryBytes(4 * columnCount) { (bytes) throws(IngotError) in
      let values = UnsafeMutableBufferPointer(
        rebasing: bytes.bindMemory(to: Float.self)[..<columnCount])
      for row in rows {
        try readRows(row..<row + 1, into: values)
        try body(row, values)
      }
    }
  }
}
