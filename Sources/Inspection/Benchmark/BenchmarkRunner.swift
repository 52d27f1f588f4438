internal import Checkpoints
internal import Engine
public import Generation
public import IngotCore

/// Times tests on a model of any back end.
///
/// Tokens are random and the same for a seed. What is in the cache before a test is computed once and kept: each
/// repetition begins by forgetting what the one before appended.
public final class BenchmarkRunner {
  private let model: any LanguageModel
  private var random: RandomGenerator
  private var sequences: [any ModelSequence] = []

  /// Takes a model whose context holds the tests.
  public init(_ model: any LanguageModel, seed: UInt64 = 0) {
    (self.model, random) = (model, RandomGenerator(seed: seed))
  }

  /// Fills the cache up to the test's depth.
  /// - Throws: errors of the model.
  public func prepare(_ test: BenchmarkTest) throws(IngotError) {
    while sequences.count < test.batch {
      sequences.append(try model.makeSequence(plannedLength: model.contextLength))
    }
    // One after another: a prompt of this length is what the model can surely take.
    for sequence in sequences.prefix(test.batch) {
      if sequence.count > test.depth { sequence.truncate(to: test.depth) }
      let missing = test.depth - sequence.count
      guard missing > 0 else { continue }
      try model.forward([ModelInput(sequence, tokens(missing), logits: .none)]) { _, _, _ in }
    }
  }

  /// Runs the prompt and one token once, so that memory and caches are as they will be.
  /// - Throws: errors of the model.
  public func warmUp(_ test: BenchmarkTest) throws(IngotError) {
    var short = test
    short.generate = min(1, test.generate)
    _ = try run(short)
  }

  /// Runs a test once.
  /// - Returns: the seconds it took; preparing is not in them.
  /// - Throws: errors of the model.
  public func run(_ test: BenchmarkTest) throws(IngotError) -> Double {
    try prepare(test)
    let sequences = sequences.prefix(test.batch)
    // Drawn beforehand: the time is the model's alone.
    let prompts = sequences.map { _ in tokens(test.prompt) }
    let generated = (0..<test.generate).map { _ in sequences.map { _ in tokens(1) } }
    let start = ContinuousClock.now
    if test.prompt > 0 { try feed(prompts) }
    for step in generated { try feed(step) }
    let seconds = (ContinuousClock.now - start).inSeconds
    for sequence in sequences { sequence.truncate(to: test.depth) }
    return seconds
  }

  private func feed(_ tokens: [[Int]]) throws(IngotError) {
    var rows = 0
    try model.forward(zip(sequences, tokens).map { ModelInput($0, $1) }) { _, _, _ in rows += 1 }
    guard rows == tokens.count else {
      throw IngotError(.limit, "the model gave logits of \(rows) sequences, not of \(tokens.count)")
    }
  }

  private func tokens(_ count: Int) -> [Int] {
    (0..<count).map { _ in Int.random(in: 0..<model.config.vocabSize, using: &random) }
  }
}

extension BenchmarkTest {
  /// How near to the machine's limit a time came: weights and cache read, or products computed, by whichever the
  /// machine needs longer for, in each forward.
  /// - Throws: errors of counting the work.
  func fraction(
    of seconds: Double, _ engine: DecoderEngine, _ limits: MachineLimits
  ) throws(IngotError) -> LimitFraction? {
    var forwards: [StepWork] = []
    func count(past: Int, new: Int) throws(IngotError) {
      let items = [DecoderEngine.PlannedItem](repeating: .init(past: past, new: new), count: batch)
      forwards.append(try engine.work(of: items))
    }
    if prompt > 0 { try count(past: depth, new: prompt) }
    for step in 0..<generate { try count(past: depth + prompt + step, new: 1) }
    var (best, times) = (0.0, [LimitFraction.Bound: Double]())
    for work in forwards {
      guard let forward = LimitFraction(work, seconds: 1, limits: limits, productsOnly: true) else {
        continue
      }
      best += forward.fraction
      times[forward.bound, default: 0] += forward.fraction
    }
    guard seconds > 0, let bound = times.max(by: { $0.value < $1.value })?.key else { return nil }
    return LimitFraction(fraction: best / seconds, bound: bound)
  }
}

extension Duration {
  /// The same as a number.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
