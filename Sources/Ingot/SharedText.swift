public import Artifact
public import Generation
public import IngotCore

/// A text that is computed once, and any number of questions about it: a `SharedSession` in words instead of tokens.
///
///     let model = try TextModel("qwen3.ingot")
///     let text = try model.share("Ingots are cast from molten metal …")
///     print(try text.ask("What is cast?").text)
///     for try await event in text.stream("And of what?") {
///       if case .text(let piece) = event { print(piece, terminator: "") }
///     }
///
/// Answers are those of the whole prompt without sharing, bit for bit. Each question begins behind the text again and
/// knows nothing of the one before; for a conversation use `ChatSession`. Of a compiled file's sets of stages the
/// smallest that holds text, question and answer serves a question; the text moves there without being computed again.
///
/// Questions wait for each other; to ask several at once, `fork`. Callbacks must not use the text.
public final class SharedText: Sendable {
  /// The model that answers.
  public let model: TextModel
  /// The text as tokens, and where it stands in the prompt.
  public let prompt: SharedPrompt
  /// What computing it took.
  public let shared: SharedPrefix
  private let sets: [StageSet]
  private let session: Locked<SharedSession>

  init(
    _ model: TextModel, _ prompt: SharedPrompt, _ shared: SharedPrefix, _ sets: [StageSet],
    _ session: SharedSession
  ) {
    (self.model, self.prompt, self.shared, self.sets) = (model, prompt, shared, sets)
    self.session = Locked(session)
  }

  /// The set of stages that served the last question.
  public var set: StageSet { session.withLock { $0.set } }

  /// Tokens in the cache: the text, the last question and its answer; 0 after `free`.
  public var tokens: Int { session.withLock { $0.tokens } }

  /// Answers a question about the text. Blocks; `stream` does not.
  ///
  /// The set is chosen to hold `options.maxTokens` of an answer; without that, any that holds the question.
  /// - Returns: the answer; it ends with `.contextFull` when the set's slots are full.
  /// - Throws: `.argument` for options out of range, an empty question, and after `free`; `.limit` for a question
  ///   that no set takes, or a full cache; `.template`, `.tokenizer`.
  public func ask(
    _ question: String, options: GenerationOptions = GenerationOptions(),
    cancellation: Cancellation = Cancellation(), onEvent: (GenerationEvent) -> Void = { _ in }
  ) throws(IngotError) -> GenerationResult {
    let ids = try prompt.question(question)
    return try session.withLock { (session) throws(IngotError) in
      let count = session.sharedTokens ?? 0
      let choice = sets.choice(shared: count, question: ids.count, answer: options.maxTokens ?? 1)
      if count > 0, let choice, choice != session.set {
        let moved = try session.reuse(in: choice)
        session.free()
        session = moved
      }
      return try session.ask(ids, options: options, cancellation: cancellation, onEvent: onEvent)
    }
  }

  /// Answers a question on the model's engine thread; errors as of `ask`. Whoever stops reading ends the answer.
  public func stream(
    _ question: String, options: GenerationOptions = GenerationOptions()
  ) -> GenerationStream {
    do throws(IngotError) {
      return .running(on: try model.engineThread()) { (cancellation, onEvent) throws(IngotError) in
        _ = try self.ask(question, options: options, cancellation: cancellation, onEvent: onEvent)
      }
    } catch {
      return GenerationStream { $0.finish(throwing: error) }
    }
  }

  /// The same text once more, to ask independently of this one. Both share the text's memory; their questions and
  /// answers take room in the cache beside each other (`TextModel.Options.sequences`).
  public func fork() -> SharedText {
    SharedText(model, prompt, shared, sets, session.withLock { $0.fork() })
  }

  /// Forgets the last question and its answer; the next question would do that too.
  public func rollback() { session.withLock { $0.rollback() } }

  /// Gives the text's memory back; then no more questions can be asked.
  public func free() { session.withLock { $0.free() } }

  /// Switches to another model of the same weights, as a file compiled for other lengths, without computing the text
  /// again. This one keeps its memory until `free`.
  /// - Throws: `.argument` for a model of other weights or another kind of cache, and after `free`; `.limit` for one
  ///   whose sets are too small for the text.
  public func reuse(on other: TextModel) throws(IngotError) -> SharedText {
    let sets = try other.sharingSets(for: prompt.prefix.count)
    let set = try sets.first(shared: prompt.prefix.count)
    let moved = try session.withLock { (session) throws(IngotError) in
      try session.reuse(in: set, on: other.generator)
    }
    return SharedText(other, prompt, shared, sets, moved)
  }
}
