/// Element type of a tensor in memory or in a file.
public enum DType: String, Sendable, Hashable, CaseIterable {
  case f64, f32, f16, bf16
  case i64, i32, i16, i8
  case u64, u32, u16, u8
  case bool

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    }
  }

  /// Whether the elements are floating-point numbers.
  public var isFloat: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool: false
    }
  }
}

extension DType: CustomStringConvertible {
  /// The short name, as `f32`.
  public var description: String { rawValue }
}
