internal import Checkpoints
internal import Generation
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The way of a model that is loaded whole through windows of tokens, a piece of scored positions at a time.
struct WindowReader: WindowLogits {
  let model: any LanguageModel
  let windows: EvaluationWindows
  var vocabSize: Int { model.config.vocabSize }
  private let sequence: any ModelSequence

  /// - Throws: `.argument` for a model whose vocabulary or context is too small; errors of the model.
  init(_ model: any LanguageModel, _ windows: EvaluationWindows) throws(IngotError) {
    (self.model, self.windows) = (model, windows)
    guard windows.length - 1 <= model.contextLength else {
      throw IngotError(
        .argument, "a window of \(windows.length) tokens does not fit the context of \(model.contextLength)")
    }
    try windows.check(vocabSize: model.config.vocabSize)
    sequence = try model.makeSequence(plannedLength: windows.length)
  }

  /// Feeds the unscored half of a window.
  func begin(_ window: Int) throws(IngotError) {
    sequence.truncate(to: 0)
    let head = Array(windows.inputs(window)[..<windows.firstScored])
    try model.forward([ModelInput(sequence, head, logits: .none)]) { _, _, _ in }
  }

  /// Feeds the next scored positions and shows their logits.
  func read(
    _ window: Int, _ range: Range<Int>,
    _ body: (_ scored: Int, _ logits: UnsafeBufferPointer<Float>) throws(IngotError) -> Void
  ) throws(IngotError) {
    let first = windows.firstScored
    let ids = Array(windows.inputs(window)[(first + range.lowerBound)..<(first + range.upperBound)])
    var failure: IngotError?
    try model.forward([ModelInput(sequence, ids, logits: .all)]) { _, position, logits in
      guard failure == nil else { return }
      do throws(IngotError) { try body(range.lowerBound + position, logits) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

/// A row of logits with what turns it into probabilities.
struct LogRow {
  let logits: UnsafeBufferPointer<Float>
  let maximum: Float
  /// Σ e^(logit - maximum).
  let sum: Double
  /// The index of the maximum, the first of equals.
  let likeliest: Int

  /// - Throws: `.format` where a logit is NaN or none is finite.
  init(_ logits: UnsafeBufferPointer<Float>, window: Int, scored: Int) throws(IngotError) {
    self.logits = logits
    maximum = Softmax.maximum(logits)
    sum = Softmax.sum(logits, maximum: maximum)
    guard maximum.isFinite, sum.isFinite else {
      throw IngotError(
        .format,
        "the model's logits are not numbers at the \(scored + 1)th scored token of window \(window + 1)")
    }
    likeliest = logits.firstIndex(of: maximum) ?? 0
  }

  /// ln Σ e^logit.
  var logSum: Double { Double(maximum) + log(sum) }
  /// -ln p of a token.
  func surprise(_ token: Int) -> Double { logSum - Double(logits[token]) }
}
