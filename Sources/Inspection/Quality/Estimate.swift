public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A number known from a sample, with its standard error.
public struct Estimate: Sendable, Equatable {
  /// The number.
  public var value: Double
  /// Its standard error.
  public var error: Double

  /// Pairs a number with its error.
  public init(_ value: Double, error: Double) { (self.value, self.error) = (value, error) }

  /// The mean of some numbers; its error is 0 for fewer than two.
  init(meanOf values: [Double]) {
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    self.init(mean, error: Self.covariance(values, mean, values, mean).squareRoot())
  }

  /// The covariance of the means of two samples of pairs.
  static func covariance(_ a: [Double], _ meanA: Double, _ b: [Double], _ meanB: Double) -> Double {
    guard a.count > 1, a.count == b.count else { return 0 }
    var sum = 0.0
    for index in a.indices { sum += (a[index] - meanA) * (b[index] - meanB) }
    return sum / Double(a.count) / Double(a.count - 1)
  }

  /// e to this number.
  var exponential: Estimate { Estimate(exp(value), error: exp(value) * error) }

  /// As `{"value": …, "error": …}`.
  public var json: JSONValue {
    .object(JSONObject([.init("value", .double(value)), .init("error", .double(error))]))
  }
}

/// Where the values of a sample lie.
public struct Distribution: Sendable, Equatable {
  /// The mean.
  public var mean: Estimate
  /// The values that these parts of the sample do not exceed, by interpolation between neighbours.
  public private(set) var quantiles: [Double]

  /// The parts, largest first: the whole, 99.9 %, … 0.1 %, and the smallest value.
  public static let fractions = [
    1, 0.999, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001, 0,
  ]

  init(_ values: [Double]) {
    mean = Estimate(meanOf: values)
    let sorted = values.sorted()
    quantiles = Self.fractions.map { fraction in
      guard let last = sorted.indices.last else { return 0 }
      let place = fraction * Double(last)
      let low = Int(place)
      return sorted[low] + (place - Double(low)) * (sorted[min(low + 1, last)] - sorted[low])
    }
  }

  /// The value at one of `fractions`.
  public func quantile(_ fraction: Double) -> Double? {
    Self.fractions.firstIndex(of: fraction).map { quantiles[$0] }
  }

  /// The largest value.
  public var maximum: Double { quantiles[0] }
  /// The value in the middle.
  public var median: Double { quantiles[6] }
  /// The smallest value.
  public var minimum: Double { quantiles[Self.fractions.count - 1] }

  /// As `{"mean": …, "error": …, "max": …, "p99.9": …, … "min": …}`.
  public var json: JSONValue {
    var object = JSONObject([.init("mean", .double(mean.value)), .init("error", .double(mean.error))])
    for (fraction, value) in zip(Self.fractions, quantiles) {
      object[Self.key(fraction)] = .double(value)
    }
    return .object(object)
  }

  private static func key(_ fraction: Double) -> String {
    switch fraction {
    case 1: "max"
    case 0.5: "median"
    case 0: "min"
    // In thousandths, as 99.9 and 1.
    case let part:
      Int((part * 1000).rounded()) % 10 == 0
        ? "p\(Int((part * 100).rounded()))" : "p\(Double(Int((part * 1000).rounded())) / 10)"
    }
  }
}
