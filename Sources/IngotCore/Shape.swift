/// The extents of a tensor, outermost first, all fixed and none negative.
public struct Shape: Sendable, Hashable {
  /// The extents; empty for a scalar.
  public let dims: [Int]
  /// The product of the extents, known not to overflow.
  public let count: Int

  /// Takes extents as they come from a file.
  /// - Throws: `.shape` when one is negative or their product overflows `Int`.
  public init(checking dims: [Int]) throws(IngotError) {
    guard let count = Shape.product(dims) else {
      throw IngotError(.shape, "impossible shape \(Shape.text(dims))")
    }
    (self.dims, self.count) = (dims, count)
  }

  /// Takes extents known to be sane.
  /// - Precondition: none is negative and their product fits `Int`.
  public init(_ dims: [Int]) {
    guard let count = Shape.product(dims) else {
      preconditionFailure("impossible shape \(Shape.text(dims))")
    }
    (self.dims, self.count) = (dims, count)
  }

  /// Number of dimensions.
  public var rank: Int { dims.count }

  /// The extent at an index.
  public subscript(index: Int) -> Int { dims[index] }

  private static func product(_ dims: [Int]) -> Int? {
    var product = 1
    var hasZero = false
    for dim in dims {
      guard dim >= 0 else { return nil }
      if dim == 0 { hasZero = true; continue }
      let (next, overflow) = product.multipliedReportingOverflow(by: dim)
      // Eight bytes is the widest element: the byte count must fit as well.
      guard !overflow, next <= Int.max / 8 else { return nil }
      product = next
    }
    return hasZero ? 0 : product
  }

  private static func text(_ dims: [Int]) -> String {
    "[" + dims.map(String.init).joined(separator: ", ") + "]"
  }
}

extension Shape: ExpressibleByArrayLiteral {
  /// Makes a shape from literal extents.
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension Shape: CustomStringConvertible {
  /// The extents in brackets, as `[2, 3]`.
  public var description: String { Shape.text(dims) }
}
