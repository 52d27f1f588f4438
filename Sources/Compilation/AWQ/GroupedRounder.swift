package import Checkpoints
package import IngotCore
internal import Quantization

/// Rounds as a checkpoint quantised by a recipe does.
package struct GroupedRounder: RowRounder {
  private let quantizer: GroupedQuantizer

  package var groupSize: Int { quantizer.format.groupSize }
  package var format: GroupedFormat? { quantizer.format }

  package init(_ format: GroupedFormat) { quantizer = GroupedQuantizer(format) }

  package func round(_ row: UnsafeMutableBufferPointer<Float>) throws(IngotError) {
    guard let base = row.baseAddress else { return }
    try withTemporaryBytes(quantizer.rowBytes(count: row.count)) { (bytes) throws(IngotError) in
      try quantizer.quantize(UnsafeBufferPointer(row), into: bytes)
      TensorEncoding.grouped(quantizer.format).decode(
        UnsafeRawBufferPointer(bytes), into: base, count: row.count)
    }
  }
}

extension QuantizedCheckpoint {
  /// The rounder of a tensor that is rounded to integers in groups; nil for any other.
  func rounder(of name: String) -> (any RowRounder)? {
    guard let quantizer = quantizer(of: name), quantizer.sharing == .group else { return nil }
    return GroupedRounder(quantizer.format)
  }
}
