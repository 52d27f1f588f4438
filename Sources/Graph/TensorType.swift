public import IngotCore

/// What is known of a value before it exists: element type and extents.
public struct TensorType: Sendable, Hashable {
  /// Element type as the user sees it. Back ends may compute in a wider one.
  public var dtype: DType
  /// Extents, outermost first.
  public var dims: [Dim]

  /// Makes a type.
  public init(_ dtype: DType, _ dims: [Dim]) {
    self.dtype = dtype
    self.dims = dims
  }

  /// Number of dimensions.
  public var rank: Int { dims.count }

  /// The shape, when every extent is a number.
  public var shape: [Int]? {
    var shape: [Int] = []
    for dim in dims {
      guard let value = dim.value else { return nil }
      shape.append(value)
    }
    return shape
  }

  /// The same type with names replaced by numbers.
  public func binding(_ sizes: [String: Int]) -> TensorType {
    TensorType(dtype, dims.map { $0.binding(sizes) })
  }
}

extension TensorType: CustomStringConvertible {
  /// As `f32[tokens, 576]`.
  public var description: String {
    "\(dtype)[" + dims.map(\.description).joined(separator: ", ") + "]"
  }
}
