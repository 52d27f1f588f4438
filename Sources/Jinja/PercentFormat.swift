import IngotCore

/// Python's `format % arguments`.
struct PercentFormat {
  private let interpreter: Interpreter
  private var arguments: ArraySlice<Value>
  /// The argument when it can be subscripted: not all of it need be used then.
  private let mapping: Value?
  /// Whether the format is markup, which escapes what it takes in.
  private let isMarkup: Bool

  /// - Throws: `.template` for a bad conversion, or too few or too many arguments.
  static func format(
    _ text: Text, _ argument: Value, _ interpreter: Interpreter
  ) throws(IngotError) -> Text {
    var format = PercentFormat(interpreter, argument, isMarkup: text.isMarkup)
    return try format.run(text).markup(like: text)
  }

  private init(_ interpreter: Interpreter, _ argument: Value, isMarkup: Bool) {
    (self.interpreter, self.isMarkup) = (interpreter, isMarkup)
    if case .tuple(let list) = argument { arguments = list.items[...] } else { arguments = [argument] }
    switch argument {
    case .dict, .list, .undefined: mapping = argument
    case .object(let object): mapping = object.isSequence ? argument : nil
    case .none, .bool, .int, .float, .string, .tuple: mapping = nil
    }
  }

  private mutating func run(_ text: Text) throws(IngotError) -> Text {
    var result = Text()
    var rest = text.scalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        result.append(scalar: scalar)
        continue
      }
      let converted = try convert(&rest)
      try interpreter.charge(bytes: result.bytes.count + converted.bytes.count)
      result.append(converted)
    }
    guard arguments.isEmpty || mapping != nil else {
      throw .python("not all arguments converted during string formatting")
    }
    return result
  }

  private mutating func next() throws(IngotError) -> Value {
    guard let value = arguments.popFirst() else { throw .python("not enough arguments for format string") }
    return value
  }

  private mutating func convert(_ rest: inout ArraySlice<Unicode.Scalar>) throws(IngotError) -> Text {
    var keyed: Value?
    if rest.first == "(" {
      guard case .dict(let dict)? = mapping else { throw .python("format requires a mapping") }
      var name = Text()
      var open = 1
      rest.removeFirst()
      while open > 0 {
        guard let scalar = rest.popFirst() else { throw .python("incomplete format key") }
        if scalar == "(" { open += 1 }
        if scalar == ")" { open -= 1 }
        if open > 0 { name.append(scalar: scalar) }
      }
      guard let value = dict[.string(name)] else { throw .python("format key '\(name.string)' is missing") }
      keyed = value
    }
    var flags: Set<Unicode.Scalar> = []
    while let flag = rest.first, "-+ #0".unicodeScalars.contains(flag) {
      flags.insert(flag)
      rest.removeFirst()
    }
    var width = try size(&rest) ?? 0
    if width < 0 {
      flags.insert("-")
      width = width == .min ? .max : -width
    }
    var precision: Int?
    if rest.first == "." {
      rest.removeFirst()
      precision = max(try size(&rest) ?? 0, 0)
    }
    while let modifier = rest.first, "hlL".unicodeScalars.contains(modifier) { rest.removeFirst() }
    guard let conversion = rest.popFirst() else { throw .python("incomplete format") }
    try interpreter.charge(bytes: 1, times: max(width, precision ?? 0))
    if conversion == "%" { return "%" }
    let value: Value
    if let keyed { value = keyed } else { value = try next() }
    let (sign, body, isNumber) = try convert(value, conversion, precision, flags)
    let signText =
      sign == "-" ? "-" : !isNumber ? "" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : ""
    if flags.contains("-") { return (Text(signText) + body).padded(to: width, .right) }
    if flags.contains("0") && isNumber {
      return Text(signText) + body.padded(to: width - signText.utf8.count, .left, with: "0")
    }
    return (Text(signText) + body).padded(to: width, .left)
  }

  /// A width or precision: digits, or `*` for an argument.
  private mutating func size(_ rest: inout ArraySlice<Unicode.Scalar>) throws(IngotError) -> Int? {
    guard rest.first == "*" else { return try FormatSpec.number(&rest) }
    rest.removeFirst()
    guard case .int(let value) = try next() else { throw .python("* wants int") }
    return value
  }

  private func convert(
    _ value: Value, _ conversion: Unicode.Scalar, _ precision: Int?, _ flags: Set<Unicode.Scalar>
  ) throws(IngotError) -> (sign: String, body: Text, isNumber: Bool) {
    func cut(_ text: Text) -> Text { precision.map { text.prefix($0) } ?? text }
    let isAlternate = flags.contains("#")
    switch conversion {
    case "s":
      let text = try interpreter.text(value)
      return ("", cut(isMarkup ? text.escaped : text), false)
    case "r":
      let text = try interpreter.repr(value)
      return ("", cut(isMarkup ? text.escaped : text), false)
    case "a": return ("", cut(StringFormat.ascii(try interpreter.repr(value))), false)
    case "c":
      if case .string(let text) = value, text.count == 1 { return ("", text, false) }
      guard let code = value.integer, code >= 0, code < 0x110000, let scalar = Unicode.Scalar(UInt32(code))
      else {
        throw .python("%c requires int or char")
      }
      return ("", Text([scalar]), false)
    case "d", "i", "u", "x", "X", "o":
      let number = try integer(value, conversion)
      let radix = conversion == "o" ? 8 : conversion == "x" || conversion == "X" ? 16 : 10
      var digits = String(number.magnitude, radix: radix, uppercase: conversion == "X")
      if let precision, digits.utf8.count < precision {
        digits = String(repeating: "0", count: precision - digits.utf8.count) + digits
      }
      if isAlternate && radix != 10 { digits = "0\(conversion)" + digits }
      return (number < 0 ? "-" : "", Text(digits), true)
    case "f", "F", "e", "E", "g", "G":
      guard let number = value.number else { throw .python("must be real number, not \(value.typeName)") }
      guard number.isFinite else {
        let word = number.isNaN ? "nan" : "inf"
        let isUpper = conversion == "F" || conversion == "E" || conversion == "G"
        return (number < 0 ? "-" : "", Text(isUpper ? word.uppercased() : word), true)
      }
      let digits = NumberFormat.format(
        number.magnitude, Character(conversion), precision: precision ?? 6, isAlternate: isAlternate)
      return (number.sign == .minus ? "-" : "", Text(digits), true)
    default: throw .python("unsupported format character '\(conversion)'")
    }
  }

  private func integer(_ value: Value, _ conversion: Unicode.Scalar) throws(IngotError) -> Int {
    if let integer = value.integer { return integer }
    guard case .float(let number) = value, conversion == "d" || conversion == "i" || conversion == "u" else {
      throw .python("%\(conversion) format: a number is required, not \(value.typeName)")
    }
    guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw Value.overflow }
    return whole
  }
}
