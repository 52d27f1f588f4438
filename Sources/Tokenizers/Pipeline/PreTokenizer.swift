import IngotCore

/// The steps that divide normalized text into the pieces a model encodes one by one.
/// Source: Hugging Face tokenizers 0.23, `pre_tokenizers` and `tokenizer/normalizer.rs`.
struct PreTokenizer: Sendable {
  /// What becomes of the matches of a pattern.
  enum Behavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  /// Where Metaspace puts its mark in front.
  enum PrependScheme: String, Sendable {
    case always, first, never
  }

  enum Step: Sendable {
    case split(SplitPattern, Behavior, invert: Bool)
    /// Spaces become the replacement, which is also put in front.
    case metaspace(replacement: [UInt8], PrependScheme)
    /// A space in front of every piece that has none.
    case prefixSpace
    /// GPT-2's alphabet for bytes.
    case byteLevel
  }

  var steps: [Step] = []

  /// Divides text and calls `body` with the pieces.
  /// - Parameter isStart: whether the text is the beginning of what is encoded.
  /// - Throws: `.limit` when a pattern backtracks without end.
  func forEachPiece(
    _ text: UnsafeBufferPointer<UInt8>, isStart: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws(IngotError) {
    guard !text.isEmpty else { return }
    // The usual case needs no list of pieces.
    if steps.count == 1, case .split(let pattern, .isolated, _) = steps[0] {
      return try pattern.scan(ScalarText(text)) { start, end, _ in
        if start < end { body(UnsafeBufferPointer(rebasing: text[start..<end])) }
      }
    }
    var pieces = [0..<text.count]
    var changed: [UInt8]?
    let limit = Growth.limit(for: text.count)
    for step in steps {
      if let bytes = changed {
        try bytes.withUnsafeBufferPointer { (bytes) throws(IngotError) in
          try apply(step, bytes, isStart, &pieces, &changed)
        }
      } else {
        try apply(step, text, isStart, &pieces, &changed)
      }
      try Growth.check(changed?.count ?? 0, limit)
    }
    func emit(_ bytes: UnsafeBufferPointer<UInt8>) {
      for piece in pieces where !piece.isEmpty { body(UnsafeBufferPointer(rebasing: bytes[piece])) }
    }
    if let changed { changed.withUnsafeBufferPointer { emit($0) } } else { emit(text) }
  }

  private func apply(
    _ step: Step, _ bytes: UnsafeBufferPointer<UInt8>, _ isStart: Bool, _ pieces: inout [Range<Int>],
    _ changed: inout [UInt8]?
  ) throws(IngotError) {
    switch step {
    case .split(let pattern, let behavior, let invert):
      var divided: [Range<Int>] = []
      divided.reserveCapacity(bytes.count / 4)
      for piece in pieces {
        let text = UnsafeBufferPointer(rebasing: bytes[piece])
        try Self.split(text, at: piece.lowerBound, pattern, behavior, invert, into: &divided)
      }
      pieces = divided
    case .metaspace(let replacement, let scheme):
      changed = Self.rewrite(bytes, &pieces) { piece, range, result in
        let isPrepended =
          switch scheme {
          case .always: true
          case .first: isStart && range.lowerBound == 0
          case .never: false
          }
        // A space at the front has become the replacement already.
        if isPrepended, piece.first != 0x20, !piece.starts(with: replacement) { result += replacement }
        for byte in piece { if byte == 0x20 { result += replacement } else { result.append(byte) } }
      }
    case .prefixSpace:
      changed = Self.rewrite(bytes, &pieces) { piece, _, result in
        if piece.first != 0x20 { result.append(0x20) }
        result.append(contentsOf: piece)
      }
    case .byteLevel:
      changed = Self.rewrite(bytes, &pieces) { piece, _, result in
        ByteLevelAlphabet.encode(piece, into: &result)
      }
    }
  }

  /// Writes every piece anew.
  private static func rewrite(
    _ bytes: UnsafeBufferPointer<UInt8>, _ pieces: inout [Range<Int>],
    _ write: (UnsafeBufferPointer<UInt8>, Range<Int>, inout [UInt8]) -> Void
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 4 + 16)
    for index in pieces.indices where !pieces[index].isEmpty {
      let start = result.count
      write(UnsafeBufferPointer(rebasing: bytes[pieces[index]]), pieces[index], &result)
      pieces[index] = start..<result.count
    }
    return result
  }

  /// Divides one piece, which begins at `offset`, by a pattern.
  private static func split(
    _ text: UnsafeBufferPointer<UInt8>, at offset: Int, _ pattern: SplitPattern, _ behavior: Behavior,
    _ invert: Bool, into pieces: inout [Range<Int>]
  ) throws(IngotError) {
    let first = pieces.count
    var previousMatched = false
    switch behavior {
    case .isolated:
      try pattern.scan(ScalarText(text)) { start, end, _ in
        if start < end { pieces.append(offset + start..<offset + end) }
      }
    case .removed:
      try pattern.scan(ScalarText(text)) { start, end, isMatch in
        if start < end, isMatch == invert { pieces.append(offset + start..<offset + end) }
      }
    case .contiguous:
      try pattern.scan(ScalarText(text)) { start, end, matched in
        let isMatch = matched != invert
        if isMatch == previousMatched, pieces.count > first {
          pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<offset + end
        } else {
          pieces.append(offset + start..<offset + end)
        }
        previousMatched = isMatch
      }
    case .mergedWithPrevious:
      try pattern.scan(ScalarText(text)) { start, end, matched in
        let isMatch = matched != invert
        if isMatch, !previousMatched, pieces.count > first {
          pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<offset + end
        } else {
          pieces.append(offset + start..<offset + end)
        }
        previousMatched = isMatch
      }
    case .mergedWithNext:
      // The first of the matches right before a stretch without match joins it; since it is decided
      // from the end, the joining match is the last one.
      var isPending = false
      try pattern.scan(ScalarText(text)) { start, end, matched in
        let isMatch = matched != invert
        if !isMatch, isPending {
          pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<offset + end
        } else {
          pieces.append(offset + start..<offset + end)
        }
        isPending = isMatch
      }
    }
  }
}
