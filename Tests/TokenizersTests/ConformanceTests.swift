import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

/// Equality with Hugging Face tokenizers 0.23.3 and sentencepiece 0.2.3.
@Suite struct ConformanceTests {
  @Test(arguments: Fixtures.huggingFace + Fixtures.sentencePiece)
  func idsEqualTheReference(name: String) throws {
    let tokenizer = try Fixtures.tokenizer(name)
    let golden = try Golden(name)
    #expect(golden.cases.count > 300)
    // SentencePiece itself never reads control tokens from text.
    let parsesSpecial = !Fixtures.sentencePiece.contains(name)
    for entry in golden.cases {
      let ids = try tokenizer.encode(entry.text, parseSpecial: parsesSpecial)
      #expect(ids == entry.ids, "\(entry.text.debugDescription)")
    }
    for (entry, ids) in zip(golden.cases, golden.special) {
      #expect(try tokenizer.encode(entry.text, addSpecial: true) == ids, "\(entry.text.debugDescription)")
    }
    for (entry, ids) in zip(golden.cases, golden.plain) {
      #expect(try tokenizer.encode(entry.text, parseSpecial: false) == ids, "\(entry.text.debugDescription)")
    }
  }

  @Test(arguments: Fixtures.huggingFace + Fixtures.sentencePiece)
  func decodedTextsEqualTheReference(name: String) throws {
    let tokenizer = try Fixtures.tokenizer(name)
    let golden = try Golden(name)
    #expect(golden.decodes.count == 40)
    for entry in golden.cases + golden.decodes {
      let whole = try tokenizer.decode(entry.ids)
      #expect(whole.utf8.elementsEqual(entry.decoded.utf8), "\(entry.ids)")
      let rest = try tokenizer.decode(entry.ids, skipSpecial: true)
      #expect(rest.utf8.elementsEqual(entry.decodedSkip.utf8), "\(entry.ids)")
    }
  }

  @Test(arguments: Fixtures.huggingFace + Fixtures.sentencePiece)
  func incrementalTextsJoinToTheWhole(name: String) throws {
    let tokenizer = try Fixtures.tokenizer(name)
    var generator = SplitMix64(11)
    let golden = try Golden(name)
    var sequences = (golden.cases + golden.decodes).map(\.ids)
    let ids = (0..<tokenizer.vocabularySize).filter { tokenizer.token(of: $0) != nil }
    for _ in 0..<60 { sequences.append((0..<30).map { _ in ids.randomElement(using: &generator)! }) }
    for skipSpecial in [false, true] {
      var detokenizer = IncrementalDetokenizer(tokenizer, skipSpecial: skipSpecial)
      for sequence in sequences {
        var text = ""
        for id in sequence { text += try detokenizer.append(id) }
        text += try detokenizer.finish()
        #expect(try text.utf8.elementsEqual(tokenizer.decode(sequence, skipSpecial: skipSpecial).utf8))
      }
    }
  }

  @Test func incompleteCharactersAreHeldBack() throws {
    let tokenizer = try Fixtures.tokenizer("qwen2")
    let ids = "\u{1F600}".utf8.map { byte in
      tokenizer.id(of: String(ByteLevelAlphabet.scalars[Int(byte)])) ?? -1
    }
    var detokenizer = IncrementalDetokenizer(tokenizer)
    #expect(try ids.map { id throws(IngotError) in try detokenizer.append(id) } == ["", "", "", "\u{1F600}"])
    #expect(try detokenizer.append(ids[0]) == "")
    #expect(try detokenizer.append(ids[0]) == "\u{FFFD}")
    #expect(try detokenizer.finish() == "\u{FFFD}")
  }

  @Test func encodingsMayRunAtOnce() async throws {
    let tokenizer = try Fixtures.tokenizer("qwen2")
    let golden = try Golden("qwen2")
    let differences = try await withThrowingTaskGroup(of: Int.self) { group in
      for task in 0..<8 {
        group.addTask {
          var count = 0
          for (index, entry) in golden.cases.enumerated() where index % 8 >= task % 4 {
            if try tokenizer.encode(entry.text) != entry.ids { count += 1 }
          }
          return count
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(differences == 0)
  }
}
