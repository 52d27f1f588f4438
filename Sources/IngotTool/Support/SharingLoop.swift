import Artifact
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Questions about a text that is computed once: answers to stdout, times to stderr, or both as JSON.
struct SharingLoop {
  let text: TextModel
  let prompt: SharedPrompt
  let sets: [StageSet]
  let options: GenerationOptions
  let arguments: SharingArguments
  let cache: PromptCacheArguments
  let form: RunCommand.Form
  var drafter: (any Drafter)?
  private var session: SharedSession

  /// Computes the shared text.
  init(
    _ text: TextModel, _ prompt: SharedPrompt, sets: [StageSet], options: GenerationOptions,
    _ arguments: SharingArguments, _ cache: PromptCacheArguments, form: RunCommand.Form,
    drafter: (any Drafter)?
  ) throws {
    (self.text, self.prompt, self.sets, self.options) = (text, prompt, sets, options)
    (self.arguments, self.cache, self.form, self.drafter) = (arguments, cache, form, drafter)
    let shared = prompt.prefix.count
    guard let set = sets.choice(shared: shared, question: 1, answer: options.maxTokens ?? 1) else {
      throw IngotError(.argument, "the model has no set of lengths")
    }
    // The longest, so that the text can move between sets.
    let planned = arguments.maxPositions ?? sets.map(\.total).max() ?? set.total
    session = try SharedSession(text.generator, set, plannedLength: planned)
    let known = try cache.load(text, plannedLength: planned)
    guard let done = try session.share(prompt.prefix, known: known, chunkTokens: options.chunkTokens) else {
      return
    }
    if let prefix = session.prefix() {
      try cache.save(prefix, tokens: shared, text, known: known?.ids)
    }
    try report(done)
  }

  private func report(_ done: SharedPrefix) throws {
    guard arguments.json else {
      let cached = done.cachedTokens > 0 ? ", \(done.cachedTokens) of them from the prompt cache" : ""
      return standardError(
        "shared \(done.tokens) tokens in \(milliseconds(done.seconds))\(cached); \(session.set)\n")
    }
    try print([
      .init("share_tokens", .int(done.tokens)), .init("cached_tokens", .int(done.cachedTokens)),
      .init("share_seconds", .double(done.seconds)), .init("place", .string(prompt.place.rawValue)),
      .init("share_length", .int(session.set.share)), .init("unshare_length", .int(session.set.unshare)),
      .init("seq_length", .int(session.set.total)),
    ])
  }

  /// Answers a question per line of stdin.
  mutating func run() throws {
    let isTerminal = isatty(STDIN_FILENO) == 1
    if isTerminal {
      standardError("a line is a question; /exit or Ctrl-D leaves, Ctrl-C stops an answer\n")
      Interrupts.catchThem()
    }
    var (input, interruptions) = (try LineReader(path: "-"), 0)
    while interruptions < 2 {
      if isTerminal { standardError("> ") }
      switch try input.next() {
      case .end: return
      case .interrupted: interruptions += Interrupts.take() ? 1 : 0
      case .line(let line):
        interruptions = 0
        let question = line.trimmed
        if question.isEmpty { continue }
        if isTerminal && ["/exit", "/quit", "/bye"].contains(question) { return }
        do {
          try answer(question)
        } catch let error as IngotError where isTerminal {
          // A question that is too long: the next may be shorter.
          standardError("error: \(error)\n")
        }
      }
    }
  }

  /// Answers a question.
  mutating func answer(_ question: String) throws {
    let ids = try prompt.question(question)
    let shared = prompt.prefix.count
    let set = sets.choice(shared: shared, question: ids.count, answer: options.maxTokens ?? 1)
    if let set, set != session.set, set.share >= shared {
      let moved = try session.reuse(in: set)
      session.free()
      session = moved
    }
    var printer = AnswerPrinter(form: form)
    let cancellation = arguments.json ? Cancellation() : printer.cancellation
    let result = try session.ask(
      ids, options: options, drafter: drafter, cancellation: cancellation
    ) { event in
      if !arguments.json { printer.take(event) }
      if Interrupts.take() { cancellation.cancel() }
    }
    if !arguments.json { try printer.finish() }
    let without = arguments.compares ? try unshared(ids, first: result.ids.first) : nil
    if result.finishReason == .contextFull {
      standardError("the buffer of \(session.set.total) tokens is full\n")
    }
    try report(question, ids.count, result, without)
  }

  /// The time to the first token of the same prompt in a sequence of its own.
  private func unshared(_ question: [Int], first: Int?) throws -> Double {
    var options = options
    options.maxTokens = 1
    let fresh = try CachedSequence(text.generator.model, plannedLength: session.plannedLength)
    let result = try text.generator.generate(prompt: prompt.prefix + question, options: options, cache: fresh)
    // With a seed the first token must be the same, on back ends that do not round by the length of a forward.
    if options.sampling.seed != nil || options.sampling.temperature == 0, result.ids.first != first {
      standardError("without sharing the first token is another\n")
    }
    return result.timings.promptSeconds
  }

  private func report(_ question: String, _ count: Int, _ result: GenerationResult, _ without: Double?) throws
  {
    let first = result.timings.promptSeconds
    guard arguments.json else {
      var line =
        "first token after \(milliseconds(first)): \(count) tokens behind \(prompt.prefix.count) shared"
      if let without {
        line +=
          "; without sharing after \(milliseconds(without)), \(ratio(without / max(first, 1e-9))) times that"
      }
      return standardError(line + "\n" + result.timings.line + "\n")
    }
    try print([
      .init("question", .string(question)), .init("answer", .string(result.text)),
      .init("ids", .array(result.ids.map { .int($0) })), .init("finish", .string(result.finishReason.name)),
      .init("share_tokens", .int(prompt.prefix.count)), .init("unshare_tokens", .int(count)),
      .init("seq_length", .int(session.set.total)), .init("first_token_seconds", .double(first)),
      .init("first_token_seconds_without_sharing", without.map { .double($0) } ?? .null),
      .init("decode_tokens", .int(result.timings.decodeTokens)),
      .init("decode_seconds", .double(result.timings.decodeSeconds)),
    ])
  }

  private func print(_ members: [JSONObject.Member]) throws {
    var output = Output()
    try output.write(JSONValue.object(JSONObject(members)).description + "\n")
    try output.flush()
  }

  private func milliseconds(_ seconds: Double) -> String { ratio(seconds * 1000) + " ms" }

  private func ratio(_ value: Double) -> String {
    let tenths = Int((min(value, 1e12) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension FinishReason {
  /// As JSON has it.
  fileprivate var name: String {
    switch self {
    case .endOfText: "end_of_text"
    case .stopString: "stop_string"
    case .length: "length"
    case .contextFull: "context_full"
    case .cancelled: "cancelled"
    }
  }
}
