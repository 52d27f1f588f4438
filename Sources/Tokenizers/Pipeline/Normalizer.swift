import IngotCore

/// What is done to text before it is split.
/// Source: Hugging Face tokenizers 0.23, `normalizers`.
indirect enum Normalizer: Sendable {
  case unicode(UnicodeForm)
  case lowercase
  /// Puts a text in front of any that is not empty.
  case prepend(String)
  case replace(SplitPattern, with: [UInt8])
  case strip(left: Bool, right: Bool)
  case stripAccents
  /// GPT-2's alphabet for bytes.
  case byteLevel
  /// SentencePiece's rules.
  case charsmap(PrecompiledCharsmap, byCharacter: Bool)
  /// Spaces at both ends go, and of several in a row one stays.
  case collapseSpaces
  case sequence([Normalizer])

  /// Whether text of these bytes would come out as it is, as far as a look at the bytes can tell.
  func leavesAlone(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    switch self {
    case .unicode(let form): form.leavesAlone(bytes)
    case .lowercase: bytes.allSatisfy { $0 < 0x80 && !(0x41...0x5A).contains($0) }
    case .stripAccents: bytes.allSatisfy { $0 < 0x80 }
    case .sequence(let parts): parts.allSatisfy { $0.leavesAlone(bytes) }
    case .prepend, .replace, .strip, .byteLevel, .charsmap, .collapseSpaces: false
    }
  }

  /// Normalizes text in place.
  /// - Parameter cutsStart: set when the beginning of the text is removed.
  /// - Throws: `.limit` when a pattern backtracks without end, or the text grows without reason.
  func apply(_ text: inout [UInt8], cutsStart: inout Bool) throws(IngotError) {
    try apply(&text, cutsStart: &cutsStart, limit: Growth.limit(for: text.count))
  }

  private func apply(_ text: inout [UInt8], cutsStart: inout Bool, limit: Int) throws(IngotError) {
    switch self {
    case .unicode(let form):
      let isDone = text.withUnsafeBufferPointer { form.leavesAlone($0) }
      if !isDone { text = form.normalize(text) }
    case .lowercase: text = Self.mapScalars(text) { $0.properties.lowercaseMapping }
    case .prepend(let prefix): if !text.isEmpty { text.insert(contentsOf: prefix.utf8, at: 0) }
    case .replace(let pattern, let content): text = try pattern.replacing(text, with: content, limit: limit)
    case .strip(let left, let right): Self.strip(&text, left, right, &cutsStart)
    case .stripAccents:
      text = Self.mapScalars(text) { Self.accents.contains($0.value, .shared) ? "" : nil }
    case .byteLevel:
      var mapped: [UInt8] = []
      mapped.reserveCapacity(text.count * 2)
      ByteLevelAlphabet.encode(text, into: &mapped)
      text = mapped
    case .charsmap(let map, let byCharacter):
      text = byCharacter ? map.normalizeByCharacter(text) : map.normalize(text)
    case .collapseSpaces: text = Self.collapse(text)
    case .sequence(let parts):
      for part in parts { try part.apply(&text, cutsStart: &cutsStart, limit: limit) }
    }
    try Growth.check(text.count, limit)
  }

  /// The marks of Unicode 9, as with the normalization forms; three scalars were others then.
  private static let accents = ScalarSet(
    .union([
      .intersection([.categories(.mark), .age(upTo: 9), .not(.scalar(0x111C9))]), .range(0x1CF2, 0x1CF3),
    ]))

  /// Replaces each scalar by a text; nil keeps it.
  private static func mapScalars(_ text: [UInt8], _ map: (Unicode.Scalar) -> String?) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      if let mapped = map(scalar) {
        result += mapped.utf8
      } else {
        result += UTF8.encode(scalar)!
      }
    }
    return result
  }

  private static func collapse(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for byte in text where byte != 0x20 || (result.last ?? 0x20) != 0x20 { result.append(byte) }
    if result.last == 0x20 { result.removeLast() }
    return result
  }

  private static func strip(_ text: inout [UInt8], _ left: Bool, _ right: Bool, _ cutsStart: inout Bool) {
    let (start, end) = text.withUnsafeBufferPointer { bytes in
      let view = ScalarText(bytes)
      var (start, end) = (0, view.end)
      while left, start < end {
        let (scalarClass, next) = view.classify(at: start)
        guard scalarClass.isSpace else { break }
        start = next
      }
      while right, end > start {
        let last = view.before(end)
        guard view.classify(at: last).class.isSpace else { break }
        end = last
      }
      return (start, end)
    }
    if start > 0 { cutsStart = true }
    if end - start < text.count { text = Array(text[start..<end]) }
  }
}

/// How much longer the steps of a file may make a text: without a bound, a short file and a short text
/// could take all memory.
enum Growth {
  static func limit(for byteCount: Int) -> Int { max(1 << 24, 64 * byteCount) }

  static func check(_ byteCount: Int, _ limit: Int) throws(IngotError) {
    guard byteCount <= limit else {
      throw IngotError(.limit, "the tokenizer's steps make a text longer than \(limit) bytes")
    }
  }
}

extension SplitPattern {
  /// Text with every match replaced.
  /// - Throws: `.limit` when a regular expression backtracks without end, or the text becomes longer
  ///   than `limit`.
  func replacing(_ text: [UInt8], with content: [UInt8], limit: Int) throws(IngotError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 4)
    var length = 0
    try text.withUnsafeBufferPointer { (bytes) throws(IngotError) in
      try scan(ScalarText(bytes)) { start, end, isMatch in
        length += isMatch ? content.count : end - start
        if length > limit { return }
        if isMatch {
          result += content
        } else {
          result.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<end]))
        }
      }
    }
    try Growth.check(length, limit)
    return result
  }
}
