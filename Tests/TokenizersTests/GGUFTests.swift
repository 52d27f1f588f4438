import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct GGUFTests {
  /// SmolLM2's fixture as its GGUF has it.
  static func smollm2() throws -> VocabularyData {
    let document = try Fixtures.json("smollm2.tokenizer.json")
    let members = try #require(document["model"]?["vocab"]?.object?.members)
    var tokens = [String](repeating: "", count: members.count)
    for member in members { tokens[try #require(member.value.int)] = member.key }
    let control = Set((document["added_tokens"]?.array ?? []).compactMap { $0["id"]?.int })
    let merges = try #require(document["model"]?["merges"]?.array).map { pair in
      try "\(#require(pair.array?[0].string)) \(#require(pair.array?[1].string))"
    }
    return VocabularyData(
      model: "gpt2", pre: "smollm", tokens: tokens,
      types: tokens.indices.map { control.contains($0) ? 3 : 1 },
      merges: merges, bos: 1, eos: 2, unk: 0, pad: 2, addBOS: false, chatTemplate: "{{ x }}")
  }

  /// The SentencePiece fixture as a conversion to GGUF would have it.
  static func sentencePiece() throws -> VocabularyData {
    try Fixtures.bytes("sentencepiece-bpe.model").withUnsafeBytes { try sentencePiece($0) }
  }

  static func sentencePiece(_ model: UnsafeRawBufferPointer) throws -> VocabularyData {
    var vocabulary = VocabularyData(model: "llama", tokens: [])
    var reader = ProtobufReader(model)
    while let (field, value) = try reader.next() {
      guard field == 1, case .bytes(let piece) = value else { continue }
      var (token, score, type): (String, Float, Int) = ("", 0, 1)
      var pieceReader = ProtobufReader(piece)
      while let (field, value) = try pieceReader.next() {
        switch (field, value) {
        case (1, .bytes(let text)): token = String(decoding: text, as: UTF8.self)
        case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
        case (3, .varint(let number)): type = Int(number)
        default: break
        }
      }
      vocabulary.tokens.append(token)
      vocabulary.scores.append(score)
      vocabulary.types.append(type)
    }
    (vocabulary.bos, vocabulary.eos, vocabulary.unk) = (1, 2, 0)
    return vocabulary
  }

  @Test func byteLevelIdsEqualTheTokenizerJSON() throws {
    let tokenizer = try Tokenizer(gguf: Self.smollm2())
    for entry in try Golden("smollm2").cases {
      // A byte without token is left out, as llama.cpp does; tokenizers makes it the unknown token.
      if entry.ids.contains(0) { continue }
      #expect(try tokenizer.encode(entry.text) == entry.ids, "\(entry.text.debugDescription)")
      #expect(try tokenizer.decode(entry.ids).utf8.elementsEqual(entry.decoded.utf8))
    }
    #expect(tokenizer.bosID == 1 && tokenizer.eosIDs == [2])
    #expect(tokenizer.specialTokens["bos_token"] == "<|im_start|>")
    #expect(tokenizer.chatTemplate == "{{ x }}")
    #expect(tokenizer.isSpecial(1) && !tokenizer.isSpecial(100))
    #expect(try tokenizer.encode("<|im_start|>", parseSpecial: false).count > 1)
    #expect(try tokenizer.encode("hi", addSpecial: true) == tokenizer.encode("hi"))
  }

  @Test func scoredIdsEqualSentencePiece() throws {
    var vocabulary = try Self.sentencePiece()
    let tokenizer = try Tokenizer(gguf: vocabulary)
    var count = 0
    for entry in try Golden("sentencepiece-bpe").cases {
      // llama.cpp puts a space after each token found in the text, SentencePiece only at the beginning.
      if entry.text.contains("<tool>") || entry.text.contains("[INST]") { continue }
      #expect(
        try tokenizer.encode(entry.text, parseSpecial: false) == entry.ids, "\(entry.text.debugDescription)")
      count += 1
    }
    #expect(count > 300)
    #expect(try tokenizer.encode("a", addSpecial: true).first == 1)
    #expect(try tokenizer.decode(tokenizer.encode(" a \u{1F600}b")) == " a \u{1F600}b")
    vocabulary.addSpacePrefix = false
    vocabulary.addEOS = true
    vocabulary.addBOS = false
    let bare = try Tokenizer(gguf: vocabulary)
    #expect(try bare.encode("a", addSpecial: true) == [bare.id(of: "a"), 2])
    #expect(try bare.decode(bare.encode(" a")) == " a")
  }

  @Test func invalidBytesOfByteTokensBecomeOneReplacement() throws {
    let tokenizer = try Tokenizer(gguf: Self.sentencePiece())
    let ids = try ["<0xE2>", "<0x82>", "a"].map { try #require(tokenizer.id(of: $0)) }
    #expect(try tokenizer.decode(ids) == "\u{FFFD}a")
    #expect(tokenizer.bytes(of: ids[0]) == [0xE2])
    #expect(try tokenizer.bytes(of: #require(tokenizer.id(of: "\u{2581}"))) == [0x20])
  }

  @Test(arguments: [
    "default", "gpt-2", "llama-bpe", "qwen2", "qwen35", "smollm", "deepseek-llm", "deepseek-coder",
    "deepseek-v3",
    "deepseek-r1-qwen", "falcon", "mpt", "starcoder", "refact", "command-r", "stablelm2", "tekken", "gpt-4o",
    "dbrx",
    "olmo", "poro-chat", "viking", "chatglm-bpe", "bailingmoe", "seed-coder", "superbpe", "tiny_aya",
    "exaone-moe",
    "chameleon", "minicpm5", "laguna", "ufakzeka", "",
  ])
  func namedPatternsSplitWithoutLoss(pre: String) throws {
    let steps = try GGUFPreTokenizer(name: pre).steps()
    let preTokenizer = PreTokenizer(steps: steps)
    var generator = SplitMix64(6)
    for text in try Fixtures.texts().prefix(150) + (0..<60).map({ _ in randomText(&generator, length: 30) }) {
      let bytes = Array(text.utf8)
      var joined: [UInt8] = []
      try bytes.withUnsafeBufferPointer { buffer in
        try preTokenizer.forEachPiece(buffer, isStart: true) { joined += $0 }
      }
      #expect(joined == bytes)
    }
  }

  @Test func brokenVocabulariesAreErrors() throws {
    func error(_ change: (inout VocabularyData) -> Void) throws -> IngotError.Kind? {
      var vocabulary = try Self.smollm2()
      change(&vocabulary)
      do throws(IngotError) {
        _ = try Tokenizer(gguf: vocabulary)
        return nil
      } catch { return error.kind }
    }
    #expect(try error { _ in } == nil)
    #expect(try error { $0.model = "bert" } == .unsupported)
    #expect(try error { $0.pre = "no-such" } == .unsupported)
    #expect(try error { $0.tokens = [] } == .tokenizer)
    #expect(try error { $0.types = [1] } == .tokenizer)
    #expect(try error { $0.types[5] = 99 } == .tokenizer)
    #expect(try error { $0.types[5] = .min } == .tokenizer)
    #expect(try error { $0.merges = [] } == .tokenizer)
    #expect(try error { $0.merges[3] = "nospace" } == .tokenizer)
    #expect(try error { $0.merges[3] = "a no-such-token" } == .tokenizer)
    #expect(try error { $0.bos = 1 << 60 } == .tokenizer)
    #expect(try error { $0.eos = -1 } == .tokenizer)
    #expect(
      try error {
        $0.model = "llama"; $0.scores = [1]
      } == .tokenizer)
    #expect(
      try error {
        $0.model = "llama"; $0.scores = $0.tokens.map { _ in .nan }
      } == .tokenizer)
  }
}
