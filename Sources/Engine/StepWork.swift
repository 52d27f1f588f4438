/// What a step reads, writes and computes, counted from shapes and lengths.
public struct StepWork: Sendable, Equatable {
  /// Bytes of weights as they are packed; rows of an embedding table.
  public var weightBytes = 0
  /// Bytes of keys and values read and written, each token once per sequence that sees it.
  public var cacheBytes = 0
  /// Bytes of activations read and written.
  public var activationBytes = 0
  /// Operations of products with 8-bit arithmetic: 2·m·n·k.
  public var int8Products = 0
  /// Operations of products with 32-bit floats.
  public var floatProducts = 0
  /// Other operations: attention by the tokens each query sees, and a few per element of the rest.
  public var otherOperations = 0

  /// No work.
  public init() {}

  /// All bytes.
  public var bytes: Int { weightBytes + cacheBytes + activationBytes }
  /// All operations.
  public var operations: Int { int8Products + floatProducts + otherOperations }

  /// Adds up.
  public static func += (a: inout StepWork, b: StepWork) {
    a.weightBytes += b.weightBytes
    a.cacheBytes += b.cacheBytes
    a.activationBytes += b.activationBytes
    a.int8Products += b.int8Products
    a.floatProducts += b.floatProducts
    a.otherOperations += b.otherOperations
  }

  /// The same, so many times.
  public static func * (a: StepWork, count: Int) -> StepWork {
    var work = a
    work.weightBytes *= count
    work.cacheBytes *= count
    work.activationBytes *= count
    work.int8Products *= count
    work.floatProducts *= count
    work.otherOperations *= count
    return work
  }

  /// Seconds the machine would need at its limits, for the bytes and for the operations.
  /// - Parameter productsOnly: leaves activations and all but matrix products out.
  public func secondsAtBest(
    _ limits: MachineLimits, productsOnly: Bool = false
  ) -> (reading: Double, computing: Double) {
    let bytes = productsOnly ? weightBytes + cacheBytes : bytes
    let floats = productsOnly ? floatProducts : floatProducts + otherOperations
    let computing =
      Double(int8Products) / limits.int8Operations + Double(floats) / limits.floatOperations
    return (Double(bytes) / limits.readBandwidth, computing)
  }
}

/// The fraction of the machine's limit that some work reached, and which limit is the nearer one.
public struct LimitFraction: Sendable, Equatable {
  /// What bounds the work.
  public enum Bound: String, Sendable {
    /// Reading memory.
    case read
    /// Products of 8-bit integers.
    case int8
    /// 32-bit floats.
    case f32
  }
  /// 1 is the limit. Above it when what was counted as read came from a cache.
  public var fraction: Double
  /// The limit meant.
  public var bound: Bound

  /// Takes both.
  public init(fraction: Double, bound: Bound) { (self.fraction, self.bound) = (fraction, bound) }

  /// The larger of both fractions for work that took some seconds; nil where nothing is known.
  public init?(
    _ work: StepWork, seconds: Double, limits: MachineLimits, productsOnly: Bool = false
  ) {
    let best = work.secondsAtBest(limits, productsOnly: productsOnly)
    let isReading = best.reading >= best.computing
    fraction = (isReading ? best.reading : best.computing) / seconds
    bound = isReading ? .read : work.int8Products > 0 ? .int8 : .f32
    guard seconds > 0, fraction.isFinite, fraction > 0 else { return nil }
  }

  /// As `81% read`.
  public var text: String { "\(Int((min(fraction, 1e6) * 100).rounded()))% \(bound.rawValue)" }
}
