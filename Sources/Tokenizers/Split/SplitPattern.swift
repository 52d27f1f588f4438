import IngotCore

/// A compiled pattern that divides text: a hand-written scanner where the pattern is of a known family,
/// else a regular expression, else a literal.
enum SplitPattern: Sendable {
  case gpt2(GPT2Scanner)
  case words(WordScanner)
  case casedWords(CasedWordScanner)
  case set(SetScanner)
  case literal([UInt8])
  case regex(RegexProgram)

  /// Compiles a regular expression.
  /// - Parameter scanners: whether known families get their scanner; false only in tests.
  /// - Throws: `.tokenizer` for a syntax error, `.unsupported` for what is not executed.
  init(regex: String, scanners: Bool = true) throws(IngotError) {
    if scanners, let known = SplitPattern(knownRegex: regex) {
      self = known
    } else {
      self = .regex(try RegexProgram(regex))
    }
  }

  /// Calls `emit(start, end, isMatch)` for the matches in `text` and the stretches between them. Only a
  /// regular expression's match may be empty.
  /// - Throws: `.limit` when a regular expression backtracks without end.
  @inline(__always)
  func scan(_ text: ScalarText, _ emit: (Int, Int, Bool) -> Void) throws(IngotError) {
    switch self {
    case .gpt2(let scanner): scanner.scan(text, emit)
    case .words(let scanner): scanner.scan(text, emit)
    case .casedWords(let scanner): scanner.scan(text, emit)
    case .set(let scanner): scanner.scan(text, emit)
    case .literal(let bytes): Self.scanLiteral(bytes, text, emit)
    case .regex(let program): try Self.scanRegex(program, text, emit)
    }
  }

  private static func scanLiteral(
    _ literal: [UInt8], _ text: ScalarText, _ emit: (Int, Int, Bool) -> Void
  ) {
    guard let first = literal.first else {
      if text.end > 0 { emit(0, text.end, false) }
      return
    }
    var position = 0
    var gap = 0
    while position <= text.end - literal.count {
      guard text.base[position] == first,
        literal.indices.allSatisfy({ text.base[position + $0] == literal[$0] })
      else {
        position += 1
        continue
      }
      if gap < position { emit(gap, position, false) }
      emit(position, position + literal.count, true)
      position += literal.count
      gap = position
    }
    if gap < text.end { emit(gap, text.end, false) }
  }

  /// Successive matches, as Oniguruma's Rust binding iterates: an empty match directly after another
  /// match does not count.
  private static func scanRegex(
    _ program: RegexProgram, _ text: ScalarText, _ emit: (Int, Int, Bool) -> Void
  ) throws(IngotError) {
    var matcher = RegexMatcher(program, text)
    var position = 0
    var gap = 0
    var lastEnd = -1
    while position <= text.end {
      guard let end = try matcher.match(at: position), end > position || lastEnd != end else {
        position = position < text.end ? text.scalar(at: position).next : position + 1
        continue
      }
      if gap < position { emit(gap, position, false) }
      emit(position, end, true)
      (lastEnd, gap) = (end, end)
      position = end
      if end == text.end { break }
    }
    if gap < text.end { emit(gap, text.end, false) }
  }
}

/// Runs of scalars of one set: `[…]+`, or `[…]{1,n}`.
struct SetScanner: SplitScanner {
  let set: ScalarSet
  /// Most scalars in a match.
  let maximum: Int

  @inline(__always) func matchEnd(in text: ScalarText, at start: Int) -> Int {
    var position = start
    var count = 0
    while count < maximum, position < text.end {
      let (value, next) = text.scalar(at: position)
      guard set.contains(value, text.classes) else { break }
      position = next
      count &+= 1
    }
    return count > 0 ? position : -1
  }
}
