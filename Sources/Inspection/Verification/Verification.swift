internal import Checkpoints
public import Generation
public import IngotCore

/// Runs two back ends on the same tokens, side by side, and measures how they differ.
///
/// Prefills of several lengths, one of them in pieces, then tokens decoded with a filled cache. The tokens decoded
/// are those the reference finds likeliest, for both, so that one early difference does not make all that follows
/// incomparable.
public struct Verification {
  /// The back end that is right.
  public let reference: any LanguageModel
  /// The back end in question.
  public let candidate: any LanguageModel
  /// What is run.
  public var options: Options

  /// Pairs two back ends of one model.
  public init(reference: any LanguageModel, candidate: any LanguageModel, options: Options = Options()) {
    (self.reference, self.candidate, self.options) = (reference, candidate, options)
  }

  /// Runs all cases.
  /// - Parameter onProgress: called with the tokens done and those to do.
  /// - Throws: `.argument` for back ends of different vocabularies and for options out of range, `.limit` when
  ///   nothing fits; what the back ends throw.
  public func run(
    onProgress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(IngotError) -> VerificationReport {
    let vocabSize = reference.config.vocabSize
    guard candidate.config.vocabSize == vocabSize else {
      throw IngotError(
        .argument,
        "vocabularies of \(vocabSize) and \(candidate.config.vocabSize) tokens: these are different models")
    }
    try validate(vocabSize: vocabSize)
    let limit = min(reference.contextLength, candidate.contextLength)
    var (cases, notes) = options.cases(limit: limit, vocabSize: vocabSize)
    guard !cases.isEmpty else {
      throw IngotError(
        .limit, "none of the sequences fits: the back ends hold \(limit) tokens",
        hint: "use shorter prompts or --lengths")
    }
    let total = cases.reduce(0) { $0 + $1.tokens.count + $1.steps }
    var done = 0
    var report = VerificationReport()
    for plan in cases {
      var run = try CaseRun(self, plan)
      try run.run { count in
        done += count
        onProgress(done, total)
      }
      report.cases.append(run.result)
      report.layers += run.layers
      notes += run.notes.filter { !notes.contains($0) }
    }
    report.notes = notes
    return report
  }

  private func validate(vocabSize: Int) throws(IngotError) {
    guard options.steps >= 0 else {
      throw IngotError(.argument, "the number of steps is \(options.steps); it must be at least 0")
    }
    if let lengths = options.lengths, let wrong = lengths.first(where: { $0 < 1 }) {
      throw IngotError(.argument, "a length is \(wrong); it must be at least 1")
    }
    for prompt in options.prompts {
      guard !prompt.isEmpty else { throw IngotError(.argument, "a prompt has no tokens") }
      if let wrong = prompt.first(where: { $0 < 0 || $0 >= vocabSize }) {
        throw IngotError(.argument, "token id \(wrong) is outside the vocabulary of \(vocabSize)")
      }
    }
  }
}
