internal import Checkpoints
public import IngotCore
public import Tokenizers

/// Continues prompts token by token, on any model.
public struct Generator: Sendable {
  /// The model.
  public let model: any LanguageModel
  /// Turns ids into text; without one a reply has ids alone.
  public let tokenizer: Tokenizer?
  /// Tokens that end a reply: those that configuration and tokenizer name.
  public let eosIDs: Set<Int>

  /// Pairs a model with its tokenizer.
  public init(_ model: any LanguageModel, tokenizer: Tokenizer? = nil) {
    (self.model, self.tokenizer) = (model, tokenizer)
    eosIDs = Set(model.config.eosTokenIDs).union(tokenizer?.eosIDs ?? [])
  }

  /// Continues a prompt. Blocks; call it on a long-lived thread, or use `stream`.
  /// - Parameters:
  ///   - prompt: all its ids, at least one.
  ///   - cache: a sequence to continue where it agrees with the prompt; nil for a new one.
  ///   - drafter: guesses what the model then checks, several tokens in one forward; nil for none. The reply is the
  ///     same.
  ///   - cancellation: ends the reply at the next token, or between two pieces of the prompt.
  ///   - onEvent: called on this thread as the reply grows.
  /// - Throws: `.argument` for options out of range and ids outside the vocabulary, `.limit` for a prompt
  ///   that does not fit in the context.
  public func generate(
    prompt: [Int], options: GenerationOptions = GenerationOptions(), cache: CachedSequence? = nil,
    drafter: (any Drafter)? = nil, cancellation: Cancellation = Cancellation(),
    onEvent: (GenerationEvent) -> Void = { _ in }
  ) throws(IngotError) -> GenerationResult {
    try check(prompt, options, room: cache?.room(in: model) ?? model.contextLength)
    let planned = min(model.contextLength, saturatingSum(prompt.count, options.maxTokens ?? .max))
    let sequence: CachedSequence
    if let cache { sequence = cache } else { sequence = try CachedSequence(model, plannedLength: planned) }
    var run = try GenerationRun(self, prompt, options, sequence, drafter, cancellation)
    let result = try run.run(onEvent)
    onEvent(.finished(result))
    return result
  }

  private func check(_ prompt: [Int], _ options: GenerationOptions, room: Int) throws(IngotError) {
    try options.validate()
    guard !prompt.isEmpty else { throw IngotError(.argument, "the prompt has no tokens") }
    guard prompt.count <= room else {
      throw IngotError(
        .limit, "the prompt has \(prompt.count) tokens; the context holds \(room)",
        hint: "use a larger context (-c) or a shorter prompt")
    }
    try checkVocabulary(prompt)
    guard options.stopStrings.isEmpty || tokenizer != nil else {
      throw IngotError(.argument, "stop strings need a tokenizer, and the model has none")
    }
  }

  /// - Throws: `.argument` for ids that the model does not have.
  func checkVocabulary(_ ids: [Int]) throws(IngotError) {
    let size = model.config.vocabSize
    for id in ids where id < 0 || id >= size {
      throw IngotError(.argument, "token id \(id) is outside the vocabulary of \(size)")
    }
  }
}

/// a + b, at most `Int.max`.
private func saturatingSum(_ a: Int, _ b: Int) -> Int {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
