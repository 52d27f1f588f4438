/// Measurements of one thing.
public struct Samples: Sendable, Equatable {
  /// In the order they were taken.
  public var values: [Double]

  /// Takes measurements.
  public init(_ values: [Double] = []) { self.values = values }

  /// Their mean; 0 of none.
  public var mean: Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }

  /// Their standard deviation, with divisor n − 1; 0 of fewer than two.
  public var deviation: Double {
    guard values.count > 1 else { return 0 }
    let mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }

  /// Their median; 0 of none.
  public var median: Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// As `1188.22 ± 20.01`.
  public var meanText: String {
    "\(NumberText.fixed(mean, digits: 2)) ± \(NumberText.fixed(deviation, digits: 2))"
  }

  /// As `1188 (927–1248)`: the median and the range.
  public var medianText: String {
    let digits = median < 100 ? 1 : 0
    func text(_ value: Double) -> String { NumberText.fixed(value, digits: digits) }
    return "\(text(median)) (\(text(values.min() ?? 0))–\(text(values.max() ?? 0)))"
  }
}
