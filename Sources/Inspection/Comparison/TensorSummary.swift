public import IngotCore

/// What a tensor is, for a list.
public struct TensorSummary: Sendable {
  /// Its name.
  public var name: String
  /// Element type.
  public var dtype: DType
  /// Extents, padding counted in.
  public var shape: Shape
  /// Elements that are NaN or infinite.
  public var nonFinite = 0
  /// The smallest finite element; nil when there is none.
  public var minimum: Double?
  /// The largest finite element.
  public var maximum: Double?
  /// The mean of the finite elements.
  public var mean: Double?

  /// Looks at every element, padding included.
  /// - Throws: as `Comparison.init`.
  public init(_ collection: TensorCollection, _ name: String) throws(IngotError) {
    let tensor = try collection.box(name).tensor
    (self.name, dtype, shape) = (name, tensor.dtype, tensor.shape)
    var (sum, count) = (0.0, 0)
    let block = 1 << 14
    for start in stride(from: 0, to: tensor.shape.count, by: block) {
      for value in tensor.doubles(start..<min(start + block, tensor.shape.count)) {
        guard value.isFinite else {
          nonFinite += 1
          continue
        }
        minimum = min(minimum ?? value, value)
        maximum = max(maximum ?? value, value)
        sum += value
        count += 1
      }
    }
    if count > 0 { mean = sum / Double(count) }
  }
}
