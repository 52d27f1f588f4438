/// The family of cl100k, Llama 3, Qwen and DeepSeek V3:
/// `(?i:'s|'t|…)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
/// with its parts varied.
struct WordScanner: SplitScanner, Equatable {
  /// Scalars that may follow a run of symbols.
  enum Tail: Sendable, Hashable {
    case none, newlines, newlinesAndSlash
  }

  var contractions = Contractions.none
  /// DeepSeek: an ASCII symbol with ASCII letters after it is a word.
  var symbolWords = false
  /// What a word may not begin with, besides `\r` and `\n`, unless it is of the word itself.
  var notPrefix: CategoryMask = [.letter, .number]
  /// What a word is made of; empty when words are matched elsewhere.
  var word: CategoryMask = .letter
  /// Most digits in a piece; 0 when digits are not matched.
  var digits = 0
  /// What a run of symbols is made of, white space excepted.
  var symbols = CategoryMask.all.subtracting([.letter, .number])
  var tail = Tail.newlines
  /// Whether there is an alternative `\s*[\r\n]+`.
  var newlines = true

  @inline(__always) func matchEnd(in text: ScalarText, at start: Int) -> Int {
    if !word.isEmpty {
      let contraction = text.contractionEnd(start, contractions)
      if contraction >= 0 { return contraction }
      let end = wordEnd(text, start)
      if end >= 0 { return end }
    }
    return restEnd(text, start)
  }

  @inline(__always) private func wordEnd(_ text: ScalarText, _ start: Int) -> Int {
    let byte = text.base[start]
    if symbolWords, byte.isASCIISymbol, text.byte(at: start &+ 1).isASCIILetter {
      var end = start &+ 2
      while end < text.end, text.base[end].isASCIILetter { end &+= 1 }
      return end
    }
    let (first, next) = text.classify(at: start)
    if !notPrefix.contains(first), byte != 0x0A, byte != 0x0D, next < text.end {
      let (second, afterSecond) = text.classify(at: next)
      if word.contains(second) { return text.runEnd(afterSecond, word) }
    }
    return word.contains(first) ? text.runEnd(next, word) : -1
  }

  /// The alternatives after words: digits, symbols, white space.
  @inline(__always) func restEnd(_ text: ScalarText, _ start: Int) -> Int {
    let (first, next) = text.classify(at: start)
    if digits > 0, CategoryMask.number.contains(first) { return digitsEnd(text, next) }
    var symbolStart = start
    if text.base[start] == 0x20, next < text.end { symbolStart = next }
    let symbolEnd = text.visibleRunEnd(symbolStart, symbols)
    if symbolEnd > symbolStart { return tailEnd(text, symbolEnd) }
    return first.isSpace ? text.spaceEnd(start, newlines: newlines) : -1
  }

  @inline(__always) private func digitsEnd(_ text: ScalarText, _ second: Int) -> Int {
    var position = second
    var count = 1
    while count < digits, position < text.end {
      let (scalarClass, next) = text.classify(at: position)
      guard CategoryMask.number.contains(scalarClass) else { break }
      position = next
      count &+= 1
    }
    return position
  }

  @inline(__always) private func tailEnd(_ text: ScalarText, _ start: Int) -> Int {
    guard tail != .none else { return start }
    var position = start
    while position < text.end {
      let byte = text.base[position]
      guard byte == 0x0A || byte == 0x0D || (byte == 0x2F && tail == .newlinesAndSlash) else { break }
      position &+= 1
    }
    return position
  }
}

/// The family of o200k: words split where lower case turns to upper case, contractions at their end.
///
/// `[^\r\n\p{L}\p{N}]?U*L+(?i:'s|'t|…)?|[^\r\n\p{L}\p{N}]?U+L*(?i:'s|'t|…)?|…` with
/// U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, L = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`.
struct CasedWordScanner: SplitScanner {
  static let upper: CategoryMask = [
    .uppercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .mark,
  ]
  static let lower: CategoryMask = [.lowercaseLetter, .modifierLetter, .otherLetter, .mark]

  var contractions = Contractions.anyCase
  /// The alternatives after words.
  var rest: WordScanner

  @inline(__always) func matchEnd(in text: ScalarText, at start: Int) -> Int {
    let (first, next) = text.classify(at: start)
    let byte = text.base[start]
    let notPrefix: CategoryMask = [.letter, .number]
    let hasPrefix = !notPrefix.contains(first) && byte != 0x0A && byte != 0x0D
    var end = -1
    if hasPrefix { end = lowerWordEnd(text, next) }
    if end < 0 { end = lowerWordEnd(text, start) }
    if end < 0, hasPrefix { end = upperWordEnd(text, next) }
    if end < 0 { end = upperWordEnd(text, start) }
    guard end >= 0 else { return rest.restEnd(text, start) }
    let contraction = text.contractionEnd(end, contractions)
    return contraction >= 0 ? contraction : end
  }

  /// `U*L+`: as much of both as there is; when nothing of L follows, U gives back down to its last
  /// scalar that is of L as well.
  @inline(__always) private func lowerWordEnd(_ text: ScalarText, _ start: Int) -> Int {
    var position = start
    var lastShared = -1
    while position < text.end {
      let (scalarClass, next) = text.classify(at: position)
      guard Self.upper.contains(scalarClass) else { break }
      if Self.lower.contains(scalarClass) { lastShared = next }
      position = next
    }
    let end = text.runEnd(position, Self.lower)
    return end > position ? end : lastShared
  }

  /// `U+L*`
  @inline(__always) private func upperWordEnd(_ text: ScalarText, _ start: Int) -> Int {
    let middle = text.runEnd(start, Self.upper)
    return middle > start ? text.runEnd(middle, Self.lower) : -1
  }
}

extension UInt8 {
  @inline(__always) fileprivate var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }

  /// ASCII punctuation and symbols.
  @inline(__always) fileprivate var isASCIISymbol: Bool {
    self > 0x20 && self < 0x7F && !isASCIILetter && self &- 0x30 >= 10
  }
}
