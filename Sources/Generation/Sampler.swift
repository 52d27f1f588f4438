public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Draws tokens from logits, one after another.
///
/// Work per token is linear in the vocabulary; nothing is sorted as a whole. Of 150,000 tokens a draw takes
/// about 0.1 ms with the default options, and up to 3 ms without top-k where all are about as likely.
public struct Sampler: Sendable {
  /// What it was made with.
  public let options: SamplingOptions
  /// The seed in use, drawn at random where the options give none.
  public let seed: UInt64
  private var random: RandomGenerator
  private var window: PenaltyWindow
  private var scratch: [Float] = []
  private var pool = CandidatePool()

  /// Above this many, a selection is cheaper than a heap.
  private static let largestHeap = 256

  /// Makes a sampler.
  /// - Throws: `.argument` for options out of range.
  public init(_ options: SamplingOptions) throws(IngotError) {
    try options.validate()
    self.options = options
    seed = options.seed ?? UInt64.random(in: .min ... .max)
    random = RandomGenerator(seed: seed)
    window = PenaltyWindow(lastN: options.penalizes ? options.repeatLastN : 0)
  }

  /// Makes tokens known to the penalties: those of the prompt, then each one drawn.
  public mutating func accept(_ ids: some Sequence<Int>) {
    guard options.penalizes else { return }
    for id in ids { window.append(id) }
  }

  /// Makes a token known to the penalties.
  public mutating func accept(_ id: Int) { accept(CollectionOfOne(id)) }

  /// Draws a token. A logit that is not a number counts as impossible.
  /// - Parameter logits: `[vocab]`.
  /// - Throws: `.format` when no token is possible.
  public mutating func sample(_ logits: UnsafeBufferPointer<Float>) throws(IngotError) -> Int {
    if scratch.count != logits.count { scratch = [Float](repeating: 0, count: logits.count) }
    let drawn = scratch.withUnsafeMutableBufferPointer { values -> Int? in
      for index in logits.indices {
        let logit = logits[index]
        values[index] = logit == logit ? min(logit, .greatestFiniteMagnitude) : -.infinity
      }
      window.apply(options, to: values)
      let maximum = Softmax.maximum(values)
      guard maximum > -.infinity else { return nil }
      if options.temperature == 0 { return values.firstIndex(of: maximum) }
      if options.method == .penaltyHead {
        return PenaltyHead(values, options, &pool).draw(&random)
      }
      return Self.draw(values, maximum, options, &pool, &random)
    }
    guard let drawn else {
      throw IngotError(
        .format, "the model's logits are not numbers", hint: "its weights may be damaged; fetch them again")
    }
    return drawn
  }

  private static func draw(
    _ logits: UnsafeMutableBufferPointer<Float>, _ maximum: Float, _ options: SamplingOptions,
    _ pool: inout CandidatePool, _ random: inout RandomGenerator
  ) -> Int {
    let cutoff = options.minP > 0 ? maximum + logf(Float(options.minP)) : -.infinity
    func weight(_ candidate: Candidate) -> Double {
      Double(Softmax.exponential(candidate.logit - maximum))
    }
    if options.topK > 0 && options.topK < logits.count {
      if options.topK <= largestHeap {
        pool.fill(withBest: options.topK, of: logits)
      } else {
        pool.fill(atLeast: -.infinity, of: logits)
        pool.keepBest(reaching: Double(options.topK)) { _ in 1 }
      }
      if options.topP < 1 {
        pool.keepBest(reaching: options.topP * pool.sum(weight), weight: weight)
      }
    } else if options.topP < 1 {
      let needed = options.topP * Softmax.sum(logits, maximum: maximum)
      // Tokens far below the best hardly count: look among ever more of them.
      for distance: Float in [3, 6, 12, .infinity] {
        pool.fill(atLeast: maximum - distance, of: logits)
        if distance < .infinity, pool.sum(weight) < needed { continue }
        break
      }
      pool.keepBest(reaching: needed, weight: weight)
    } else {
      pool.fill(atLeast: cutoff, of: logits)
    }
    // An infinite scale would make no number of the best logit's distance 0.
    let scale = Float(min(1 / options.temperature, 1e30))
    return draw(pool, maximum, cutoff, scale, &random)
  }

  /// Draws among candidates whose logit is at least `cutoff`.
  private static func draw(
    _ pool: CandidatePool, _ maximum: Float, _ cutoff: Float, _ scale: Float,
    _ random: inout RandomGenerator
  ) -> Int {
    func weight(_ candidate: Candidate) -> Double {
      candidate.logit < cutoff ? 0 : Double(Softmax.exponential((candidate.logit - maximum) * scale))
    }
    var rest = random.unit() * pool.sum(weight)
    var last = 0
    for candidate in pool.candidates {
      let weight = weight(candidate)
      guard weight > 0 else { continue }
      last = Int(candidate.id)
      rest -= weight
      if rest < 0 { break }
    }
    return last
  }
}
