internal import CKernels
internal import IngotCore

extension DType {
  /// Copies a caller's elements into the engine's storage of this type.
  func load(_ bytes: UnsafeRawBufferPointer, count: Int, to target: UnsafeMutableRawPointer) {
    guard let source = bytes.baseAddress, count > 0 else { return }
    let floats = target.assumingMemoryBound(to: Float.self)
    switch self {
    case .f16: ingot_f16_to_f32(source.assumingMemoryBound(to: UInt16.self), floats, count)
    case .bf16: ingot_bf16_to_f32(source.assumingMemoryBound(to: UInt16.self), floats, count)
    case .f64:
      for index in 0..<count {
        floats[index] = Float(source.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
      }
    case .bool:
      for index in 0..<count {
        floats[index] = source.load(fromByteOffset: index, as: UInt8.self) == 0 ? 0 : 1
      }
    case .f32, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8:
      target.copyMemory(from: source, byteCount: count * byteCount)
    }
  }

  /// Copies elements from the engine's storage of this type to a caller's.
  func store(_ source: UnsafeMutableRawPointer, count: Int, to target: UnsafeMutableRawPointer) {
    guard count > 0 else { return }
    let floats = source.assumingMemoryBound(to: Float.self)
    switch self {
    case .f16: ingot_f32_to_f16(floats, target.assumingMemoryBound(to: UInt16.self), count)
    case .bf16: ingot_f32_to_bf16(floats, target.assumingMemoryBound(to: UInt16.self), count)
    case .f64:
      for index in 0..<count {
        target.storeBytes(of: Double(floats[index]), toByteOffset: index * 8, as: Double.self)
      }
    case .bool:
      for index in 0..<count {
        target.storeBytes(of: floats[index] == 0 ? 0 : 1, toByteOffset: index, as: UInt8.self)
      }
    case .f32, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8:
      target.copyMemory(from: source, byteCount: count * byteCount)
    }
  }
}
