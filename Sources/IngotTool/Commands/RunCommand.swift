import ArgumentParser
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `ingot run`: one answer, or a chat.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Answers a prompt, or chats on a terminal.",
    discussion: """
      Without -p and --ids the prompt is what is piped in; on a terminal a chat begins, with /clear to forget \
      it and /exit to leave. The text goes to stdout as it is drawn, speeds to stderr. With --share-file a text is \
      computed once and each line is a question about it.
      """)

  /// What of an answer is printed.
  enum Form: String, ExpressibleByArgument, CaseIterable { case text, ids }

  @OptionGroup var model: ModelArgument

  @Option(
    name: [.customShort("p"), .customLong("prompt")], parsing: .unconditional, help: "The prompt to answer.")
  var prompt: String?

  @Option(parsing: .unconditional, help: "Token ids to continue, separated by commas, instead of a prompt.")
  var ids: IDList?

  @Option(parsing: .unconditional, help: "What the model is told before the conversation.")
  var system: String?

  @Flag(help: "Continue the prompt as it is, without the chat template.")
  var raw = false

  @Option(help: "Print the answer as text or as ids.")
  var output = Form.text

  @OptionGroup var context: ContextArgument
  @OptionGroup(title: "Answer") var generation: GenerationArguments
  @OptionGroup(title: "Sharing") var sharing: SharingArguments
  @OptionGroup(title: "Prompt cache") var promptCache: PromptCacheArguments
  @OptionGroup(title: "Drafts") var drafts: DraftArguments
  @OptionGroup(title: "Engine") var engine: EngineArguments
  @OptionGroup(title: "Profile") var profile: ProfileArguments

  @Option(
    name: .customLong("debug-dump"),
    help:
      "A folder for what was computed: prompt.npz, and answer.npz with the answer's tokens too (see ingot dump). Needs a prompt."
  )
  var debugDump: String?

  mutating func run() throws {
    try engine.tuning.placeThreads()
    var options = try generation.options()
    options.drafts = try drafts.options()
    options.chunkTokens = engine.tuning.chunkTokens ?? options.chunkTokens
    if prompt != nil && ids != nil { throw IngotError(.argument, "give either -p or --ids") }
    if system != nil && (raw || ids != nil) {
      throw IngotError(.argument, "--system needs the chat template, which --raw and --ids leave out")
    }
    try sharing.check()
    if sharing.isWanted && ids != nil {
      throw IngotError(.argument, "--share-file takes questions as text, not as --ids")
    }
    let chats = prompt == nil && ids == nil && !sharing.isWanted && isatty(STDIN_FILENO) == 1
    if chats && promptCache.path != nil {
      throw IngotError(.argument, "--prompt-cache needs a prompt or --share-file", hint: "give one with -p")
    }
    if debugDump != nil && (chats || sharing.isWanted) {
      throw IngotError(.argument, "--debug-dump needs a prompt", hint: "give one with -p")
    }
    _ = try promptCache.key()
    if chats && (raw || output == .ids) {
      throw IngotError(.argument, "--raw and --output ids need a prompt", hint: "give one with -p")
    }
    var engineOptions = try engine.options(
      contextLength: sharing.contextLength(context.length), keys: model.keys)
    // The same prompt without sharing needs a buffer of its own.
    if sharing.compares { engineOptions.sequences = 2 }
    engineOptions.observesLayers = debugDump != nil
    engineOptions.draftTokens = drafts.areWanted ? options.drafts.maxTokens : 0
    let text = try TextModel(model.model, options: engineOptions)
    warnOfLongContext(text)
    let profiler = try startProfile(text)
    let drafter = try drafts.drafter(for: text, engine: engine)
    if sharing.isWanted {
      try share(text, options, drafter)
    } else if chats {
      var loop = try ChatLoop(session(text, options, drafter))
      try loop.run()
    } else {
      try answer(text, options, drafter)
    }
    if let profiler { try finishProfile(profiler, text) }
  }

  /// Hands the engine a profiler, if one is wanted.
  private func startProfile(_ text: TextModel) throws(IngotError) -> Profiler? {
    guard profile.isWanted else { return nil }
    guard let engine = text.generator.model as? CPUModel else {
      throw IngotError(
        .argument, "only our own engine is profiled, not ONNX Runtime", at: .init(file: text.path))
    }
    let profiler = Profiler(keepsEvents: profile.trace != nil)
    engine.engine.profiler = profiler
    return profiler
  }

  private func finishProfile(_ profiler: Profiler, _ text: TextModel) throws(IngotError) {
    if profile.profile, let model = text.generator.model as? CPUModel {
      let limits = MachineLimits.measure(model.engine.options.engine)
      standardError("machine: \(Machine.current)\nlimits: \(limits.text)\n" + profiler.report.text(limits))
    }
    try profile.writeTrace([("engine", profiler)])
  }

  private func answer(
    _ text: TextModel, _ options: GenerationOptions, _ drafter: (any Drafter)?
  ) throws {
    var printer = AnswerPrinter(form: output)
    let cancellation = printer.cancellation
    if ids != nil && output == .text { _ = try text.tokenizer() }
    let tokens = try promptTokens(text, options)
    let set = try text.stageSet(prompt: tokens.count, answer: options.maxTokens)
    let result = try reply(to: tokens, text, set, options, drafter, cancellation) { printer.take($0) }
    if let debugDump { try dump(text.generator.model, tokens, answer: result.ids, to: debugDump) }
    try printer.finish()
    if result.finishReason == .contextFull {
      let room = set?.total ?? text.contextLength
      standardError("the context of \(room) tokens is full\n")
    }
    standardError(result.timings.line + "\n")
  }

  /// Computes an answer; the sequence's memory is free again when it returns.
  /// - Parameter set: gives question and answer their room; nil for all of the context.
  private func reply(
    to prompt: [Int], _ text: TextModel, _ set: StageSet?, _ options: GenerationOptions,
    _ drafter: (any Drafter)?, _ cancellation: Cancellation, onEvent: (GenerationEvent) -> Void
  ) throws(IngotError) -> GenerationResult {
    let known = try promptCache.load(text, plannedLength: text.contextLength, capacity: set?.total)
    let before = known?.ids
    let cache: CachedSequence
    if let known {
      cache = known
    } else {
      cache = try CachedSequence(
        text.generator.model, plannedLength: text.contextLength, capacity: set?.total)
    }
    let result = try text.generator.generate(
      prompt: prompt, options: options, cache: cache, drafter: drafter, cancellation: cancellation,
      onEvent: onEvent)
    // Less when it was cancelled.
    if cache.ids.count >= prompt.count {
      try promptCache.save(cache, tokens: prompt.count, text, known: before)
    }
    return result
  }

  /// The prompt as tokens.
  private func promptTokens(_ text: TextModel, _ options: GenerationOptions) throws -> [Int] {
    if let ids { return ids.ids }
    let prompt = try prompt ?? pipedPrompt()
    if raw { return try text.tokenizer().encode(prompt, addSpecial: true) }
    return try session(text, options, nil).prompt(for: prompt) {
      standardError("\($0) old messages no longer fit and are forgotten\n")
    }
  }

  /// Answers questions about a text that is computed once.
  private func share(
    _ text: TextModel, _ options: GenerationOptions, _ drafter: (any Drafter)?
  ) throws {
    let document = try InputFile(path: sharing.file ?? "").readText()
    let shared = try SharedPrompt(document, system: system, tokenizer: text.tokenizer(), raw: raw)
    let sets = try sharing.sets(
      text.manifest, shared: shared.prefix.count, context: text.contextLength)
    var loop = try SharingLoop(
      text, shared, sets: sets, options: options, sharing, promptCache, form: output, drafter: drafter)
    if let prompt { try loop.answer(prompt) } else { try loop.run() }
  }

  private func session(
    _ text: TextModel, _ options: GenerationOptions, _ drafter: (any Drafter)?
  ) throws(IngotError) -> ChatSession {
    var chat = ChatSession.Options()
    (chat.system, chat.generation, chat.drafter) = (system, options, drafter)
    let session = try ChatSession(text, options: chat)
    switch session.template.origin {
    case .model: break
    case .chatML: standardError("the model has no chat template; ChatML is used\n")
    case .plain: standardError("the model has no chat template; it continues the text as it is\n")
    }
    return session
  }

  /// Computes prompt and answer once more with everything shown. What a forward computes does not depend on how a text
  /// is cut into forwards, so this is what the answer was drawn from.
  private func dump(
    _ model: any LanguageModel, _ prompt: [Int], answer: [Int], to folder: String
  ) throws {
    guard mkdir(folder, 0o777) == 0 || FileSystem.item(at: folder) == .directory else {
      throw IngotError(.io, "cannot make the folder", at: .init(file: folder))
    }
    for (name, ids) in [("prompt.npz", prompt), ("answer.npz", prompt + answer)] {
      let notes = try TensorDump(model, ids: ids).write(to: FileSystem.join(folder, name))
      for note in notes { standardError("note: \(note)\n") }
    }
  }

  /// Stdin as one prompt, without the last line's end.
  private func pipedPrompt() throws(IngotError) -> String {
    var text = try InputFile(path: "-").readText()
    if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
    guard !text.isEmpty else {
      throw IngotError(.argument, "nothing was piped in", hint: "give a prompt with -p")
    }
    return text
  }

  private func warnOfLongContext(_ text: TextModel) {
    let trained = text.generator.model.config.maxPositions
    if text.contextLength > trained {
      standardError("the context of \(text.contextLength) tokens is longer than the model's own \(trained)\n")
    }
  }
}

/// Prints an answer as it grows.
struct AnswerPrinter: ~Copyable {
  /// Raised when nobody reads the answer any more.
  let cancellation = Cancellation()
  private let form: RunCommand.Form
  private var output = Output()
  private var isFirst = true
  private var failure: (any Error)?

  init(form: RunCommand.Form) { self.form = form }

  mutating func take(_ event: GenerationEvent) {
    switch event {
    case .text(let text): if form == .text { print(text) }
    case .token(let id):
      guard form == .ids else { return }
      print(isFirst ? "\(id)" : " \(id)")
      isFirst = false
    case .dropped(let messages): standardError("\(messages) old messages no longer fit and are forgotten\n")
    case .prompt, .finished: break
    }
  }

  /// Ends the answer's line.
  mutating func finish() throws {
    print("\n")
    if let failure { throw failure }
  }

  private mutating func print(_ text: String) {
    guard failure == nil else { return }
    do {
      try output.write(text)
      try output.flush()
    } catch {
      failure = error
      cancellation.cancel()
    }
  }
}

extension GenerationTimings {
  /// Both phases in words, and what came of drafts.
  var line: String {
    let phases =
      "prompt \(promptTokens) tokens, \(rate(promptRate)) t/s; "
      + "decode \(decodeTokens) tokens, \(rate(decodeRate)) t/s"
    guard let drafts else { return phases }
    let percent = Int((drafts.rate * 100).rounded())
    return phases
      + "; draft: \(drafts.drafted) drafted, \(drafts.accepted) accepted (\(percent)%), "
      + "\(rate(tokensPerForward)) tokens per forward"
  }

  /// With one digit behind the point.
  private func rate(_ value: Double) -> String {
    let tenths = Int((min(value, 1e12) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
