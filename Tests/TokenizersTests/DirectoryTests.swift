import Foundation
import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct DirectoryTests {
  /// Makes a folder with files and reads its tokenizer.
  static func read(_ files: [String: String], copies: [String: String] = [:]) throws -> Tokenizer {
    let folder = try Folder()
    for (name, text) in files { try folder.write(text, to: name) }
    for (name, fixture) in copies {
      try FileManager.default.copyItem(atPath: Fixtures.path(fixture), toPath: folder / name)
    }
    return try Tokenizer(directory: folder.path)
  }

  static let qwen = ["tokenizer.json": "qwen2.tokenizer.json"]

  @Test func configurationNamesSpecialTokens() throws {
    let tokenizer = try Self.read(
      [
        "tokenizer_config.json": """
        {"bos_token": null, "eos_token": {"content": "<|im_end|>", "lstrip": false}, "pad_token": "<|endoftext|>",
         "add_bos_token": false, "chat_template": "plain", "added_tokens_decoder": {
           "16005": {"content": "<think>", "special": false, "normalized": false}}}
        """,
        "generation_config.json": #"{"eos_token_id": [16002, 16000, 99999999]}"#,
        "special_tokens_map.json": #"{"unk_token": "<|endoftext|>", "pad_token": "x"}"#,
      ], copies: Self.qwen)
    #expect(tokenizer.bosID == nil)
    #expect(tokenizer.eosIDs == [16002, 16000])
    #expect(
      tokenizer.specialTokens == [
        "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
      ])
    #expect(tokenizer.chatTemplate == "plain")
    #expect(tokenizer.id(of: "<think>") == 16005 && tokenizer.vocabularySize == 16006)
    #expect(try tokenizer.encode("<think>a") == [16005] + tokenizer.encode("a"))
    #expect(tokenizer.token(of: 16002) == "<|im_end|>" && tokenizer.token(of: 16006) == nil)
    #expect(tokenizer.bytes(of: 220) == [0x20] && tokenizer.bytes(of: -1) == nil)
  }

  @Test func namedTemplatesAndFilesCount() throws {
    let config = """
      {"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}
      """
    let named = try Self.read(["tokenizer_config.json": config], copies: Self.qwen)
    #expect(named.chatTemplate == "d" && named.namedChatTemplates == ["tool_use": "t", "default": "d"])
    let file = try Self.read(
      [
        "tokenizer_config.json": config, "chat_template.jinja": "file",
        "additional_chat_templates/rag.jinja": "r",
      ], copies: Self.qwen)
    #expect(file.chatTemplate == "file")
    #expect(file.namedChatTemplates == ["tool_use": "t", "default": "file", "rag": "r"])
  }

  @Test func beginningTokensComeFromTheConfigurationWhereTheFileIsSilent() throws {
    let tokenizer = try Self.read(
      ["tokenizer_config.json": #"{"bos_token": "<|endoftext|>", "add_bos_token": true}"#], copies: Self.qwen)
    #expect(try tokenizer.encode("a", addSpecial: true) == [16000] + tokenizer.encode("a"))
    let template = try Self.read(
      ["tokenizer_config.json": #"{"bos_token": "<|eot_id|>", "add_bos_token": true}"#],
      copies: ["tokenizer.json": "llama3.tokenizer.json"])
    let begin = try #require(template.id(of: "<|begin_of_text|>"))
    #expect(try template.encode("a", addSpecial: true) == [begin] + template.encode("a"))
  }

  @Test func tiktokenRanksEqualTheMerges() throws {
    let members = try #require(Fixtures.json("qwen2.tokenizer.json")["model"]?["vocab"]?.object?.members)
    let lines = try members.map { member in
      let bytes = try #require(ByteLevelAlphabet.decode(Array(member.key.utf8)[...]))
      return "\(Data(bytes).base64EncodedString()) \(try #require(member.value.int))"
    }
    let tokenizer = try Self.read(["qwen.tiktoken": lines.joined(separator: "\n") + "\n"])
    for entry in try Golden("qwen2").cases {
      // Qwen's first tokenizer does not know these.
      if entry.text.contains("tool_call>") { continue }
      #expect(try tokenizer.encode(entry.text) == entry.ids, "\(entry.text.debugDescription)")
      #expect(try tokenizer.decode(entry.ids).utf8.elementsEqual(entry.decoded.utf8))
    }
    #expect(tokenizer.id(of: "<|im_start|>") == 16001)
  }

  @Test func sentencePieceModelsAreRead() throws {
    let tokenizer = try Self.read([:], copies: ["tokenizer.model": "sentencepiece-bpe.model"])
    #expect(try tokenizer.encode("hello", addSpecial: true) == [1] + tokenizer.encode("hello"))
    #expect(try tokenizer.encode("</s>") == [2])
  }

  @Test(arguments: [
    (["tokenizer.json": ""], IngotError.Kind.format), (["tokenizer.json": "{}"], .tokenizer), ([:], .io),
    (["tokenizer.json": "[]"], .tokenizer), (["qwen.tiktoken": "IQ== x\n"], .tokenizer),
    (["qwen.tiktoken": "IQ== 0\nIQ== 1\n"], .tokenizer), (["qwen.tiktoken": "IQ== 0\nIg== 0\n"], .tokenizer),
    (["qwen.tiktoken": "IQ== 999999999\n"], .tokenizer), (["qwen.tiktoken": ""], .tokenizer),
    (["other.tiktoken": "IQ== 0\n"], .unsupported), (["tokenizer.model": ""], .tokenizer),
    (["tokenizer.model": "\u{A}\u{7F}x"], .tokenizer), (["tokenizer.model": "\u{B}"], .tokenizer),
  ])
  func brokenFoldersAreErrors(files: [String: String], kind: IngotError.Kind) {
    #expect { try Self.read(files) } throws: { ($0 as? IngotError)?.kind == kind }
  }

  @Test(arguments: [
    #"{"eos_token": 3}"#, #"{"chat_template": [{"name": "a"}]}"#, #"{"chat_template": 1}"#, "[]",
    #"{"added_tokens_decoder": {"x": {"content": "y"}}}"#, #"{"added_tokens_decoder": {"1": {}}}"#,
    #"{"added_tokens_decoder": {"1152921504606846976": {"content": "@no token@"}}}"#,
    #"{"added_tokens_decoder": {"5": {"content": "not in the vocabulary"}}}"#,
  ])
  func brokenConfigurationsAreErrors(config: String) {
    #expect { try Self.read(["tokenizer_config.json": config], copies: Self.qwen) } throws: { error in
      (error as? IngotError)?.kind == .tokenizer
    }
  }

  @Test func missingFoldersAreErrors() {
    #expect { try Tokenizer(directory: "/nonexistent/folder") } throws: { ($0 as? IngotError)?.kind == .io }
  }
}
