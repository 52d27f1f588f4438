import Generation
import IngotCore
import Testing
import Tokenizers

@Suite struct ChatSessionTests {
  static let template = """
    {% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}{% if add_generation_prompt %}a:{% endif %}
    """

  /// A session whose model always answers `reply`: after a prompt that ends in `a:`.
  static func session(
    reply: String = "ok", contextLength: Int = 256, system: String? = nil, reserve: Int? = nil,
    drafter: (any Drafter)? = nil
  ) throws -> (ChatSession, ScriptedModel) {
    let model = ScriptedModel(vocabSize: ByteTokenizer.size, contextLength: contextLength) { tokens in
      let text = tokens.suffix(reply.utf8.count + 2)
      // How much of the reply stands behind the last "a:".
      for said in 0...reply.utf8.count
      where text.suffix(said + 2).elementsEqual(ids("a:" + reply).prefix(said + 2)) {
        let next = said < reply.utf8.count ? ids(reply)[said] : ByteTokenizer.end
        return .peak(at: next, of: ByteTokenizer.size)
      }
      return .peak(at: Int(UInt8(ascii: "?")), of: ByteTokenizer.size)
    }
    var options = ChatSession.Options()
    (options.system, options.reserve, options.drafter) = (system, reserve, drafter)
    options.generation.sampling = .greedy
    let text = TextModel(model, tokenizer: try ByteTokenizer.make(template: template))
    return (try ChatSession(text, options: options), model)
  }

  @Test func aTurnSeesTheHistory() throws {
    let (session, model) = try Self.session(system: "S")
    #expect(try session.reply(to: "one").text == "ok")
    let first = model.forwards.withLock { $0[0] }
    #expect(first == ids("s:S;u:one;a:"))
    let second = try session.reply(to: "two")
    #expect(second.promptTokens == ids("s:S;u:one;a:ok;u:two;a:").count)
    #expect(session.messages.count == 5)
  }

  @Test func aShortReplyLeavesRoomForALongMessage() throws {
    let model = ScriptedModel(vocabSize: ByteTokenizer.size, contextLength: 40) { _ in
      .peak(at: Int(UInt8(ascii: "!")), of: ByteTokenizer.size)
    }
    var options = ChatSession.Options()
    options.generation.sampling = .greedy
    options.generation.maxTokens = 2
    let text = TextModel(model, tokenizer: try ByteTokenizer.make(template: Self.template))
    let session = try ChatSession(text, options: options)
    // 38 tokens of 40: a quarter of the context need not stay free.
    let message = String(repeating: "x", count: 38 - "u:;a:".utf8.count)
    #expect(try session.reply(to: message).text == "!!")
  }

  @Test func aTurnComputesOnlyWhatIsNew() throws {
    let (session, model) = try Self.session()
    _ = try session.reply(to: "one")
    model.forwards.withLock { $0 = [] }
    let result = try session.reply(to: "two")
    // Cached are the first prompt and the reply, whose last token was drawn and then fed.
    #expect(result.cachedTokens == ids("u:one;a:ok").count)
    #expect(model.forwards.withLock { $0.first } == ids(";u:two;a:"))
  }

  @Test func clearingKeepsTheSystemMessage() throws {
    let (session, model) = try Self.session(system: "S")
    _ = try session.reply(to: "one")
    session.clear()
    #expect(session.messages == [.message(role: "system", "S")])
    let result = try session.reply(to: "two")
    #expect(result.promptTokens == ids("s:S;u:two;a:").count)
    #expect(result.cachedTokens == ids("s:S;u:").count)
    _ = model
  }

  @Test func theOldestTurnsAreForgottenAndTheUserIsTold() throws {
    // A turn takes 12 bytes; 40 have room for the system message and two.
    let (session, _) = try Self.session(contextLength: 60, system: "Sys", reserve: 20)
    var dropped: [Int] = []
    for turn in 0..<6 {
      let result = try session.reply(to: "say \(turn)") { event in
        if case .dropped(let messages) = event { dropped.append(messages) }
      }
      #expect(result.text == "ok" && result.promptTokens <= 40)
      #expect(session.messages.first == .message(role: "system", "Sys"))
    }
    #expect(dropped == [2, 2, 2, 2])
    #expect(session.messages.map { $0["content"]?.string } == ["Sys", "say 4", "ok", "say 5", "ok"])
  }

  @Test func theSystemMessageIsForgottenLast() throws {
    let (session, _) = try Self.session(contextLength: 60, system: "A long system message", reserve: 20)
    _ = try session.reply(to: "hi")
    var dropped = 0
    _ = try session.reply(to: "a message of some thirty bytes") { event in
      if case .dropped(let messages) = event { dropped = messages }
    }
    #expect(dropped == 3)
    #expect(session.messages.count == 2)
  }

  @Test func aMessageThatIsTooLongIsRefusedAndChangesNothing() throws {
    let (session, model) = try Self.session(contextLength: 60, system: "Sys", reserve: 20)
    _ = try session.reply(to: "hi")
    let before = session.messages
    model.forwards.withLock { $0 = [] }
    let error = #expect(throws: IngotError.self) {
      try session.reply(to: String(repeating: "x", count: 50))
    }
    #expect(error?.kind == .limit)
    #expect(error?.what.contains("60") == true && error?.what.contains("40") == true)
    #expect(session.messages == before)
    #expect(model.forwards.withLock { $0.isEmpty })
    #expect(try session.reply(to: "again").text == "ok")
  }

  @Test func aCancelledReplyIsRemembered() throws {
    let (session, _) = try Self.session(reply: "a long reply")
    let cancellation = Cancellation()
    let result = try session.reply(to: "hi", cancellation: cancellation) { event in
      if case .text("l") = event { cancellation.cancel() }
    }
    #expect(result.finishReason == .cancelled)
    #expect(session.messages.last == .message(role: "assistant", "a l"))
  }

  @Test func aStreamAnswers() async throws {
    let (session, _) = try Self.session()
    var text = ""
    for try await event in session.stream("hi") {
      if case .text(let piece) = event { text += piece }
    }
    #expect(text == "ok")
    #expect(session.messages.count == 2)
  }

  @Test func modelsWithoutTemplateSpeakChatML() throws {
    let template = try ChatTemplate(ByteTokenizer.make())
    #expect(template.origin == .chatML)
    var options = ChatTemplate.Options()
    options.addGenerationPrompt = true
    let messages: [JSONValue] = [.message(role: "system", "S"), .message(role: "user", "U")]
    #expect(
      try template.render(messages, options)
        == "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n")
  }

  @Test func extraVariablesWin() throws {
    let template = try ChatTemplate("{{ bos_token }}{{ x }}", specialTokens: ["bos_token": "<s>"])
    #expect(try template.render([], .init(extra: JSONObject([.init("x", .int(3))]))) == "<s>3")
    #expect(try template.render([], .init(extra: JSONObject([.init("bos_token", .string("B"))]))) == "B")
  }
}
