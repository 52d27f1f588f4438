import IngotCore

/// A token matched in the text itself, before the model sees it.
struct AddedToken: Sendable, Equatable {
  var id: Int
  var content: String
  /// Controls the model rather than being text: left out by `decode(skipSpecial:)`.
  var isSpecial = false
  /// Whether it also takes the white space before it, or after it.
  var lstrip = false
  var rstrip = false
  /// Whether it must not be part of a word.
  var singleWord = false
  /// Whether it is looked for in normalized text.
  var isNormalized = false
}

/// Finds added tokens: leftmost, and of those longest.
/// Source: Hugging Face tokenizers 0.23, `tokenizer/added_vocabulary.rs`.
struct AddedTokenMatcher: Sendable {
  private let tokens: [AddedToken]
  private var trie: ByteTrie

  /// - Parameter patterns: what to look for, in the order of `tokens`; of equal ones the first counts.
  init(_ tokens: [AddedToken], patterns: [[UInt8]]) {
    self.tokens = tokens
    trie = ByteTrie(byteCapacity: patterns.reduce(0) { $0 + $1.count })
    for (index, pattern) in patterns.enumerated() { trie.insert(pattern, value: index) }
  }

  /// Calls `body` with the tokens found and the stretches between them, in order; the latter may be
  /// empty only when the text is.
  /// - Parameter parseSpecial: whether special tokens count; when not, their text is ordinary.
  func forEachSegment(
    _ bytes: UnsafeBufferPointer<UInt8>, parseSpecial: Bool,
    _ body: (AddedToken?, Range<Int>) throws(IngotError) -> Void
  ) throws(IngotError) {
    guard !tokens.isEmpty else { return try body(nil, 0..<bytes.count) }
    let text = ScalarText(bytes)
    var segmentStart = 0
    var position = 0
    while position < bytes.count {
      guard let (token, end) = longest(bytes, position) else {
        position += 1
        continue
      }
      let start = position
      position = end
      if token.isSpecial && !parseSpecial { continue }
      if token.singleWord, isWord(text, before: start) || isWord(text, at: end) { continue }
      let first = token.lstrip ? max(spaceStart(text, start), segmentStart) : start
      let last = token.rstrip ? spaceEnd(text, end) : end
      if segmentStart < first { try body(nil, segmentStart..<first) }
      try body(token, min(first, last)..<last)
      segmentStart = last
    }
    if segmentStart < bytes.count { try body(nil, segmentStart..<bytes.count) }
  }

  @inline(__always)
  private func longest(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> (AddedToken, Int)? {
    var found: (token: Int, end: Int)?
    trie.forEachPrefix(bytes, at: start) { found = ($0, $1) }
    return found.map { (tokens[$0.token], $0.end) }
  }

  private func isWord(_ text: ScalarText, at position: Int) -> Bool {
    guard position < text.end else { return false }
    let value = text.scalar(at: position).value
    // Rust's \w has the joiners as well.
    return text.classes[value].isWord || value == 0x200C || value == 0x200D
  }

  private func isWord(_ text: ScalarText, before position: Int) -> Bool {
    position > 0 && isWord(text, at: text.before(position))
  }

  private func spaceStart(_ text: ScalarText, _ position: Int) -> Int {
    var start = position
    while start > 0 {
      let previous = text.before(start)
      guard text.classify(at: previous).class.isSpace else { break }
      start = previous
    }
    return start
  }

  private func spaceEnd(_ text: ScalarText, _ position: Int) -> Int {
    var end = position
    while end < text.end {
      let (scalarClass, next) = text.classify(at: end)
      guard scalarClass.isSpace else { break }
      end = next
    }
    return end
  }
}
