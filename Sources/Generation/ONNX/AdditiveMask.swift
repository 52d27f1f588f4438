internal import IngotCore
internal import ONNXRuntime

/// A mask that is added to the scores: 0 where a token may look, a large negative number elsewhere.
struct AdditiveMask {
  let value: OrtValue
  private let columns: Int
  private let rows: Int

  /// A closed mask [1, 1, rows, columns].
  /// - Throws: `.unsupported` when the port is neither f32 nor f16; `.memory`.
  init(
    _ runtime: OrtRuntime, rows: Int, columns: Int, for port: TensorPort, file: String
  ) throws(IngotError) {
    guard port.dtype == .f32 || port.dtype == .f16 else {
      throw IngotError(
        .unsupported, "the mask \(port) should be f32 or f16", at: .init(file: file, tensor: port.name))
    }
    guard port.dims.count == 4 else {
      throw IngotError(
        .unsupported, "the mask \(port) should have 4 axes", at: .init(file: file, tensor: port.name))
    }
    (self.rows, self.columns) = (rows, columns)
    value = try OrtValue(runtime, dtype: port.dtype, shape: try Shape(checking: [1, 1, rows, columns]))
    close()
  }

  /// Closes all of it.
  func close() {
    if value.dtype == .f32 {
      value.bytes.bindMemory(to: Float.self).update(repeating: -1e9)
    } else {
      // -65504, the lowest half.
      value.bytes.bindMemory(to: UInt16.self).update(repeating: 0xFBFF)
    }
  }

  /// Opens some columns of a row.
  func open(row: Int, _ range: Range<Int>) {
    precondition(row < rows && range.upperBound <= columns)
    let start = (row * columns + range.lowerBound) * value.dtype.byteCount
    // Zero is all bits clear in both types.
    let end = start + range.count * value.dtype.byteCount
    UnsafeMutableRawBufferPointer(rebasing: value.bytes[start..<end]).initializeMemory(
      as: UInt8.self, repeating: 0)
  }
}
