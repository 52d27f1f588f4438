internal import Checkpoints
internal import IngotCore
internal import Tokenizers

/// One reply in the making.
struct GenerationRun {
  private let model: any LanguageModel
  private let prompt: [Int]
  private let options: GenerationOptions
  private let eosIDs: Set<Int>
  private let cache: CachedSequence
  /// Most tokens of prompt and reply.
  private let room: Int
  private let cancellation: Cancellation
  private var sampler: Sampler
  private let tokenizer: Tokenizer?
  private var detokenizer: IncrementalDetokenizer?
  private var matcher: StopMatcher
  private var ids: [Int] = []
  private var text = ""
  private var timings = GenerationTimings()
  private var speculation: Speculation?
  /// Tokens drawn but not yet part of the reply.
  private var drawn = DrawnTokens()
  /// Tokens of prompt and reply in the cache; what lies behind them there are drafts.
  private var position = 0

  init(
    _ generator: Generator, _ prompt: [Int], _ options: GenerationOptions, _ cache: CachedSequence,
    _ drafter: (any Drafter)?, _ cancellation: Cancellation
  ) throws(IngotError) {
    (model, self.prompt, self.options) = (generator.model, prompt, options)
    (self.cache, room, self.cancellation) = (cache, cache.room(in: generator.model), cancellation)
    eosIDs = options.ignoresEOS ? [] : options.eosIDs ?? generator.eosIDs
    sampler = try Sampler(options.sampling)
    sampler.accept(prompt)
    matcher = try StopMatcher(options.stopStrings)
    tokenizer = generator.tokenizer
    detokenizer = tokenizer.map { IncrementalDetokenizer($0, skipSpecial: true) }
    speculation = drafter.map {
      Speculation($0, options.drafts, vocabSize: generator.model.config.vocabSize, eosIDs: eosIDs)
    }
  }

  mutating func run(_ onEvent: (GenerationEvent) -> Void) throws(IngotError) -> GenerationResult {
    let begin = ContinuousClock.now
    let cached = cache.reuse(for: prompt)
    timings.promptTokens = prompt.count - cached
    var reason = FinishReason.cancelled
    let first = try computePrompt(from: cached, onEvent)
    // A reply of one token has no use for drafts.
    if let first, options.maxTokens ?? 2 > 1, !eosIDs.contains(first) {
      try speculation?.begin(prompt, cancellation: cancellation)
    }
    let decodeBegin = ContinuousClock.now
    timings.promptSeconds = begin.duration(to: decodeBegin).seconds
    if let first {
      reason = try decode(first, onEvent)
      timings.decodeSeconds = decodeBegin.duration(to: .now).seconds
    }
    timings.drafts = speculation?.counts
    if case .stopString = reason {} else if let stop = try flush(onEvent) { reason = .stopString(stop) }
    return GenerationResult(
      ids: ids, text: text, finishReason: reason, promptTokens: prompt.count, cachedTokens: cached,
      timings: timings)
  }

  /// Computes the prompt in pieces.
  /// - Returns: the first token of the reply; nil when cancelled.
  private mutating func computePrompt(
    from start: Int, _ onEvent: (GenerationEvent) -> Void
  ) throws(IngotError) -> Int? {
    var done = start
    while !cancellation.isCancelled {
      let end = min(done + options.chunkTokens, prompt.count)
      try append(Array(prompt[done..<end]), logits: end == prompt.count ? .last : .none)
      done = end
      onEvent(.prompt(done: done, of: prompt.count))
      if end == prompt.count { return try drawn.next() }
    }
    return nil
  }

  private mutating func decode(
    _ first: Int, _ onEvent: (GenerationEvent) -> Void
  ) throws(IngotError) -> FinishReason {
    if options.maxTokens == 0 { return .length }
    position = prompt.count
    // Drafts behind the end of the reply are no part of the text.
    defer { cache.truncate(to: position) }
    var id = first
    while true {
      if eosIDs.contains(id) { return .endOfText(id) }
      ids.append(id)
      onEvent(.token(id))
      if let piece = try text(of: id), let stop = emit(piece, onEvent) { return .stopString(stop) }
      if ids.count == options.maxTokens { return .length }
      if position >= room { return .contextFull }
      if cancellation.isCancelled { return .cancelled }
      guard let next = try next(after: id) else { return .cancelled }
      timings.decodeTokens += 1
      id = next
    }
  }

  /// The token that follows `id`, the newest of the reply.
  private mutating func next(after id: Int) throws(IngotError) -> Int? {
    speculation?.append(id)
    if drawn.isEmpty {
      try compute(id)
    } else {
      // It stands in the cache as a draft.
      speculation?.countAccepted()
    }
    position += 1
    return try drawn.next()
  }

  /// Computes a token, and drafts of what may follow it.
  private mutating func compute(_ id: Int) throws(IngotError) {
    timings.decodeForwards += 1
    // One token fewer than the reply may still have: a forward draws one more than it was drafted.
    let most = min((options.maxTokens ?? .max) - ids.count, room - position) - 1
    let draft = try speculation?.draft(room: most) ?? []
    guard !draft.isEmpty else { return try append([id], logits: .last) }
    do throws(IngotError) {
      try append([id] + draft, logits: .all, draft: draft)
    } catch {
      // A cache that others share may have no place for drafts.
      guard drawn.isUntouched, error.kind == .limit || error.kind == .memory else { throw error }
      cache.truncate(to: position)
      return try append([id], logits: .last)
    }
    let agreed = drawn.agreement(with: draft)
    speculation?.report(drafted: draft.count, agreed: agreed)
    cache.truncate(to: position + 1 + agreed)
  }

  /// Passes tokens to the model and draws what follows the last of them or, with all logits, what follows the first
  /// and each drafted one that is drawn.
  private mutating func append(
    _ tokens: [Int], logits rows: ModelInput.LogitRows, draft: [Int] = []
  ) throws(IngotError) {
    drawn.removeAll()
    let first = tokens.count - 1 - draft.count
    try cache.append(tokens, to: model, logits: rows) { row, logits in
      guard drawn.lacks(row - first, of: draft) else { return }
      do throws(IngotError) {
        let id = try sampler.sample(logits)
        sampler.accept(id)
        drawn.append(id)
      } catch {
        drawn.fail(error)
      }
    }
  }

  /// The text that an id makes certain; none for one that the model has and the tokenizer lacks, as where the
  /// vocabulary is padded.
  private mutating func text(of id: Int) throws(IngotError) -> String? {
    guard let tokenizer, tokenizer.token(of: id) != nil else { return nil }
    return try detokenizer?.append(id)
  }

  /// Hands text out as far as it cannot be part of a stop string.
  /// - Returns: the stop string found.
  private mutating func emit(_ piece: String, _ onEvent: (GenerationEvent) -> Void) -> String? {
    let output = matcher.push(piece)
    hand(output.text, onEvent)
    return output.stop
  }

  /// Hands out what was held back.
  /// - Returns: a stop string that the last of the text completes.
  private mutating func flush(_ onEvent: (GenerationEvent) -> Void) throws(IngotError) -> String? {
    guard let rest = try detokenizer?.finish() else { return nil }
    if let stop = emit(rest, onEvent) { return stop }
    hand(matcher.finish(), onEvent)
    return nil
  }

  private mutating func hand(_ piece: String, _ onEvent: (GenerationEvent) -> Void) {
    guard !piece.isEmpty else { return }
    text += piece
    onEvent(.text(piece))
  }
}

extension Duration {
  /// In seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
