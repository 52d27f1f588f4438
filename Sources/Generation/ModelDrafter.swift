internal import Checkpoints
public import IngotCore

/// Drafts with a smaller model of the same vocabulary, always its likeliest token.
///
/// It keeps a sequence of its own: guesses that come true stay in its cache, others are forgotten.
/// Source: Leviathan, Kalman, Matias 2023, arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318.
public final class ModelDrafter: Drafter, @unchecked Sendable {
  /// The model that guesses.
  public let model: any LanguageModel
  /// A guess less probable than this ends the draft.
  public let minProbability: Double
  /// The probability that a guess must have by default: with less, the larger model would rather not check it.
  public static let defaultMinProbability = 0.75

  private var cache: CachedSequence?
  private var text: [Int] = []
  /// Whether the text has a token that the model lacks.
  private var isLost = false
  /// Tokens of a prompt between two looks at the cancellation.
  private static let chunkTokens = 512

  /// A drafter that knows no text yet.
  /// - Throws: `.argument` for a probability out of range.
  public init(
    _ model: any LanguageModel, minProbability: Double = defaultMinProbability
  ) throws(IngotError) {
    try Self.validate(minProbability: minProbability)
    (self.model, self.minProbability) = (model, minProbability)
  }

  /// Checks that a probability is one.
  /// - Throws: `.argument`.
  public static func validate(minProbability: Double) throws(IngotError) {
    guard minProbability >= 0, minProbability <= 1 else {
      throw IngotError(.argument, "draft-p-min is \(minProbability); it must be from 0 to 1")
    }
  }

  /// Begins a reply; see `Drafter`. Computes all of the prompt but its last token.
  public func begin(_ prompt: [Int], cancellation: Cancellation) throws(IngotError) {
    text = prompt
    isLost = prompt.contains { $0 >= model.config.vocabSize }
    guard !isLost, prompt.count <= model.contextLength else { return }
    if cache == nil { cache = try CachedSequence(model, plannedLength: model.contextLength) }
    guard let cache else { return }
    var done = cache.reuse(for: prompt)
    while done < prompt.count - 1, !cancellation.isCancelled {
      let end = min(done + Self.chunkTokens, prompt.count - 1)
      try cache.append(Array(prompt[done..<end]), to: model, logits: .none) { _, _ in }
      done = end
    }
  }

  /// Takes a token; see `Drafter`. Forgets guesses from where they differ.
  public func append(_ id: Int) {
    if id >= model.config.vocabSize { isLost = true }
    if let cache, text.count < cache.ids.count, cache.ids[text.count] != id {
      cache.truncate(to: text.count)
    }
    text.append(id)
  }

  /// The model's likeliest tokens as long as it is sure; see `Drafter`. None beyond its context.
  public func draft(atMost count: Int) throws(IngotError) -> [Int] {
    guard !isLost, let cache, !text.isEmpty else { return [] }
    // The last guess needs no place in the cache.
    let count = min(count, model.contextLength - text.count + 1)
    guard count > 0 else { return [] }
    // The logits of the last token are needed.
    cache.truncate(to: min(cache.ids.count, text.count - 1))
    var draft: [Int] = []
    var new = Array(text[cache.ids.count...])
    while draft.count < count {
      var guess: Int?
      try cache.append(new, to: model, logits: .last) { _, logits in guess = likeliest(logits) }
      guard let guess else { break }
      draft.append(guess)
      new = [guess]
    }
    return draft
  }

  /// The likeliest token, if it is likely enough. A logit that is not a number counts as impossible.
  private func likeliest(_ logits: UnsafeBufferPointer<Float>) -> Int? {
    var (best, highest) = (0, -Float.infinity)
    for (id, logit) in logits.enumerated() where logit > highest { (best, highest) = (id, logit) }
    guard highest.isFinite else { return nil }
    guard minProbability > 0 else { return best }
    let sum = Softmax.sum(UnsafeMutableBufferPointer(mutating: logits), maximum: highest)
    return 1 / sum >= minProbability ? best : nil
  }
}
