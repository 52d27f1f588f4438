public import Artifact
public import IngotCore

/// A prefix that is computed once, and any number of questions that continue it.
///
/// Keys and values of one sequence lie in a buffer of `set.total` slots: the prefix from slot 0, a question right behind
/// the prefix's last token, its reply behind that. The next question starts again behind the prefix, whose rows are
/// neither copied nor touched. Replies are what the same tokens lead to without sharing, bit for bit, on back ends
/// whose logits do not depend on how a text is cut into forwards; the engine promises that.
///
/// Questions wait for each other; to ask several at once, `fork`. Callbacks must not use the session.
public final class SharedSession: Sendable {
  /// The lengths in force.
  public let set: StageSet
  /// Model and tokenizer.
  public let generator: Generator
  /// What rotary tables that depend on the length were chosen by.
  public let plannedLength: Int
  private let state: Locked<State>

  private struct State {
    var cache: CachedSequence?
    /// Tokens of the prefix; nil when there is none.
    var shared: Int?
  }

  /// A session that shares nothing yet.
  /// - Parameter plannedLength: chooses rotary tables where they depend on the length (dynamic, longrope): at least
  ///   the longest total of all sets that the prefix may move to; nil for this set's.
  /// - Throws: `.limit` for a set that the model's context does not hold, `.argument` for a planned length below the
  ///   set's total or beyond the context.
  public convenience init(
    _ generator: Generator, _ set: StageSet, plannedLength: Int? = nil
  ) throws(IngotError) {
    let planned = plannedLength ?? set.total
    try Self.check(set, generator.model)
    guard planned >= set.total, planned <= generator.model.contextLength else {
      throw IngotError(
        .argument,
        "a planned length of \(planned) tokens; it must be from the set's \(set.total) to the context's "
          + "\(generator.model.contextLength)")
    }
    self.init(generator, set, planned, State(shared: set.share == 0 ? 0 : nil))
  }

  private init(_ generator: Generator, _ set: StageSet, _ plannedLength: Int, _ state: State) {
    (self.generator, self.set, self.plannedLength) = (generator, set, plannedLength)
    self.state = Locked(state)
  }

  /// Tokens of the prefix; nil as long as none is shared, 0 in a set that shares nothing.
  public var sharedTokens: Int? { state.withLock { $0.shared } }
  /// Tokens in the cache: the prefix, the last question and its reply.
  public var tokens: Int { state.withLock { $0.cache?.sequence.count ?? 0 } }

  // MARK: The prefix

  /// Computes a prefix, which takes the place of an earlier one.
  /// - Parameters:
  ///   - known: a sequence of this model and planned length that may begin like the prefix, as from a prompt cache.
  ///   - prefixes: looked through for a beginning of the prefix, and given the whole of it; nil for none.
  ///   - chunkTokens: tokens between two looks at the cancellation.
  /// - Returns: what was done; nil when it was cancelled, and then nothing is shared.
  /// - Throws: `.argument` for no tokens, a set that shares nothing, and ids outside the vocabulary; `.limit` for more
  ///   than the set's share, or a full cache. Then nothing is shared.
  @discardableResult
  public func share(
    _ prefix: [Int], known: CachedSequence? = nil, prefixes: PrefixCache? = nil, chunkTokens: Int = 512,
    cancellation: Cancellation = Cancellation()
  ) throws(IngotError) -> SharedPrefix? {
    try checkPrefix(prefix)
    return try state.withLock { (state) throws(IngotError) in
      let begin = ContinuousClock.now
      state = State()
      let cache = try start(prefix, known, prefixes)
      let cached = cache.ids.count
      while cache.ids.count < prefix.count {
        if cancellation.isCancelled { return nil }
        let piece = prefix[cache.ids.count..<min(cache.ids.count + max(1, chunkTokens), prefix.count)]
        try cache.append(Array(piece), to: generator.model, logits: .none) { _, _ in }
      }
      state = State(cache: cache, shared: prefix.count)
      if let prefixes, cached < prefix.count {
        try prefixes.insert(cache, plannedLength: plannedLength)
      }
      return SharedPrefix(
        tokens: prefix.count, cachedTokens: cached, seconds: begin.duration(to: .now).seconds)
    }
  }

  /// A sequence that begins the prefix: the longest that is known.
  private func start(
    _ prefix: [Int], _ known: CachedSequence?, _ prefixes: PrefixCache?
  ) throws(IngotError) -> CachedSequence {
    let common = known.map { known in zip(known.ids, prefix).prefix { $0 == $1 }.count } ?? 0
    if let prefixes {
      guard prefixes.model === generator.model else {
        throw IngotError(.argument, "the prefix cache is another model's")
      }
      if let found = try prefixes.lookUp(prefix, plannedLength: plannedLength), found.ids.count >= common {
        return found.fork(prefix: found.ids.count, capacity: set.total)
      }
    }
    if let known, common > 0 { return known.fork(prefix: common, capacity: set.total) }
    return try CachedSequence(generator.model, plannedLength: plannedLength, capacity: set.total)
  }

  private func checkPrefix(_ prefix: [Int]) throws(IngotError) {
    guard !prefix.isEmpty else { throw IngotError(.argument, "the shared text has no tokens") }
    guard set.share > 0 else {
      throw IngotError(
        .argument, "\(prefix.count) tokens are to be shared, and the set \(set) shares nothing",
        hint: "choose a set with a share length")
    }
    try set.check(shared: prefix.count)
    try generator.checkVocabulary(prefix)
  }

  // MARK: Questions

  /// Answers a question that follows the prefix. Its rows, and those of the reply, stay until the next one.
  /// - Parameters: as of `Generator.generate`.
  /// - Returns: the reply; it ends with `.contextFull` when the set's slots are full. `promptTokens` counts the prefix.
  /// - Throws: `.argument` for no tokens, ids outside the vocabulary, options out of range, and before a prefix is
  ///   shared in a set that has room for one; `.limit` for more than the set's unshare, or a full cache.
  public func ask(
    _ question: [Int], options: GenerationOptions = GenerationOptions(), drafter: (any Drafter)? = nil,
    cancellation: Cancellation = Cancellation(), onEvent: (GenerationEvent) -> Void = { _ in }
  ) throws(IngotError) -> GenerationResult {
    guard !question.isEmpty else { throw IngotError(.argument, "the question has no tokens") }
    try set.check(question: question.count)
    return try state.withLock { (state) throws(IngotError) in
      guard let shared = state.shared else {
        throw IngotError(
          .argument, "a question is asked before the text it follows is shared: at most \(set.share) tokens",
          hint: "share it first, or use a set whose share length is 0")
      }
      let cache: CachedSequence
      if let known = state.cache {
        cache = known
      } else {
        cache = try CachedSequence(generator.model, plannedLength: plannedLength, capacity: set.total)
        state.cache = cache
      }
      cache.truncate(to: shared)
      return try generator.generate(
        prompt: cache.ids + question, options: options, cache: cache, drafter: drafter,
        cancellation: cancellation, onEvent: onEvent)
    }
  }

  /// Answers a question on a thread of the engine's; parameters and errors as of `ask`.
  public func stream(
    _ question: [Int], options: GenerationOptions = GenerationOptions(), on thread: EngineThread
  ) -> GenerationStream {
    .running(on: thread) { (cancellation, onEvent) throws(IngotError) in
      _ = try self.ask(question, options: options, cancellation: cancellation, onEvent: onEvent)
    }
  }

  // MARK: Sequences

  /// Another session with the same prefix, whose pages both share.
  public func fork() -> SharedSession {
    state.withLock { state in
      let cache = state.cache?.fork(prefix: state.shared ?? 0, capacity: set.total)
      return SharedSession(generator, set, plannedLength, State(cache: cache, shared: state.shared))
    }
  }

  /// Forgets the last question and its reply; the next one would do that too.
  public func rollback() { state.withLock { $0.cache?.truncate(to: $0.shared ?? 0) } }

  /// Gives all pages back; in a set that shares, a prefix has to be shared again before the next question.
  public func free() { state.withLock { $0 = State(shared: set.share == 0 ? 0 : nil) } }

  /// The prefix in another set, or in another model of the same weights, without computing it again. This session
  /// keeps it too; within a model the two share its pages.
  /// - Parameter other: the model to move to; nil for this one.
  /// - Throws: `.argument` before a prefix is shared, for models of other weights or another kind of cache, and for a
  ///   total that would have called for other rotary tables; `.limit` for a set whose share, or a model whose context,
  ///   is too small; `.unsupported` for models that cannot hand rows over.
  public func reuse(in set: StageSet, on other: Generator? = nil) throws(IngotError) -> SharedSession {
    let target = other ?? generator
    try Self.check(set, target.model)
    return try state.withLock { (state) throws(IngotError) in
      guard let shared = state.shared, shared > 0, let cache = state.cache else {
        throw IngotError(.argument, "there is no shared text to move to the set \(set)")
      }
      guard shared <= set.share else {
        throw IngotError(
          .limit, "the shared text has \(shared) tokens; the set \(set) takes at most \(set.share)",
          hint: "move to a set with a larger share length")
      }
      let planned = max(plannedLength, set.total)
      let prefix: CachedSequence
      if target.model === generator.model {
        try checkAngles(of: cache.sequence, planned)
        prefix = cache.fork(prefix: shared, capacity: set.total)
      } else {
        let moved = try generator.model.rows(of: cache.sequence, shared, movedTo: target.model, planned)
        prefix = CachedSequence(moved, ids: Array(cache.ids.prefix(shared)), capacity: set.total)
      }
      return SharedSession(target, set, planned, State(cache: prefix, shared: shared))
    }
  }

  /// - Throws: `.argument` where a longer plan turns keys by other angles.
  private func checkAngles(of sequence: any ModelSequence, _ planned: Int) throws(IngotError) {
    guard planned > plannedLength else { return }
    if let model = generator.model as? any SnapshottingModel {
      guard try model.layout(of: sequence) != model.layout(plannedLength: planned) else { return }
    }
    throw IngotError(
      .argument, "rotary tables were chosen for \(plannedLength) tokens, and the new set has \(planned)",
      hint: "plan both for the longest total (--max-pos-len)")
  }

  private static func check(_ set: StageSet, _ model: any LanguageModel) throws(IngotError) {
    guard set.total <= model.contextLength else {
      throw IngotError(
        .limit,
        "the set \(set) has \(set.total) slots; the model's context holds \(model.contextLength) tokens",
        hint: "use a larger context (-c), or a smaller set")
    }
  }

  /// The rows now in the cache, to look at; nil before there are any.
  package var sequence: (any ModelSequence)? { state.withLock { $0.cache?.sequence } }

  /// A fork of the prefix, to keep it for later; nil before one is shared.
  package func prefix() -> CachedSequence? {
    state.withLock { state in
      guard let shared = state.shared, shared > 0, let cache = state.cache else { return nil }
      return cache.fork(prefix: shared, capacity: nil)
    }
  }
}

/// What `SharedSession.share` did.
public struct SharedPrefix: Sendable, Hashable {
  /// Tokens of the prefix.
  public var tokens: Int
  /// Those of them whose rows were at hand.
  public var cachedTokens: Int
  /// Seconds it took.
  public var seconds: Double
}

extension LanguageModel {
  /// The first rows of a sequence in another model of the same weights.
  fileprivate func rows(
    of sequence: any ModelSequence, _ count: Int, movedTo other: any LanguageModel, _ planned: Int
  ) throws(IngotError) -> any ModelSequence {
    guard let source = self as? any SnapshottingModel, let target = other as? any SnapshottingModel else {
      throw IngotError(
        .unsupported, "this back end cannot hand a shared text over to another model",
        hint: "share it there again")
    }
    let (ours, theirs) = (try source.identity(), try target.identity())
    guard ours == theirs else {
      throw IngotError(.argument, "the models have other weights: \(ours) and \(theirs)")
    }
    return try target.restore(source.snapshot(of: sequence, tokens: count), plannedLength: planned)
  }
}
