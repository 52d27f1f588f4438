import TestSupport
import Testing

@testable import Tokenizers

@Suite struct TextTests {
  @Test func invalidBytesBecomeReplacementsAsInTheStandardLibrary() {
    var generator = SplitMix64(8)
    let lead: [UInt8] = [
      0x41, 0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xA0, 0xED, 0x9F, 0xEF, 0xF0, 0x90, 0xF4, 0x8F, 0xF5, 0xFF,
    ]
    for _ in 0..<4000 {
      let bytes = (0..<Int.random(in: 0...9, using: &generator)).map { _ in
        lead.randomElement(using: &generator)!
      }
      var repair = UTF8Repair()
      var result: [UInt8] = []
      repair.push(bytes, to: &result)
      repair.finish(to: &result)
      #expect(result == Array(String(decoding: bytes, as: UTF8.self).utf8), "\(bytes)")
    }
  }

  @Test func everyByteHasItsOwnScalar() {
    #expect(Set(ByteLevelAlphabet.scalars).count == 256)
    var text: [UInt8] = []
    ByteLevelAlphabet.encode(0...255, into: &text)
    #expect(ByteLevelAlphabet.decode(text[...]) == Array(0...255))
    #expect(ByteLevelAlphabet.decode(Array("a b".utf8)[...]) == nil)
  }

  @Test(arguments: [
    (UnicodeForm.nfc, "e\u{301}\u{323}", "\u{1EB9}\u{301}"), (.nfd, "\u{1EB9}\u{301}", "e\u{323}\u{301}"),
    (.nfkc, "\u{FB01}\u{FF21}\u{2460}", "fiA1"), (.nfkd, "\u{1E9B}\u{323}", "s\u{323}\u{307}"),
    (.nfc, "\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), (.nfd, "\u{AC01}", "\u{1100}\u{1161}\u{11A8}"),
    (.nfc, "\u{1113}\u{1161}", "\u{1113}\u{1161}"), (.nfc, "\u{958}", "\u{915}\u{93C}"),
    (.nfc, "\u{212B}", "\u{C5}"),
    (.nfc, "a\u{2126}b", "a\u{3A9}b"), (.nfc, "\u{301}", "\u{301}"), (.nfc, "\u{344}", "\u{308}\u{301}"),
    (.nfc, "a\u{5AE}\u{300}\u{315}b", "\u{E0}\u{5AE}\u{315}b"), (.nfkc, "\u{FF76}\u{FF9E}", "\u{30AC}"),
  ])
  func formsAreThoseOfTheStandard(form: UnicodeForm, text: String, expected: String) {
    let result = form.normalize(Array(text.utf8))
    #expect(result == Array(expected.utf8), "\(String(decoding: result, as: UTF8.self).unicodeScalars)")
    let isLeft = Array(text.utf8).withUnsafeBufferPointer { form.leavesAlone($0) }
    #expect(!isLeft || text.utf8.elementsEqual(expected.utf8))
  }

  @Test func normalizingTwiceChangesNothing() {
    var generator = SplitMix64(4)
    for _ in 0..<300 {
      let text = Array(randomText(&generator, length: 20).utf8)
      for form in [UnicodeForm.nfc, .nfd, .nfkc, .nfkd] {
        let once = form.normalize(text)
        #expect(form.normalize(once) == once)
      }
      #expect(UnicodeForm.nfc.normalize(UnicodeForm.nfd.normalize(text)) == UnicodeForm.nfc.normalize(text))
    }
  }

  @Test func manyMarksTakeLinearTime() {
    let marks = String(repeating: "\u{301}\u{323}\u{334}", count: 30_000)
    let result = UnicodeForm.nfc.normalize(Array(("a" + marks).utf8))
    #expect(result.count == ("a" + marks).utf8.count)
    #expect(String(decoding: result, as: UTF8.self).unicodeScalars.first == "\u{1EA1}")
  }

  @Test func quicklyPassedScalarsAreInert() {
    let tables = NormalizationData.canonicalTables
    let ranges: [Range<UInt32>] = [
      0x80..<0x300, 0x400..<0x483, 0x3041..<0x3097, 0x30A1..<0x30FB, 0x4E00..<0xA000, 0xAC00..<0xD7A4,
    ]
    for value in ranges.joined() {
      let scalar = Unicode.Scalar(value)!
      #expect(scalar.properties.canonicalCombiningClass == .notReordered)
      #expect(!tables.isUnstable(value) && !tables.isSecond(value))
    }
  }

  @Test func scalarsReadForwardsAndBackwards() {
    let text = "a\u{E9}\u{20AC}\u{1F600}\u{10FFFF}\u{0}"
    Array(text.utf8).withUnsafeBufferPointer { bytes in
      let view = ScalarText(bytes)
      var forwards: [UInt32] = []
      var position = 0
      while position < view.end {
        let (value, next) = view.scalar(at: position)
        #expect(view.before(next) == position)
        forwards.append(value)
        position = next
      }
      #expect(forwards == text.unicodeScalars.map(\.value))
    }
  }
}
