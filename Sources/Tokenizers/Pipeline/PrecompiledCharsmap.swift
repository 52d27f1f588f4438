import IngotCore

/// SentencePiece's normalization rules: a double-array trie from byte strings to replacements.
/// Source: SentencePiece 0.2, `normalizer.cc`; Darts-clone 0.32 for the units of the trie.
struct PrecompiledCharsmap: Sendable {
  private let units: [UInt32]
  /// Replacements, each ended by a zero byte.
  private let texts: [UInt8]

  /// Reads the rules.
  /// - Throws: `.tokenizer` when they are cut short.
  init(_ blob: [UInt8]) throws(IngotError) {
    func word(_ offset: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(blob[offset + $1]) << UInt32(8 * $1) }
    }
    guard blob.count >= 4, Int(word(0)) % 4 == 0, Int(word(0)) <= blob.count - 4 else {
      throw IngotError(.tokenizer, "the normalization rules are cut short")
    }
    let size = Int(word(0))
    units = stride(from: 4, to: 4 + size, by: 4).map(word)
    texts = Array(blob[(4 + size)...])
  }

  /// The rules for the strings that stand at the beginning of some bytes, the shortest first.
  private func matches(_ bytes: ArraySlice<UInt8>, _ body: (_ length: Int, _ text: Int) -> Void) {
    guard let root = units.first else { return }
    func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 0x200) >> 6)) }
    var position = offset(root)
    for (index, byte) in bytes.enumerated() {
      position ^= Int(byte)
      guard position < units.count else { return }
      let unit = units[position]
      guard unit & 0x8000_00FF == UInt32(byte) else { return }
      position ^= offset(unit)
      guard position < units.count else { return }
      if unit & 0x100 != 0 { body(index + 1, Int(units[position] & 0x7FFF_FFFF)) }
    }
  }

  private func text(at start: Int) -> ArraySlice<UInt8> {
    guard start < texts.count else { return [] }
    return texts[start...].prefix { $0 != 0 }
  }

  /// Text with the longest rule applied at each place.
  func normalize(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      var longest: (length: Int, text: Int)?
      matches(text[position...]) { longest = ($0, $1) }
      if let longest {
        result += self.text(at: longest.text)
        position += longest.length
      } else {
        let length = Self.scalarLength(text[position])
        result += text[position..<min(position + length, text.count)]
        position += length
      }
    }
    return Self.valid(result)
  }

  /// Text normalized as `tokenizers` does it: a character of fewer than six bytes by the shortest rule
  /// that begins it, else scalar by scalar likewise.
  func normalizeByCharacter(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for character in String(decoding: text, as: UTF8.self) {
      let bytes = Array(character.utf8)
      if bytes.count < 6, let rule = shortest(bytes[...]) {
        result += self.text(at: rule)
        continue
      }
      for scalar in character.unicodeScalars {
        let bytes = Array(String(scalar).utf8)
        if let rule = shortest(bytes[...]) { result += self.text(at: rule) } else { result += bytes }
      }
    }
    return Self.valid(result)
  }

  private func shortest(_ bytes: ArraySlice<UInt8>) -> Int? {
    var first: Int?
    matches(bytes) { _, text in first = first ?? text }
    return first
  }

  /// Later stages count on valid UTF-8, which the rules of a broken file may not give.
  private static func valid(_ bytes: [UInt8]) -> [UInt8] {
    String(validating: bytes, as: UTF8.self) != nil
      ? bytes : Array(String(decoding: bytes, as: UTF8.self).utf8)
  }

  private static func scalarLength(_ first: UInt8) -> Int {
    first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
  }
}
