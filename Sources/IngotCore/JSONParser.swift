/// Parses JSON text (RFC 8259) over bytes, bounds-checked, in one pass.
///
/// Accepts a UTF-8 byte order mark and Python's `NaN`, `Infinity` and `-Infinity`, which checkpoints in
/// the wild contain. Depth is limited, so a hostile file cannot exhaust the stack.
public struct JSONParser {
  /// Deepest nesting of arrays and objects accepted.
  public static let maximumDepth = 512

  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String?
  private let baseOffset: Int
  private var position = 0
  private var depth = 0

  private init(_ bytes: UnsafeBufferPointer<UInt8>, file: String?, baseOffset: Int) {
    (self.bytes, self.file, self.baseOffset) = (bytes, file, baseOffset)
  }

  /// Parses one document that fills the bytes.
  /// - Parameters:
  ///   - file: named in errors.
  ///   - baseOffset: where the bytes begin in that file, for the offsets in errors.
  /// - Throws: `.format` with the byte offset of the first fault.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, file: String? = nil, baseOffset: Int = 0
  ) throws(IngotError) -> JSONValue {
    var parser = JSONParser(
      bytes.assumingMemoryBound(to: UInt8.self), file: file, baseOffset: baseOffset)
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { parser.position = 3 }
    let value = try parser.parseValue()
    parser.skipSpace()
    guard parser.position == bytes.count else { throw parser.error("text after the document") }
    return value
  }

  /// Parses a string.
  /// - Throws: `.format` with the byte offset of the first fault.
  public static func parse(_ text: String, file: String? = nil) throws(IngotError) -> JSONValue {
    let utf8 = Array(text.utf8)
    let result: Result<JSONValue, IngotError> = utf8.withUnsafeBytes { buffer in
      do throws(IngotError) { return .success(try parse(buffer, file: file)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Parses a whole file.
  /// - Throws: `.io` or `.format`, naming the file.
  public static func parse(path: String) throws(IngotError) -> JSONValue {
    let file = try MappedFile(path: path)
    // The bytes are there as long as the object is.
    defer { withExtendedLifetime(file) {} }
    return try parse(file.bytes, file: path)
  }

  private func error(_ what: String, at offset: Int? = nil) -> IngotError {
    IngotError(
      .format, "broken JSON: \(what)", at: .init(file: file, offset: baseOffset + (offset ?? position)))
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func parseValue() throws(IngotError) -> JSONValue {
    skipSpace()
    guard position < bytes.count else { throw error("the text ends where a value should be") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try parseObject()
    case UInt8(ascii: "["): return try parseArray()
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    case UInt8(ascii: "N"): return try parseWord("NaN", .double(.nan))
    case UInt8(ascii: "I"): return try parseWord("Infinity", .double(.infinity))
    default: return try parseNumber()
    }
  }

  private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(IngotError) -> JSONValue {
    let length = word.utf8CodeUnitCount
    guard bytes.count - position >= length,
      (0..<length).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
    else { throw error("unknown word") }
    position += length
    return value
  }

  private mutating func enter() throws(IngotError) {
    depth += 1
    position += 1
    guard depth <= Self.maximumDepth else {
      throw error("nested deeper than \(Self.maximumDepth) levels")
    }
  }

  private mutating func parseObject() throws(IngotError) -> JSONValue {
    try enter()
    var members: [JSONObject.Member] = []
    skipSpace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
      position += 1
      depth -= 1
      return .object(JSONObject())
    }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw error("a member needs a key in quotes")
      }
      let key = try parseString()
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
        throw error("a colon should follow the key")
      }
      position += 1
      members.append(JSONObject.Member(key, try parseValue()))
      if try closes(with: UInt8(ascii: "}")) { return .object(JSONObject(members)) }
    }
  }

  private mutating func parseArray() throws(IngotError) -> JSONValue {
    try enter()
    var elements: [JSONValue] = []
    skipSpace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
      position += 1
      depth -= 1
      return .array([])
    }
    while true {
      elements.append(try parseValue())
      if try closes(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  /// After an element: true at the closing bracket, false at a comma.
  private mutating func closes(with bracket: UInt8) throws(IngotError) -> Bool {
    skipSpace()
    guard position < bytes.count else { throw error("the text ends inside an array or object") }
    let byte = bytes[position]
    guard byte == bracket || byte == UInt8(ascii: ",") else {
      throw error("a comma or closing bracket should follow")
    }
    position += 1
    if byte == bracket { depth -= 1 }
    return byte == bracket
  }
}

extension JSONParser {
  private mutating func parseNumber() throws(IngotError) -> JSONValue {
    let start = position
    var isInteger = true
    if bytes[position] == UInt8(ascii: "-") {
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "I") {
        return try parseWord("Infinity", .double(-.infinity))
      }
    }
    let digits = position
    try skipDigits()
    if bytes[digits] == UInt8(ascii: "0"), position - digits > 1 {
      throw error("a number must not begin with a zero", at: start)
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try skipDigits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      try skipDigits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text) { return .int(value) }
    guard let value = Double(text) else { throw error("not a number", at: start) }
    return .double(value)
  }

  private mutating func skipDigits() throws(IngotError) {
    let start = position
    while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
    guard position > start else { throw error("a value should be here") }
  }

  private mutating func parseString() throws(IngotError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        // No escape: the bytes are the text.
        guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
          throw error("a string is not valid UTF-8", at: start)
        }
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
      guard byte >= 0x20 else { throw error("a control character inside a string") }
      position += 1
    }
    throw error("a string does not end", at: start)
  }

  private mutating func parseEscapedString(from start: Int) throws(IngotError) -> String {
    var text = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw error("a string is not valid UTF-8", at: start)
        }
        return string
      }
      if byte == UInt8(ascii: "\\") {
        position += 1
        try parseEscape(into: &text)
        continue
      }
      guard byte >= 0x20 else { throw error("a control character inside a string") }
      text.append(byte)
      position += 1
    }
    throw error("a string does not end", at: start)
  }

  private mutating func parseEscape(into text: inout [UInt8]) throws(IngotError) {
    guard position < bytes.count else { throw error("the text ends inside an escape") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var unit = try parseHex4()
      if (0xD800..<0xDC00).contains(unit), position + 1 < bytes.count,
        bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
      {
        let mark = position
        position += 2
        let low = try parseHex4()
        if (0xDC00..<0xE000).contains(low) {
          unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        } else {
          position = mark
        }
      }
      // A lone surrogate has no UTF-8 form; it reads as U+FFFD.
      let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
      text.append(contentsOf: UTF8.encode(scalar)!)
    default: throw error("unknown escape", at: position - 1)
    }
  }

  private mutating func parseHex4() throws(IngotError) -> UInt32 {
    guard bytes.count - position >= 4 else { throw error("the text ends inside an escape") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = bytes[position]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x41 + 10
      case 0x61...0x66: digit = byte - 0x61 + 10
      default: throw error("an escape needs four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
