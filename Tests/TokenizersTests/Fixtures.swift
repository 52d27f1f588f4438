import Foundation
import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

/// Files made by Scripts/make_tokenizer_fixtures.py.
enum Fixtures {
  /// Tokenizers with a tokenizer.json.
  static let huggingFace = [
    "deepseek", "gemma", "gpt2", "kimi", "llama2", "llama3", "metaspace-always", "metaspace-first", "nfd",
    "o200k", "odd-patterns", "precompiled", "qwen2", "smollm2", "subword-prefix", "tekken", "unigram",
    "word-suffix",
  ]
  static let sentencePiece = ["sentencepiece-bpe", "sentencepiece-unigram"]

  static func path(_ name: String) throws -> String {
    let url = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return url.appendingPathComponent(name).path
  }

  static func json(_ name: String) throws -> JSONValue { try JSONParser.parse(path: path(name)) }

  static func bytes(_ name: String) throws -> [UInt8] {
    let file = try MappedFile(path: path(name))
    return withExtendedLifetime(file) { Array(file.bytes) }
  }

  static func texts() throws -> [String] {
    try #require(json("texts.json").array).map { try #require($0.string) }
  }

  static func tokenizer(_ name: String) throws -> Tokenizer {
    guard sentencePiece.contains(name) else { return try Tokenizer(json: json("\(name).tokenizer.json")) }
    let model = try bytes("\(name).model").withUnsafeBytes { try SentencePieceModel($0) }
    return try Tokenizer(model.parts(TokenizerConfig()))
  }
}

/// What a reference library makes of the texts.
struct Golden {
  struct Case {
    let text: String
    let ids: [Int]
    let decoded: String
    let decodedSkip: String
  }

  /// The texts in order.
  let cases: [Case]
  /// Ids of the first texts with the tokens around a text.
  let special: [[Int]]
  /// Ids of the first texts with special tokens as ordinary text.
  let plain: [[Int]]
  /// Random ids.
  let decodes: [Case]

  init(_ name: String) throws {
    let document = try Fixtures.json("\(name).golden.json")
    cases = try zip(Fixtures.texts(), document["cases"]?.array ?? []).map { text, entry in
      let decoded = entry["decoded"]?.string ?? text
      return Case(
        text: text, ids: try Golden.ids(entry["ids"]), decoded: decoded,
        decodedSkip: entry["decodedSkip"]?.string ?? decoded)
    }
    special = try (document["special"]?.array ?? []).map(Golden.ids)
    plain = try (document["plain"]?.array ?? []).map(Golden.ids)
    decodes = try (document["decodes"]?.array ?? []).map { entry in
      let decoded = try #require(entry["decoded"]?.string)
      return Case(
        text: "", ids: try Golden.ids(entry["ids"]), decoded: decoded,
        decodedSkip: entry["decodedSkip"]?.string ?? decoded)
    }
  }

  private static func ids(_ value: JSONValue?) throws -> [Int] {
    try #require(value?.array).map { try #require($0.int) }
  }
}

/// A random text of scalars that patterns and normalizers treat in different ways.
func randomText(_ generator: inout SplitMix64, length: Int) -> String {
  let pools: [String] = [
    "abcxyz", "ABCXYZ", "    ", " \t\n\r\u{A0}\u{3000}\u{2028}", "0123456789\u{663}\u{2164}\u{BD}\u{B2}",
    ".,;:!?'\"-_()[]{}<>|/\\@#$%^&*+=~`", "'s'S't'LL'll'Re'\u{17F}", "\u{301}\u{323}\u{93C}\u{7FD}\u{5B0}",
    "\u{E9}\u{DF}\u{130}\u{17F}\u{1C5}\u{1C4}\u{2B0}\u{AA}", "\u{4E2D}\u{65E5}\u{3042}\u{30A2}",
    "\u{AC00}\u{1100}\u{1161}\u{11A8}", "\u{627}\u{644}\u{E01}\u{E34}\u{915}\u{93F}",
    "\u{1F600}\u{1F468}\u{200D}\u{FE0F}\u{1F3FD}", "\u{200B}\u{AD}\u{FEFF}\u{0}\u{7}\u{85}",
    "\u{2581}\u{120}",
  ]
  var text = String.UnicodeScalarView()
  while text.count < length {
    let pool = Array(pools.randomElement(using: &generator)!.unicodeScalars)
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      text.append(pool.randomElement(using: &generator)!)
    }
  }
  return String(text)
}
