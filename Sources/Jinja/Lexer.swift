import IngotCore

/// Splits a template into tokens and applies white-space control, as jinja2's lexer does.
///
/// Source: the regular expressions of `jinja2/lexer.py`, 3.1.6, which state the rules for `-`, `+`,
/// `trim_blocks` and `lstrip_blocks`.
struct Lexer {
  let options: TemplateOptions
  let bytes: [UInt8]
  var position = 0
  var line = 1
  var tokens: [Token] = []
  /// Whether what was read last ended a line; only then may `lstrip_blocks` strip the first text.
  var lineStarting = true

  init(_ source: String, options: TemplateOptions) {
    self.options = options
    bytes = Lexer.normalized(source)
  }

  /// All tokens, ending in `.end`.
  /// - Throws: `.template` with the line.
  mutating func tokenize() throws(IngotError) -> [Token] {
    while position < bytes.count {
      guard let opening = nextOpening() else {
        emitData(bytes[position...])
        position = bytes.count
        break
      }
      try lexOpening(at: opening)
    }
    tokens.append(Token(kind: .end, line: line))
    return tokens
  }

  /// Line ends become `\n`, and one at the very end goes.
  private static func normalized(_ source: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.utf8.count)
    var previous: UInt8 = 0
    for byte in source.utf8 {
      if byte == 0x0A && previous == 0x0D {
        previous = byte
        continue
      }
      bytes.append(byte == 0x0D ? 0x0A : byte)
      previous = byte
    }
    if bytes.last == 0x0A { bytes.removeLast() }
    return bytes
  }

  /// The next `{{`, `{%` or `{#`.
  private func nextOpening() -> Int? {
    var at = position
    while at + 1 < bytes.count {
      if bytes[at] == 0x7B {
        let next = bytes[at + 1]
        if next == 0x7B || next == 0x25 || next == 0x23 { return at }
      }
      at += 1
    }
    return nil
  }

  private mutating func lexOpening(at opening: Int) throws(IngotError) {
    let kind = bytes[opening + 1]
    var after = opening + 2
    let sign: UInt8? = byte(after) == 0x2D || byte(after) == 0x2B ? bytes[after] : nil
    let rawBody = kind == 0x25 ? rawBlockBody(after: sign == nil ? after : after + 1) : nil
    if sign != nil { after += 1 }
    emitText(upTo: opening, sign: sign, isVariable: kind == 0x7B)
    if let rawBody {
      countLines(in: bytes[opening..<rawBody])
      position = rawBody
      lineStarting = false
      try lexRaw()
      return
    }
    position = after
    lineStarting = false
    switch kind {
    case 0x23: try lexComment()
    case 0x25: try lexTag(end: 0x25, begin: .blockBegin, close: .blockEnd)
    default: try lexTag(end: 0x7D, begin: .variableBegin, close: .variableEnd)
    }
  }

  /// Emits the text before a tag, stripped as the tag's sign and the options ask.
  private mutating func emitText(upTo end: Int, sign: UInt8?, isVariable: Bool) {
    var text = bytes[position..<end]
    if sign == 0x2D {
      text = trimmedRight(text)
    } else if sign == nil && options.lstripBlocks && !isVariable {
      let lineStart = text.lastIndex(of: 0x0A).map { $0 + 1 } ?? text.startIndex
      if lineStart > text.startIndex || lineStarting, trimmedRight(text[lineStart...]).isEmpty {
        text = text[..<lineStart]
      }
    }
    emitData(text)
    countLines(in: bytes[(position + text.count)..<end])
  }

  private mutating func emitData(_ text: ArraySlice<UInt8>) {
    if !text.isEmpty { tokens.append(Token(kind: .data(Text(bytes: text)), line: line)) }
    countLines(in: text)
  }

  private func trimmedRight(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var end = text.endIndex
    while end > text.startIndex {
      var start = end - 1
      while start > text.startIndex, bytes[start] & 0xC0 == 0x80 { start -= 1 }
      guard scalar(at: start).isPythonSpace else { break }
      end = start
    }
    return text[..<end]
  }

  /// Where the content of `{% raw %}` starts, if this is one; `after` is behind `{%` and its sign.
  private func rawBlockBody(after: Int) -> Int? {
    var at = skippingSpace(from: after)
    guard matches("raw", at: at) else { return nil }
    at = skippingSpace(from: at + 3)
    if matches("-%}", at: at) { return skippingSpace(from: at + 3) }
    return matches("%}", at: at) ? at + 2 : nil
  }

  /// Text up to `{% endraw %}`.
  private mutating func lexRaw() throws(IngotError) {
    // Like jinja2, and like a comment, one that has no text at all is let pass.
    if position == bytes.count { return }
    let start = line
    // `line_starting` still says how the match before this one ended.
    lineStarting = position > 0 && bytes[position - 1] == 0x0A
    var at = position
    while at < bytes.count {
      if bytes[at] == 0x7B, byte(at + 1) == 0x25 {
        var inner = at + 2
        let sign: UInt8? = byte(inner) == 0x2D || byte(inner) == 0x2B ? bytes[inner] : nil
        if sign != nil { inner += 1 }
        inner = skippingSpace(from: inner)
        if matches("endraw", at: inner) {
          inner = skippingSpace(from: inner + 6)
          if let end = closing(0x25, at: inner, allowsPlus: true, trims: options.trimBlocks) {
            emitText(upTo: at, sign: sign, isVariable: false)
            finish(from: at, at: end)
            return
          }
        }
      }
      at += 1
    }
    throw error("'{% raw %}' without '{% endraw %}'", line: start)
  }

  private mutating func lexComment() throws(IngotError) {
    if position == bytes.count { return }
    var at = position
    while at < bytes.count {
      if let end = closing(0x23, at: at, allowsPlus: true, trims: options.trimBlocks) {
        finish(from: position, at: end)
        return
      }
      at += 1
    }
    throw error("'{#' without '#}'")
  }

  /// The tokens of one `{{ … }}` or `{% … %}`.
  private mutating func lexTag(
    end: UInt8, begin: Token.Kind, close: Token.Kind
  ) throws(IngotError) {
    let isBlock = end == 0x25
    let start = line
    tokens.append(Token(kind: begin, line: line))
    var open: [Symbol] = []
    while position < bytes.count {
      if open.isEmpty,
        let after = closing(end, at: position, allowsPlus: isBlock, trims: isBlock && options.trimBlocks)
      {
        tokens.append(Token(kind: close, line: line))
        finish(from: position, at: after)
        return
      }
      if scalar(at: position).isPythonSpace {
        let after = skippingSpace(from: position)
        countLines(in: bytes[position..<after])
        position = after
        continue
      }
      let kind = try lexToken()
      if case .symbol(let symbol) = kind {
        if let closing = symbol.closing {
          open.append(closing)
        } else if symbol.isClosing {
          guard let expected = open.popLast() else { throw error("unexpected '\(symbol.rawValue)'") }
          guard expected == symbol else {
            throw error("unexpected '\(symbol.rawValue)', expected '\(expected.rawValue)'")
          }
        }
      }
    }
    throw error("'\(isBlock ? "{%" : "{{")' is not closed", line: start)
  }

  /// Where a closing delimiter that starts here ends, including the white space it swallows.
  private func closing(_ mark: UInt8, at start: Int, allowsPlus: Bool, trims: Bool) -> Int? {
    if byte(start) == 0x2D, byte(start + 1) == mark, byte(start + 2) == 0x7D {
      return skippingSpace(from: start + 3)
    }
    if allowsPlus, byte(start) == 0x2B, byte(start + 1) == mark, byte(start + 2) == 0x7D { return start + 3 }
    guard byte(start) == mark, byte(start + 1) == 0x7D else { return nil }
    return trims && byte(start + 2) == 0x0A ? start + 3 : start + 2
  }

  private mutating func finish(from start: Int, at end: Int) {
    countLines(in: bytes[start..<end])
    position = end
    lineStarting = bytes[end - 1] == 0x0A
  }
}

extension Lexer {
  func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

  func matches(_ word: StaticString, at start: Int) -> Bool {
    guard start + word.utf8CodeUnitCount <= bytes.count else { return false }
    for offset in 0..<word.utf8CodeUnitCount where bytes[start + offset] != word.utf8Start[offset] {
      return false
    }
    return true
  }

  /// The scalar that starts at a byte.
  func scalar(at index: Int) -> Unicode.Scalar {
    if bytes[index] < 0x80 { return Unicode.Scalar(bytes[index]) }
    let tail = bytes[index..<min(index + 4, bytes.count)]
    return String(decoding: tail, as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
  }

  func skippingSpace(from start: Int) -> Int {
    var at = start
    while at < bytes.count {
      let scalar = scalar(at: at)
      guard scalar.isPythonSpace else { break }
      at += UTF8.width(scalar)
    }
    return at
  }

  mutating func countLines(in text: ArraySlice<UInt8>) {
    for byte in text where byte == 0x0A { line += 1 }
  }

  func error(_ what: String, line: Int? = nil) -> IngotError {
    IngotError(.template, what, at: .init(line: "\(line ?? self.line)"))
  }
}
