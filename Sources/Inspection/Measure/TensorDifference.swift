/// How two tensors of one shape differ.
///
/// Elements that are equal do not differ, infinite ones included. A NaN on either side, or an infinity on one,
/// counts in `nonFinite` and makes the difference infinite: it is never agreement.
public struct TensorDifference: Sendable, Equatable {
  /// Elements compared.
  public private(set) var count = 0
  /// Elements that are NaN on either side, or infinite on one.
  public private(set) var nonFinite = 0
  /// The largest |a - b|.
  public private(set) var maxAbsolute = 0.0
  /// The largest finite |a|: what `maxAbsolute` is to be seen against.
  public private(set) var maxReference = 0.0
  private var sumAbsolute = 0.0
  private var sumSquares = 0.0
  private var sumAA = 0.0
  private var sumBB = 0.0
  private var sumAB = 0.0

  /// No elements yet.
  public init() {}

  /// The mean of |a - b|.
  public var meanAbsolute: Double { nonFinite > 0 ? .infinity : count == 0 ? 0 : sumAbsolute / Double(count) }
  /// The mean of (a - b)².
  public var meanSquared: Double { nonFinite > 0 ? .infinity : count == 0 ? 0 : sumSquares / Double(count) }
  /// The largest |a - b| as a part of the largest |a|.
  public var maxRelative: Double {
    maxAbsolute == 0 ? 0 : maxReference == 0 ? .infinity : maxAbsolute / maxReference
  }
  /// The cosine of the angle between the tensors as vectors: 1 for equal ones, also when all is zero; 0 when
  /// something is not finite.
  public var cosine: Double {
    if nonFinite > 0 { return 0 }
    if maxAbsolute == 0 { return 1 }
    let product = sumAA.squareRoot() * sumBB.squareRoot()
    // Rounding may end beyond 1.
    return product > 0 ? min(1, max(-1, sumAB / product)) : 0
  }

  /// Compares an element.
  @inline(__always)
  public mutating func add(_ a: Double, _ b: Double) {
    count += 1
    let difference = abs(a - b)
    if difference.isFinite {
      maxAbsolute = max(maxAbsolute, difference)
      maxReference = max(maxReference, abs(a))
      sumAbsolute += difference
      sumSquares += difference * difference
      sumAA += a * a
      sumBB += b * b
      sumAB += a * b
    } else if a != b {
      nonFinite += 1
      maxAbsolute = .infinity
    }
  }

  /// Compares elements pair by pair.
  /// - Precondition: they are as many.
  public mutating func add(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) {
    precondition(a.count == b.count)
    for index in 0..<a.count { add(Double(a[index]), Double(b[index])) }
  }

  /// Takes in what another has compared.
  public mutating func formUnion(_ other: TensorDifference) {
    count += other.count
    nonFinite += other.nonFinite
    maxAbsolute = max(maxAbsolute, other.maxAbsolute)
    maxReference = max(maxReference, other.maxReference)
    sumAbsolute += other.sumAbsolute
    sumSquares += other.sumSquares
    sumAA += other.sumAA
    sumBB += other.sumBB
    sumAB += other.sumAB
  }
}
