internal import CKernels

extension HostTensor {
  /// Elements as 64-bit floats, whatever the dtype; integers beyond 53 bits round.
  /// - Precondition: the range is in the tensor.
  package func doubles(_ range: Range<Int>) -> [Double] {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape.count)
    let source = UnsafeRawBufferPointer(
      rebasing: bytes[range.lowerBound * dtype.byteCount..<range.upperBound * dtype.byteCount])
    switch dtype {
    case .f64: return source.values(Double.self) { $0 }
    case .f32: return source.values(Float.self) { Double($0) }
    case .f16, .bf16:
      let halves = source.values(UInt16.self) { $0 }
      var floats = [Float](repeating: 0, count: halves.count)
      let convert = dtype == .f16 ? ingot_f16_to_f32 : ingot_bf16_to_f32
      convert(halves, &floats, halves.count)
      return floats.map { Double($0) }
    case .i64: return source.values(Int64.self) { Double($0) }
    case .i32: return source.values(Int32.self) { Double($0) }
    case .i16: return source.values(Int16.self) { Double($0) }
    case .i8: return source.values(Int8.self) { Double($0) }
    case .u64: return source.values(UInt64.self) { Double($0) }
    case .u32: return source.values(UInt32.self) { Double($0) }
    case .u16: return source.values(UInt16.self) { Double($0) }
    case .u8: return source.values(UInt8.self) { Double($0) }
    case .bool: return source.values(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func values<T: BitwiseCopyable, R>(_ type: T.Type, _ convert: (T) -> R) -> [R] {
    (0..<count / MemoryLayout<T>.stride).map {
      convert(loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self))
    }
  }
}
