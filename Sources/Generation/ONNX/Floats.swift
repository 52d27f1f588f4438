internal import CKernels
internal import IngotCore

/// Elements as 32-bit floats.
/// - Throws: `.unsupported` for elements that are no floats.
func floats(_ bytes: UnsafeMutableRawBufferPointer, _ dtype: DType) throws(IngotError) -> [Float] {
  let count = bytes.count / dtype.byteCount
  switch dtype {
  case .f32: return Array(bytes.bindMemory(to: Float.self))
  case .f16, .bf16:
    return [Float](unsafeUninitializedCapacity: count) { target, written in
      if count > 0, let source = bytes.baseAddress?.assumingMemoryBound(to: UInt16.self),
        let start = target.baseAddress
      {
        if dtype == .f16 {
          ingot_f16_to_f32(source, start, count)
        } else {
          ingot_bf16_to_f32(source, start, count)
        }
      }
      written = count
    }
  case .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
    throw IngotError(.unsupported, "elements of \(dtype) are no floats that can be read")
  }
}

/// Calls `body` with one row after another as 32-bit floats; rows of floats are not copied.
/// - Parameter rows: which rows of `width` elements.
func withFloatRows(
  _ bytes: UnsafeMutableRawBufferPointer, _ dtype: DType, width: Int, rows: Range<Int>,
  _ body: (Int, UnsafeBufferPointer<Float>) -> Void
) throws(IngotError) {
  let rowBytes = width * dtype.byteCount
  for row in rows {
    let slice = UnsafeMutableRawBufferPointer(rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes])
    if dtype == .f32 {
      body(row, UnsafeBufferPointer(slice.bindMemory(to: Float.self)))
    } else {
      let converted = try floats(slice, dtype)
      converted.withUnsafeBufferPointer { body(row, $0) }
    }
  }
}
