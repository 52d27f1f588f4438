import Generation
import IngotCore
import Testing

@Suite struct GeneratorTests {
  static func generate(
    _ model: ScriptedModel, prompt: String = "Hi", cancellation: Cancellation = Cancellation(),
    _ edit: (inout GenerationOptions) -> Void = { _ in }, onEvent: (GenerationEvent) -> Void = { _ in }
  ) throws -> GenerationResult {
    var options = GenerationOptions()
    options.sampling = .greedy
    edit(&options)
    let generator = Generator(model, tokenizer: try ByteTokenizer.make())
    return try generator.generate(
      prompt: ids(prompt), options: options, cancellation: cancellation, onEvent: onEvent)
  }

  @Test func theReplyEndsAtTheModelsEndOfText() throws {
    let model = ScriptedModel(saying: ids("Hello") + [ByteTokenizer.end], after: 2)
    var (text, tokens, last) = ("", [Int](), GenerationEvent.text(""))
    let result = try Self.generate(
      model,
      onEvent: { event in
        last = event
        switch event {
        case .text(let piece): text += piece
        case .token(let id): tokens.append(id)
        case .dropped, .prompt, .finished: break
        }
      })
    #expect(result.text == "Hello" && text == "Hello")
    #expect(result.ids == ids("Hello") && tokens == result.ids)
    #expect(result.finishReason == .endOfText(ByteTokenizer.end))
    #expect(last == .finished(result))
    #expect(result.promptTokens == 2 && result.cachedTokens == 0)
    // Five tokens and the end, of which the first came with the prompt.
    #expect(result.timings.decodeTokens == 5)
  }

  @Test(arguments: [65, 66])
  func anyOfSeveralEndsOfTextEnds(end: Int) throws {
    let model = ScriptedModel(saying: ids("ok") + [end], after: 2, eosIDs: [65, 66])
    #expect(try Self.generate(model).finishReason == .endOfText(end))
    let ignored = try Self.generate(model) { ($0.ignoresEOS, $0.maxTokens) = (true, 6) }
    #expect(ignored.ids == ids("ok") + [end, end, end, end])
    #expect(ignored.finishReason == .length)
    let own = try Self.generate(model) { ($0.eosIDs, $0.maxTokens) = ([Int(UInt8(ascii: "k"))], 6) }
    #expect(own.text == "o")
  }

  @Test func idsThatTheTokenizerLacksHaveNoText() throws {
    // As where a model's vocabulary is padded.
    let size = ByteTokenizer.size + 5
    let reply = ids("a") + [size - 1] + ids("b")
    let model = ScriptedModel(vocabSize: size, contextLength: 64) { tokens in
      .peak(at: reply[min(tokens.count - 2, 2)], of: size)
    }
    let result = try Self.generate(model) { $0.maxTokens = 3 }
    #expect(result.ids == reply && result.text == "ab")
  }

  @Test(arguments: 1...5)
  func stopStringsMaySpanTokens(length: Int) throws {
    let reply = "one two three"
    let stop = String(reply.dropFirst(4).prefix(length))
    let result = try Self.generate(ScriptedModel(saying: ids(reply), after: 2)) {
      ($0.stopStrings, $0.maxTokens) = (["never", stop], 40)
    }
    #expect(result.finishReason == .stopString(stop))
    // The space before it is in one of the cases the stop string's own occurrence.
    #expect(result.text == "one ")
    #expect(result.ids.count == 4 + length)
  }

  @Test func textHeldBackForAStopStringComesAtTheEnd() throws {
    let result = try Self.generate(ScriptedModel(saying: ids("abc") + [ByteTokenizer.end], after: 2)) {
      $0.stopStrings = ["bcd"]
    }
    #expect(result.text == "abc")
  }

  @Test func brokenCharactersAreHeldBackUntilWhole() throws {
    var pieces: [String] = []
    let model = ScriptedModel(saying: ids("é漢👩‍🚀") + [0xF0, 0x9F, ByteTokenizer.end], after: 2)
    let result = try Self.generate(
      model, onEvent: { if case .text(let piece) = $0 { pieces.append(piece) } })
    #expect(result.text == "é漢👩‍🚀\u{FFFD}")
    #expect(pieces.dropLast().allSatisfy { !$0.contains("\u{FFFD}") })
    #expect(pieces.count == 6)
  }

  @Test(arguments: [0, 1, 5])
  func theLengthIsKept(length: Int) throws {
    let result = try Self.generate(ScriptedModel(saying: ids("abcdefgh"), after: 2)) { $0.maxTokens = length }
    #expect(result.ids == ids(String("abcdefgh".prefix(length))))
    #expect(result.finishReason == .length)
  }

  @Test func aFullContextEndsTheReply() throws {
    let model = ScriptedModel(saying: ids("x"), after: 2, contextLength: 10)
    let result = try Self.generate(model)
    #expect(result.finishReason == .contextFull)
    // Two of the prompt, eight of the reply; the ninth is drawn but has no place any more.
    #expect(result.ids.count == 9)
    #expect(throws: IngotError.self) { try Self.generate(model, prompt: String(repeating: "a", count: 11)) }
    #expect(try Self.generate(model, prompt: String(repeating: "a", count: 10)).ids.count == 1)
  }

  @Test func aLongPromptIsRefusedWithBothNumbers() {
    let model = ScriptedModel(saying: ids("x"), after: 2, contextLength: 10)
    let error = #expect(throws: IngotError.self) {
      try Self.generate(model, prompt: String(repeating: "a", count: 12))
    }
    #expect(error?.kind == .limit)
    #expect(error?.what.contains("12") == true && error?.what.contains("10") == true)
    #expect(model.forwards.withLock { $0.isEmpty })
  }

  @Test func badPromptsAreRefused() throws {
    let generator = Generator(ScriptedModel(saying: [1], after: 1))
    for prompt in [[], [-1], [ByteTokenizer.size], [Int.max], [Int.min]] {
      let error = #expect(throws: IngotError.self) { try generator.generate(prompt: prompt) }
      #expect(error?.kind == .argument)
    }
    var options = GenerationOptions()
    options.stopStrings = ["a"]
    #expect(throws: IngotError.self) { try generator.generate(prompt: [1], options: options) }
  }

  @Test func cancellationEndsTheReplyAtTheNextToken() throws {
    let cancellation = Cancellation()
    var count = 0
    let result = try Self.generate(
      ScriptedModel(saying: ids("x"), after: 2), cancellation: cancellation,
      onEvent: { event in
        if case .token = event { count += 1 }
        if count == 3 { cancellation.cancel() }
      })
    #expect(result.finishReason == .cancelled)
    #expect(result.text == "xxx")
  }

  @Test func cancellationEndsAPromptBetweenPieces() throws {
    let cancellation = Cancellation()
    let model = ScriptedModel(saying: ids("x"), after: 2)
    let result = try Self.generate(
      model, prompt: String(repeating: "a", count: 100), cancellation: cancellation, { $0.chunkTokens = 8 },
      onEvent: { if case .prompt(let done, _) = $0, done >= 24 { cancellation.cancel() } })
    #expect(result.finishReason == .cancelled && result.ids.isEmpty)
    #expect(model.forwards.withLock { $0.map(\.count) } == [8, 8, 8])
  }

  @Test func aStreamHasTheSameEventsInOrder() async throws {
    let generator = Generator(
      ScriptedModel(saying: ids("Hello") + [ByteTokenizer.end], after: 2), tokenizer: try ByteTokenizer.make()
    )
    var text = ""
    var result: GenerationResult?
    for try await event in generator.stream(prompt: ids("Hi"), on: try EngineThread()) {
      if case .text(let piece) = event { text += piece }
      if case .finished(let finished) = event { result = finished }
    }
    #expect(text == "Hello")
    #expect(result?.finishReason == .endOfText(ByteTokenizer.end))
  }

  @Test func aStreamThrowsWhatGenerationThrows() async throws {
    let generator = Generator(ScriptedModel(saying: [1], after: 1))
    await #expect(throws: IngotError.self) {
      for try await _ in generator.stream(prompt: [-1], on: try EngineThread()) {}
    }
  }

  @Test func leavingAStreamEndsTheReply() async throws {
    let model = ScriptedModel(saying: ids("x"), after: 2, contextLength: 100_000)
    let generator = Generator(model, tokenizer: try ByteTokenizer.make())
    let thread = try EngineThread()
    var greedy = GenerationOptions()
    greedy.sampling = .greedy
    for try await event in generator.stream(prompt: ids("Hi"), options: greedy, on: thread) {
      if case .text = event { break }
    }
    // The thread runs jobs in order: this one comes after the reply has ended.
    await withCheckedContinuation { continuation in thread.run { continuation.resume() } }
    #expect(model.forwards.withLock { $0.count } < 100_000)
  }
}
