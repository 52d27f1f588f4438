public import IngotCore

/// An input or output of a model.
public struct TensorPort: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// Element type.
  public let dtype: DType
  /// Extents, outermost first; nil for one that each run chooses.
  public let dims: [Int?]
  /// Names of the extents that have one, as `batch`.
  public let dimNames: [String?]

  /// Describes a port.
  public init(name: String, dtype: DType, dims: [Int?], dimNames: [String?]? = nil) {
    (self.name, self.dtype, self.dims) = (name, dtype, dims)
    self.dimNames = dimNames ?? dims.map { _ in nil }
  }

  /// Whether a tensor of a shape may be bound to it.
  public func accepts(_ shape: Shape) -> Bool {
    shape.rank == dims.count && zip(shape.dims, dims).allSatisfy { $1 == nil || $0 == $1 }
  }
}

extension TensorPort: CustomStringConvertible {
  /// As `input_ids i64 [batch, 8, ?]`.
  public var description: String {
    let extents = zip(dims, dimNames).map { dim, name in dim.map { "\($0)" } ?? name ?? "?" }
    return "\(name) \(dtype) [\(extents.joined(separator: ", "))]"
  }
}

extension DType {
  /// The number ONNX has for it.
  var onnxElementType: Int32 {
    switch self {
    case .f32: 1
    case .u8: 2
    case .i8: 3
    case .u16: 4
    case .i16: 5
    case .i32: 6
    case .i64: 7
    case .bool: 9
    case .f16: 10
    case .f64: 11
    case .u32: 12
    case .u64: 13
    case .bf16: 16
    }
  }

  init?(onnxElementType: Int32) {
    guard let match = DType.allCases.first(where: { $0.onnxElementType == onnxElementType }) else {
      return nil
    }
    self = match
  }

  /// What is said of the types we do not have.
  static func onnxName(_ elementType: Int32) -> String {
    switch elementType {
    case 8: "strings"
    case 14, 15: "complex numbers"
    case 17, 18, 19, 20: "8-bit floats"
    case 21, 22: "4-bit integers"
    case 23: "4-bit floats"
    default: "elements of ONNX type \(elementType)"
    }
  }
}
