import Artifact
import Generation
import IngotCore
import Testing
import Tokenizers

/// A compiled file's lengths where nothing is shared.
@Suite struct StageLengthTests {
  private static func manifest(_ sets: [StageSet], isDynamic: Bool = false) -> ArtifactManifest {
    ArtifactManifest(
      sets: sets, maxPositions: 256, prefillChunk: 64, kvType: "f16", isDynamic: isDynamic,
      quantization: "f16",
      name: "m", modelType: "llama")
  }

  @Test func aPromptIsServedByTheSmallestSetThatHoldsIt() throws {
    let small = try StageSet(share: 0, unshare: 6, total: 26)
    let sharing = try StageSet(share: 8, unshare: 4, total: 32)
    let long = try StageSet(share: 0, unshare: 10, total: 60)
    let manifest = Self.manifest([long, sharing, small])
    func set(_ prompt: Int, _ answer: Int?, context: Int = 60) throws -> StageSet? {
      try manifest.set(prompt: prompt, answer: answer, context: context)
    }
    #expect(try set(6, 20) == small)
    // The prefix that is not there leaves its room to the reply.
    #expect(try set(4, 28) == sharing)
    #expect(try set(6, 21) == long && set(7, 1) == long)
    // As long as it gets.
    #expect(try set(1, nil) == long && set(6, nil, context: 32) == small)
    let error = #expect(throws: IngotError.self) { try set(11, 1) }
    #expect(
      error?.kind == .limit && error?.what.contains("11 tokens; the set seq60 takes at most 10") == true)
    #expect(throws: IngotError.self) { try set(7, 1, context: 32) }
    #expect(try Self.manifest([small], isDynamic: true).set(prompt: 11, answer: 1, context: 26) == nil)
  }

  /// Only what opens a conversation is a prompt to the stages; what follows is bounded by the buffer.
  @Test func aChatGrowsBeyondThePromptsLength() throws {
    let model = ScriptedModel(vocabSize: ByteTokenizer.size, contextLength: 64) { _ in
      .peak(at: Int(UInt8(ascii: "!")), of: ByteTokenizer.size)
    }
    let manifest = Self.manifest([try StageSet(share: 0, unshare: 12, total: 64)])
    var options = ChatSession.Options()
    options.generation.sampling = .greedy
    options.generation.maxTokens = 2
    let text = TextModel(
      model, tokenizer: try ByteTokenizer.make(template: ChatSessionTests.template), manifest: manifest)
    let session = try ChatSession(text, options: options)
    let error = #expect(throws: IngotError.self) { try session.reply(to: "12345678") }
    #expect(error?.what.contains("the prompt has 13 tokens; the set seq64 takes at most 12") == true)
    #expect(session.messages.isEmpty)
    #expect(try session.reply(to: "1234567").promptTokens == 12)
    #expect(try session.reply(to: "12345678").promptTokens == 28)
    session.clear()
    #expect(throws: IngotError.self) { try session.reply(to: "12345678") }
  }
}
