import IngotCore

extension Lexer {
  /// Reads and appends one token of an expression.
  /// - Throws: `.template` for a character that starts none.
  mutating func lexToken() throws(IngotError) -> Token.Kind {
    let kind: Token.Kind
    let start = position
    let first = bytes[position]
    switch first {
    case 0x30...0x39: kind = try lexNumber()
    case 0x22, 0x27: kind = .string(try lexString(quote: first))
    default:
      let scalar = scalar(at: position)
      if first == 0x5F || scalar.properties.isXIDStart {
        kind = .name(lexName())
      } else if let symbol = lexSymbol() {
        kind = .symbol(symbol)
      } else {
        throw error("unexpected character \(Text([scalar]).pythonRepr)")
      }
    }
    tokens.append(Token(kind: kind, line: line))
    countLines(in: bytes[start..<position])
    return kind
  }

  private mutating func lexName() -> String {
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte < 0x80 {
        let isLetter = (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F
        guard isLetter || (0x30...0x39).contains(byte) else { break }
        position += 1
      } else {
        let scalar = scalar(at: position)
        guard scalar.properties.isXIDContinue else { break }
        position += UTF8.width(scalar)
      }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// One- and two-byte symbols by their bytes, the first in the low half.
  private static let symbols: [UInt16: Symbol] = {
    var symbols: [UInt16: Symbol] = [:]
    for symbol in Symbol.allCases {
      var key: UInt16 = 0
      for byte in symbol.rawValue.utf8.reversed() { key = key << 8 | UInt16(byte) }
      symbols[key] = symbol
    }
    return symbols
  }()

  private mutating func lexSymbol() -> Symbol? {
    let first = UInt16(bytes[position])
    if let second = byte(position + 1), let symbol = Lexer.symbols[UInt16(second) << 8 | first], second != 0 {
      position += 2
      return symbol
    }
    guard let symbol = Lexer.symbols[first] else { return nil }
    position += 1
    return symbol
  }

  /// Digits with single underscores between them.
  private func digits(from start: Int, _ isDigit: (UInt8) -> Bool) -> Int {
    var at = start
    while let next = byte(at) {
      if isDigit(next) {
        at += 1
      } else if next == 0x5F, at > start, bytes[at - 1] != 0x5F, let after = byte(at + 1), isDigit(after) {
        at += 1
      } else {
        break
      }
    }
    return at
  }

  private mutating func lexNumber() throws(IngotError) -> Token.Kind {
    func isDecimal(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let start = position
    let whole = digits(from: start, isDecimal)
    var end = whole
    // After a dot (`a.1.2`) digits are an index, never part of a float.
    if start == 0 || bytes[start - 1] != 0x2E {
      if byte(end) == 0x2E, let next = byte(end + 1), isDecimal(next) {
        end = digits(from: end + 1, isDecimal)
      }
      if byte(end) == 0x65 || byte(end) == 0x45 {
        let sign = byte(end + 1) == 0x2B || byte(end + 1) == 0x2D ? 1 : 0
        if let next = byte(end + 1 + sign), isDecimal(next) { end = digits(from: end + 1 + sign, isDecimal) }
      }
      if end > whole {
        position = end
        let text = String(decoding: bytes[start..<end].filter { $0 != 0x5F }, as: UTF8.self)
        return .float(Double(text) ?? .infinity)
      }
    }
    return .integer(try lexInteger(decimalEnd: whole))
  }

  private mutating func lexInteger(decimalEnd: Int) throws(IngotError) -> Int {
    let start = position
    var radix = 10
    var first = start
    var end = decimalEnd
    if bytes[start] == 0x30 {
      let radixes: [UInt8: Int] = [0x78: 16, 0x6F: 8, 0x62: 2]
      if let mark = byte(start + 1), let prefixed = radixes[mark | 0x20] {
        let body = byte(start + 2) == 0x5F ? start + 3 : start + 2
        let after = digits(from: body) { Int(String(UnicodeScalar($0)), radix: prefixed) != nil }
        if after > body { (radix, first, end) = (prefixed, body, after) }
      }
      // A leading zero stands alone, as in Python: `007` is two numbers.
      if radix == 10 { end = digits(from: start) { $0 == 0x30 } }
    }
    position = end
    let text = String(decoding: bytes[first..<end].filter { $0 != 0x5F }, as: UTF8.self)
    guard let value = Int(text, radix: radix) else {
      throw IngotError(
        .limit, "the integer \(text.prefix(40)) does not fit in 64 bits", at: .init(line: "\(line)"))
    }
    return value
  }

  private mutating func lexString(quote: UInt8) throws(IngotError) -> Text {
    var at = position + 1
    while let next = byte(at), next != quote { at += next == 0x5C ? 2 : 1 }
    guard at < bytes.count else { throw error("a string is not closed") }
    let body = bytes[(position + 1)..<at]
    position = at + 1
    return body.contains(0x5C) ? try unescaped(body) : Text(bytes: body)
  }

  /// Python's string escapes.
  private func unescaped(_ body: ArraySlice<UInt8>) throws(IngotError) -> Text {
    var result = Text()
    var at = body.startIndex
    while at < body.endIndex {
      let next = body[at]
      at += 1
      guard next == 0x5C, at < body.endIndex else {
        result.bytes.append(next)
        continue
      }
      let escape = body[at]
      at += 1
      switch escape {
      case 0x0A: break
      case 0x5C, 0x27, 0x22: result.bytes.append(escape)
      case 0x61: result.bytes.append(0x07)
      case 0x62: result.bytes.append(0x08)
      case 0x66: result.bytes.append(0x0C)
      case 0x6E: result.bytes.append(0x0A)
      case 0x72: result.bytes.append(0x0D)
      case 0x74: result.bytes.append(0x09)
      case 0x76: result.bytes.append(0x0B)
      case 0x30...0x37:
        var value = UInt32(escape - 0x30)
        for _ in 0..<2 where at < body.endIndex && (0x30...0x37).contains(body[at]) {
          value = value * 8 + UInt32(body[at] - 0x30)
          at += 1
        }
        result.append(scalar: try scalar(value))
      case 0x78, 0x75, 0x55:
        let count = escape == 0x78 ? 2 : escape == 0x75 ? 4 : 8
        let hex = String(decoding: body[at..<min(at + count, body.endIndex)], as: UTF8.self)
        guard hex.utf8.count == count, hex.utf8.first != 0x2B, hex.utf8.first != 0x2D,
          let value = UInt32(hex, radix: 16)
        else { throw error("a truncated escape in a string") }
        result.append(scalar: try scalar(value))
        at += count
      case 0x4E: throw error("escapes by character name are not supported")
      case 0x80...:
        // jinja2 escapes such characters first, so that the backslash only escapes that backslash.
        let value = scalar(at: at - 1).value
        let hex = String(value, radix: 16)
        let width = value < 0x100 ? 2 : value < 0x10000 ? 4 : 8
        let letter = value < 0x100 ? "x" : value < 0x10000 ? "u" : "U"
        result.append(Text("\\" + letter + String(repeating: "0", count: width - hex.utf8.count) + hex))
        at += UTF8.width(scalar(at: at - 1)) - 1
      default: result.bytes += [0x5C, escape]
      }
    }
    return result
  }

  private func scalar(_ value: UInt32) throws(IngotError) -> Unicode.Scalar {
    guard let scalar = Unicode.Scalar(value) else {
      throw error("an escape in a string names no character: \(String(value, radix: 16))")
    }
    return scalar
  }
}
