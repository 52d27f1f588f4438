import IngotCore

/// Python's `str.format`.
struct StringFormat {
  private let interpreter: Interpreter
  private let positional: [Value]
  private let named: (Text) throws(IngotError) -> Value?
  /// The next field without a number.
  private var automatic = 0
  private var usesNumbers = false

  static func format(
    _ text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> Text {
    var format = StringFormat(interpreter: interpreter, positional: arguments.positional) {
      (name) throws(IngotError) in arguments.value(named: name.string)
    }
    return try format.run(text, depth: 2)
  }

  static func format(
    _ text: Text, mapping: Value, _ interpreter: Interpreter
  ) throws(IngotError) -> Text {
    guard case .dict(let dict) = mapping else { throw .python("format_map() needs a mapping") }
    var format = StringFormat(interpreter: interpreter, positional: []) { (name) throws(IngotError) in
      dict[.string(name)]
    }
    return try format.run(text, depth: 2)
  }

  private init(
    interpreter: Interpreter, positional: [Value], named: @escaping (Text) throws(IngotError) -> Value?
  ) {
    (self.interpreter, self.positional, self.named) = (interpreter, positional, named)
  }

  private mutating func run(_ text: Text, depth: Int) throws(IngotError) -> Text {
    guard depth >= 0 else { throw .python("Max string recursion exceeded") }
    var result = Text()
    let bytes = text.bytes
    var at = 0
    while at < bytes.count {
      let byte = bytes[at]
      let next = at + 1 < bytes.count ? bytes[at + 1] : 0
      if (byte == 0x7B || byte == 0x7D) && next == byte {
        result.bytes.append(byte)
        at += 2
      } else if byte == 0x7D {
        throw .python("Single '}' encountered in format string")
      } else if byte == 0x7B {
        let end = try fieldEnd(bytes, from: at + 1)
        let value = try run(field: Text(bytes: bytes[(at + 1)..<end]), depth: depth)
        let field = text.isMarkup ? value.escaped : value
        try interpreter.charge(bytes: result.bytes.count + field.bytes.count)
        result.append(field)
        at = end + 1
      } else {
        result.bytes.append(byte)
        at += 1
      }
    }
    return result
  }

  /// The `}` that closes a field, past those of fields in its specification.
  private func fieldEnd(_ bytes: [UInt8], from start: Int) throws(IngotError) -> Int {
    var open = 1
    var inBrackets = false
    for at in start..<bytes.count {
      switch bytes[at] {
      case 0x5B where open == 1: inBrackets = true
      case 0x5D: inBrackets = false
      case 0x7B where !inBrackets: open += 1
      case 0x7D where !inBrackets:
        open -= 1
        if open == 0 { return at }
      default: break
      }
    }
    throw .python("expected '}' before end of string")
  }

  private mutating func run(field: Text, depth: Int) throws(IngotError) -> Text {
    let bytes = field.bytes
    var nameEnd = 0
    var inBrackets = false
    while nameEnd < bytes.count {
      let byte = bytes[nameEnd]
      if byte == 0x5B { inBrackets = true }
      if byte == 0x5D { inBrackets = false }
      if !inBrackets && (byte == 0x3A || byte == 0x21) { break }
      nameEnd += 1
    }
    var value = try look(up: Text(bytes: bytes[..<nameEnd]))
    var rest = bytes[nameEnd...]
    if rest.first == 0x21 {
      guard rest.count >= 2 else { throw .python("end of string while looking for conversion specifier") }
      switch rest[nameEnd + 1] {
      case 0x72: value = .string(try interpreter.repr(value))
      case 0x73: value = .string(try interpreter.text(value))
      case 0x61: value = .string(StringFormat.ascii(try interpreter.repr(value)))
      default: throw .python("Unknown conversion specifier in format string")
      }
      rest = rest.dropFirst(2)
      guard rest.isEmpty || rest.first == 0x3A else {
        throw .python("expected ':' after conversion specifier")
      }
    }
    let spec = try run(Text(bytes: rest.dropFirst()), depth: depth - 1)
    if spec.isEmpty { return try interpreter.text(value) }
    return try FormatSpec(spec).format(value, interpreter)
  }

  static func ascii(_ text: Text) -> Text {
    var result = Text()
    for scalar in text.scalars {
      if scalar.isASCII { result.append(scalar: scalar) } else { result.append(Text(scalar.pythonEscape)) }
    }
    return result
  }

  /// `name`, `0`, `name.attribute` or `name[index]`, and so on.
  private mutating func look(up path: Text) throws(IngotError) -> Value {
    let bytes = path.bytes
    var at = bytes.firstIndex { $0 == 0x2E || $0 == 0x5B } ?? bytes.count
    var value = try root(Text(bytes: bytes[..<at]))
    while at < bytes.count {
      if bytes[at] == 0x2E {
        let end = bytes[(at + 1)...].firstIndex { $0 == 0x2E || $0 == 0x5B } ?? bytes.count
        guard end > at + 1 else { throw .python("Empty attribute in format string") }
        value = try interpreter.attribute(String(decoding: bytes[(at + 1)..<end], as: UTF8.self), of: value)
        at = end
      } else if bytes[at] == 0x5B, let end = bytes[at...].firstIndex(of: 0x5D), end > at + 1 {
        let index = Text(bytes: bytes[(at + 1)..<end])
        let number = index.bytes.allSatisfy { (0x30...0x39).contains($0) } ? Int(index.string) : nil
        value = try interpreter.item(number.map(Value.int) ?? .string(index), of: value)
        at = end + 1
      } else {
        throw .python("a field name in the format string is malformed")
      }
    }
    return value
  }

  private mutating func root(_ name: Text) throws(IngotError) -> Value {
    if name.isEmpty {
      guard !usesNumbers else {
        throw .python("cannot switch from manual field specification to automatic field numbering")
      }
      automatic += 1
      return try positional(automatic - 1)
    }
    guard name.bytes.allSatisfy({ (0x30...0x39).contains($0) }) else {
      guard let value = try named(name) else {
        throw .python("the format string names '\(name.string)', which is not given")
      }
      return value
    }
    guard automatic == 0, let index = Int(name.string) else {
      throw .python("cannot switch from automatic field numbering to manual field specification")
    }
    usesNumbers = true
    return try positional(index)
  }

  private func positional(_ index: Int) throws(IngotError) -> Value {
    guard index < positional.count else {
      throw .python("Replacement index \(index) out of range for positional args tuple")
    }
    return positional[index]
  }
}
