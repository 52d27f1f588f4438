#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The last steps of a compiled model with a sampling head: the likeliest tokens in order and their probabilities.
///
/// Logits, in which recent tokens' are already divided by the penalty where positive and multiplied where negative; the
/// 50 largest, sorted; divided by the temperature; their softmax, summed from the first on; where the sum is below
/// top-p, and for the first 5, a value is kept, others become -1000; the softmax of that. All in 32-bit floats, in
/// this order, as the head computes it.
package struct PenaltyHead {
  /// Tokens that are never filtered out.
  static let keptTokens = 5
  /// The most that `topK` may be.
  static let mostTokens = 1000
  private static let filtered: Float = -1000

  /// The tokens, the likeliest first.
  package let ids: [Int]
  /// Their probabilities.
  package let probabilities: [Float]

  /// - Parameters:
  ///   - logits: after the penalty, none of them NaN or +∞.
  ///   - pool: memory to work in.
  init(
    _ logits: UnsafeMutableBufferPointer<Float>, _ options: SamplingOptions, _ pool: inout CandidatePool
  ) {
    pool.fill(withBest: min(options.topK, logits.count), of: logits)
    let best = pool.candidates.sorted { $0.precedes($1) }
    let temperature = Float(options.temperature)
    var values = best.map { max($0.logit / temperature, -.greatestFiniteMagnitude) }
    if values.contains(where: { !$0.isFinite }) {
      // A temperature so small that only differences can be told.
      values = best.map { $0.logit == best[0].logit ? 0 : Self.filtered }
    }
    var sum: Float = 0
    for (index, probability) in Self.softmax(values).enumerated() {
      sum += probability
      if index >= Self.keptTokens, sum >= Float(options.topP) { values[index] = Self.filtered }
    }
    ids = best.map { Int($0.id) }
    probabilities = Self.softmax(values)
  }

  /// For logits in which recent tokens are not lowered yet.
  package init(_ logits: [Float], recent: some Sequence<Int>, _ options: SamplingOptions) {
    var (logits, pool) = (logits, CandidatePool())
    var window = PenaltyWindow(lastN: options.repeatLastN)
    for id in recent { window.append(id) }
    self = logits.withUnsafeMutableBufferPointer { values in
      window.apply(options, to: values)
      return PenaltyHead(values, options, &pool)
    }
  }

  /// Draws one of the tokens.
  func draw(_ random: inout RandomGenerator) -> Int {
    var rest = random.unit() * probabilities.reduce(0) { $0 + Double($1) }
    for (id, probability) in zip(ids, probabilities) {
      rest -= Double(probability)
      if rest < 0 { return id }
    }
    return ids.first ?? 0
  }

  private static func softmax(_ values: [Float]) -> [Float] {
    let maximum = values.max() ?? 0
    let weights = values.map { expf($0 - maximum) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }
}
