public import IngotCore

/// A tensor known when the graph is made. Elements are kept as 64-bit floats, which hold every f32 and every
/// index that occurs.
public struct Constant: Sendable, Hashable {
  /// Element type.
  public var dtype: DType
  /// Extents; empty for a scalar.
  public var dims: [Int]
  /// Elements, row-major.
  public var values: [Double]

  /// Makes a constant.
  public init(dtype: DType, dims: [Int], values: [Double]) {
    self.dtype = dtype
    self.dims = dims
    self.values = values
  }
}
