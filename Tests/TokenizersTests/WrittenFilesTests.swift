import Foundation
import IngotCore
import Testing

@testable import Tokenizers

/// What is written of a GGUF vocabulary gives the same ids when it is read as a folder.
@Suite struct WrittenFilesTests {
  static func reread(_ vocabulary: VocabularyData) throws -> Tokenizer {
    var files: [String: String] = [:]
    for file in try vocabulary.huggingFaceFiles(maxLength: 512) { files[file.name] = file.content.indented }
    return try DirectoryTests.read(files)
  }

  /// A byte-level vocabulary of a fixture under another split pattern.
  static func byteLevel(_ fixture: String, pre: String) throws -> VocabularyData {
    let document = try Fixtures.json("\(fixture).tokenizer.json")
    let members = try #require(document["model"]?["vocab"]?.object?.members)
    let added = try #require(document["added_tokens"]?.array)
    var tokens = [String](repeating: "", count: members.count)
    for member in members { tokens[try #require(member.value.int)] = member.key }
    var types = [Int](repeating: 1, count: tokens.count)
    for token in added {
      let (id, content) = (try #require(token["id"]?.int), try #require(token["content"]?.string))
      while tokens.count <= id {
        tokens.append("[PAD\(tokens.count)]")
        types.append(5)
      }
      (tokens[id], types[id]) = (content, token["special"]?.bool == true ? 3 : 4)
    }
    let merges = try #require(document["model"]?["merges"]?.array).map { merge in
      try merge.string ?? "\(#require(merge.array?[0].string)) \(#require(merge.array?[1].string))"
    }
    return VocabularyData(
      model: "gpt2", pre: pre, tokens: tokens, types: types, merges: merges, bos: added[0]["id"]?.int,
      eos: added[1]["id"]?.int)
  }

  @Test(arguments: [
    ("smollm2", "smollm"), ("smollm2", "gpt-2"), ("smollm2", "default"), ("qwen2", "qwen2"),
    ("qwen2", "qwen35"), ("qwen2", "llama-bpe"), ("qwen2", "gpt-4o"), ("qwen2", "deepseek-llm"),
    ("qwen2", "deepseek-v3"), ("qwen2", "falcon"), ("qwen2", "tekken"), ("qwen2", "poro-chat"),
    ("qwen2", "superbpe"), ("qwen2", "chameleon"), ("llama3", "llama-bpe"), ("llama3", "minicpm5"),
  ])
  func byteLevelIdsAreTheSame(fixture: String, pre: String) throws {
    let vocabulary = try Self.byteLevel(fixture, pre: pre)
    let (original, written) = (try Tokenizer(gguf: vocabulary), try Self.reread(vocabulary))
    for text in try Fixtures.texts() {
      let ids = try original.encode(text, addSpecial: true)
      #expect(try written.encode(text, addSpecial: true) == ids, "\(text.debugDescription)")
      #expect(try written.decode(ids) == original.decode(ids))
    }
    #expect(written.bosID == original.bosID && written.specialTokens == original.specialTokens)
  }

  @Test(arguments: [true, false], [true, false])
  func tokensAroundATextAreTheSame(addBOS: Bool, addEOS: Bool) throws {
    var vocabulary = try Self.byteLevel("smollm2", pre: "smollm")
    (vocabulary.addBOS, vocabulary.addEOS) = (addBOS, addEOS)
    let ids = try Self.reread(vocabulary).encode("a", addSpecial: true)
    #expect(try ids == Tokenizer(gguf: vocabulary).encode("a", addSpecial: true))
    #expect(ids.count == 1 + (addBOS ? 1 : 0) + (addEOS ? 1 : 0))
  }

  @Test func scoredIdsAreTheSame() throws {
    var vocabulary = try GGUFTests.sentencePiece()
    vocabulary.chatTemplate = "{{ bos_token }}"
    for (addBOS, addPrefix) in [(nil, nil), (false, false)] as [(Bool?, Bool?)] {
      (vocabulary.addBOS, vocabulary.addSpacePrefix) = (addBOS, addPrefix)
      let (original, written) = (try Tokenizer(gguf: vocabulary), try Self.reread(vocabulary))
      for text in try Fixtures.texts() {
        let ids = try original.encode(text, addSpecial: true)
        #expect(try written.encode(text, addSpecial: true) == ids, "\(text.debugDescription)")
        #expect(try written.decode(ids, skipSpecial: true) == original.decode(ids, skipSpecial: true))
      }
      #expect(written.chatTemplate == "{{ bos_token }}")
    }
  }

  /// Of tokens written alike the first counts, and a hole in the vocabulary stays one.
  @Test func repeatedAndEmptyTokensAreNoObstacle() throws {
    var vocabulary = try Self.byteLevel("smollm2", pre: "smollm")
    vocabulary.tokens += ["the", ""]
    vocabulary.types += [1, 3]
    let (original, written) = (try Tokenizer(gguf: vocabulary), try Self.reread(vocabulary))
    for text in try Fixtures.texts().prefix(50) {
      #expect(try written.encode(text) == original.encode(text))
    }
  }

  @Test func brokenVocabulariesAreNotWritten() throws {
    var vocabulary = try Self.byteLevel("smollm2", pre: "smollm")
    vocabulary.merges[3] = "nospace"
    #expect { try vocabulary.huggingFaceFiles(maxLength: nil) } throws: {
      ($0 as? IngotError)?.kind == .tokenizer
    }
  }
}
