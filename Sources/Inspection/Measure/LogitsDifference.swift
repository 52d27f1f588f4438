#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How two back ends' opinions on the next token differ, over rows of logits: A is the reference.
public struct LogitsDifference: Sendable, Equatable {
  /// Rows compared.
  public private(set) var rows = 0
  /// Rows whose likeliest token is the same.
  public private(set) var agreeing = 0
  /// The elements.
  public private(set) var values = TensorDifference()
  /// The smallest cosine of a row.
  public private(set) var minCosine = 1.0
  /// The largest KL(A‖B) of a row, in nats.
  public private(set) var maxKL = 0.0
  private var sumKL = 0.0

  /// No rows yet.
  public init() {}

  /// The part of rows whose likeliest token is the same.
  public var top1: Double { rows == 0 ? 1 : Double(agreeing) / Double(rows) }
  /// The mean of the rows' KL(A‖B), in nats.
  public var meanKL: Double { rows == 0 ? 0 : sumKL / Double(rows) }

  /// Compares a row.
  /// - Precondition: both have one length.
  public mutating func add(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) {
    var row = TensorDifference()
    row.add(a, b)
    rows += 1
    values.formUnion(row)
    minCosine = min(minCosine, row.cosine)
    let kl = row.nonFinite > 0 ? .infinity : Self.divergence(a, b)
    sumKL += kl
    maxKL = max(maxKL, kl)
    if row.nonFinite == 0, Self.likeliest(a) == Self.likeliest(b) { agreeing += 1 }
  }

  /// Takes in what another has compared.
  public mutating func formUnion(_ other: LogitsDifference) {
    rows += other.rows
    agreeing += other.agreeing
    values.formUnion(other.values)
    minCosine = min(minCosine, other.minCosine)
    maxKL = max(maxKL, other.maxKL)
    sumKL += other.sumKL
  }

  /// Index of the largest, the first of equals; of none, 0.
  static func likeliest(_ row: UnsafeBufferPointer<Float>) -> Int {
    var best = 0
    for index in 0..<row.count where row[index] > row[best] { best = index }
    return best
  }

  /// Σ p (ln p - ln q) with p and q the softmax of a and b.
  private static func divergence(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) -> Double {
    guard !a.isEmpty else { return 0 }
    let (topA, topB) = (Double(a[likeliest(a)]), Double(b[likeliest(b)]))
    // All tokens excluded: there is no distribution.
    guard topA.isFinite, topB.isFinite else { return .infinity }
    var (sumA, sumB, weighted) = (0.0, 0.0, 0.0)
    for index in 0..<a.count {
      let (x, y) = (Double(a[index]) - topA, Double(b[index]) - topB)
      let weight = exp(x)
      sumA += weight
      sumB += exp(y)
      // A token of no probability adds nothing, whatever the other thinks.
      if weight > 0 { weighted += weight * (x - y) }
    }
    // Rounding may end below zero.
    return max(0, weighted / sumA - log(sumA) + log(sumB))
  }
}
