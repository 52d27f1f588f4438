internal import CKernels
internal import IngotCore

extension ConvertStep {
  func run(_ sizes: Sizes) {
    convert(x, from, to: y, to, count: count.product(sizes))
  }
}

/// Converts elements between the engine's storage of two dtypes. Floats narrower than f32 are rounded to the
/// narrower type but stay stored as f32.
private func convert(
  _ x: UnsafeRawPointer, _ from: DType, to y: UnsafeMutableRawPointer, _ to: DType, count: Int
) {
  if to == .f16 || to == .bf16, from.storage == .f32 {
    let source = x.assumingMemoryBound(to: Float.self)
    let target = y.assumingMemoryBound(to: Float.self)
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 256) { narrow in
      guard let buffer = narrow.baseAddress else { return }
      for start in stride(from: 0, to: count, by: 256) {
        let length = min(256, count - start)
        if to == .f16 {
          ingot_f32_to_f16(source + start, buffer, length)
          ingot_f16_to_f32(buffer, target + start, length)
        } else {
          ingot_f32_to_bf16(source + start, buffer, length)
          ingot_bf16_to_f32(buffer, target + start, length)
        }
      }
    }
    return
  }
  for index in 0..<count {
    store(load(x, from.storage, index), y, to, index)
  }
}

private func load(_ x: UnsafeRawPointer, _ storage: DType, _ index: Int) -> Double {
  let at = index * storage.byteCount
  switch storage {
  case .i64: return Double(x.load(fromByteOffset: at, as: Int64.self))
  case .i32: return Double(x.load(fromByteOffset: at, as: Int32.self))
  case .i16: return Double(x.load(fromByteOffset: at, as: Int16.self))
  case .i8: return Double(x.load(fromByteOffset: at, as: Int8.self))
  case .u64: return Double(x.load(fromByteOffset: at, as: UInt64.self))
  case .u32: return Double(x.load(fromByteOffset: at, as: UInt32.self))
  case .u16: return Double(x.load(fromByteOffset: at, as: UInt16.self))
  case .u8: return Double(x.load(fromByteOffset: at, as: UInt8.self))
  case .f32, .f64, .f16, .bf16, .bool: return Double(x.load(fromByteOffset: at, as: Float.self))
  }
}

private func store(_ value: Double, _ y: UnsafeMutableRawPointer, _ to: DType, _ index: Int) {
  func put<T: FixedWidthInteger>(_ type: T.Type) {
    y.storeBytes(of: T(clamping: value), toByteOffset: index * MemoryLayout<T>.size, as: T.self)
  }
  switch to {
  case .i64: put(Int64.self)
  case .i32: put(Int32.self)
  case .i16: put(Int16.self)
  case .i8: put(Int8.self)
  case .u64: put(UInt64.self)
  case .u32: put(UInt32.self)
  case .u16: put(UInt16.self)
  case .u8: put(UInt8.self)
  case .bool: y.storeBytes(of: value != 0 ? 1 : 0, toByteOffset: index * 4, as: Float.self)
  case .f32, .f64, .f16, .bf16: y.storeBytes(of: Float(value), toByteOffset: index * 4, as: Float.self)
  }
}

extension FixedWidthInteger {
  /// Truncates towards zero; what does not fit becomes the nearest that does, NaN zero.
  fileprivate init(clamping value: Double) {
    if value.isNaN {
      self = 0
    } else if value >= Double(Self.max) {
      self = .max
    } else if value <= Double(Self.min) {
      self = .min
    } else {
      self = Self(value)
    }
  }
}
