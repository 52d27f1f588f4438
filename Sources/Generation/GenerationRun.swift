internal import IngotCore
internal import Tokenizers

/// One reply in the making.
struct GenerationRun {
  private let model: any LanguageModel
  private let prompt: [Int]
  private let options: GenerationOptions
  private let eosIDs: Set<Int>
  private let cache: CachedSequence
  private let cancellation: Cancellation
  private var sampler: Sampler
  private let tokenizer: Tokenizer?
  private var detokenizer: IncrementalDetokenizer?
  private var matcher: StopMatcher
  private var ids: [Int] = []
  private var text = ""
  private var timings = GenerationTimings()

  init(
    _ generator: Generator, _ prompt: [Int], _ options: GenerationOptions, _ cache: CachedSequence,
    _ cancellation: Cancellation
  ) throws(IngotError) {
    (model, self.prompt, self.options) = (generator.model, prompt, options)
    (self.cache, self.cancellation) = (cache, cancellation)
    eosIDs = options.ignoresEOS ? [] : options.eosIDs ?? generator.eosIDs
    sampler = try Sampler(options.sampling)
    sampler.accept(prompt)
    matcher = try StopMatcher(options.stopStrings)
    tokenizer = generator.tokenizer
    detokenizer = tokenizer.map { IncrementalDetokenizer($0, skipSpecial: true) }
  }

  mutating func run(_ onEvent: (GenerationEvent) -> Void) throws(IngotError) -> GenerationResult {
    let begin = ContinuousClock.now
    let cached = cache.reuse(for: prompt)
    timings.promptTokens = prompt.count - cached
    var reason = FinishReason.cancelled
    let first = try computePrompt(from: cached, onEvent)
    let decodeBegin = ContinuousClock.now
    timings.promptSeconds = begin.duration(to: decodeBegin).seconds
    if let first {
      reason = try decode(first, onEvent)
      timings.decodeSeconds = decodeBegin.duration(to: .now).seconds
    }
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
      let next = try append(Array(prompt[done..<end]), wantsNext: end == prompt.count)
      done = end
      onEvent(.prompt(done: done, of: prompt.count))
      if let next { return next }
    }
    return nil
  }

  private mutating func decode(
    _ first: Int, _ onEvent: (GenerationEvent) -> Void
  ) throws(IngotError) -> FinishReason {
    if options.maxTokens == 0 { return .length }
    var id = first
    while true {
      if eosIDs.contains(id) { return .endOfText(id) }
      ids.append(id)
      sampler.accept(id)
      onEvent(.token(id))
      if let piece = try text(of: id), let stop = emit(piece, onEvent) { return .stopString(stop) }
      if ids.count == options.maxTokens { return .length }
      if cache.sequence.count >= model.contextLength { return .contextFull }
      if cancellation.isCancelled { return .cancelled }
      guard let next = try append([id], wantsNext: true) else { return .cancelled }
      timings.decodeTokens += 1
      id = next
    }
  }

  /// Passes tokens to the model.
  /// - Returns: a token drawn from the last one's logits, if wanted.
  private mutating func append(_ tokens: [Int], wantsNext: Bool) throws(IngotError) -> Int? {
    var drawn: Result<Int, IngotError>?
    try cache.append(tokens, to: model, logits: wantsNext ? .last : .none) { logits in
      do throws(IngotError) { drawn = .success(try sampler.sample(logits)) } catch { drawn = .failure(error) }
    }
    return try drawn?.get()
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
