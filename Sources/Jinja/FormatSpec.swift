import IngotCore

/// A format specification of Python's `format()`: `[[fill]align][sign][#][0][width][,][.precision][type]`.
/// Source: the Python library reference, "Format Specification Mini-Language".
struct FormatSpec {
  var fill: Text = " "
  var alignment: Unicode.Scalar?
  var sign: Unicode.Scalar = "-"
  var isAlternate = false
  var isZeroPadded = false
  var width = 0
  var grouping: Unicode.Scalar?
  var precision: Int?
  var type: Unicode.Scalar?

  /// - Throws: `.template` when the specification is invalid.
  init(_ text: Text) throws(IngotError) {
    var rest = text.scalars[...]
    func isAlignment(_ scalar: Unicode.Scalar) -> Bool { "<>=^".unicodeScalars.contains(scalar) }
    if rest.count >= 2, isAlignment(rest[1]) {
      fill = Text([rest[0]])
      alignment = rest[1]
      rest = rest.dropFirst(2)
    } else if let first = rest.first, isAlignment(first) {
      alignment = first
      rest = rest.dropFirst()
    }
    if let first = rest.first, "+- ".unicodeScalars.contains(first) {
      sign = first
      rest = rest.dropFirst()
    }
    if rest.first == "#" {
      isAlternate = true
      rest = rest.dropFirst()
    }
    if rest.first == "0" {
      isZeroPadded = true
      rest = rest.dropFirst()
    }
    width = try FormatSpec.number(&rest) ?? 0
    if let first = rest.first, first == "," || first == "_" {
      grouping = first
      rest = rest.dropFirst()
    }
    if rest.first == "." {
      rest = rest.dropFirst()
      guard let digits = try FormatSpec.number(&rest) else {
        throw .python("Format specifier missing precision")
      }
      precision = digits
    }
    type = rest.popFirst()
    guard rest.isEmpty else { throw .python("Invalid format specifier '\(text.string)'") }
  }

  static func number(_ rest: inout ArraySlice<Unicode.Scalar>) throws(IngotError) -> Int? {
    var value: Int?
    while let first = rest.first, ("0"..."9").contains(first) {
      let next = (value ?? 0) * 10 + Int(first.value - 0x30)
      guard next < 1 << 40 else { throw .python("Too many decimal digits in format string") }
      value = next
      rest = rest.dropFirst()
    }
    return value
  }

  /// `format(value, spec)`.
  func format(_ value: Value, _ interpreter: Interpreter) throws(IngotError) -> Text {
    try interpreter.charge(bytes: fill.bytes.count, times: max(width, precision ?? 0))
    switch value {
    case .string(let text): return try format(text)
    case .int(let number): return try format(number)
    case .bool(let number): return try format(number ? 1 : 0)
    case .float(let number): return try format(number)
    case .undefined, .none, .list, .tuple, .dict, .object:
      throw .python("unsupported format string passed to \(value.typeName).__format__")
    }
  }

  private func unknown(_ typeName: String) -> IngotError {
    .python("Unknown format code '\(type.map(String.init) ?? "")' for object of type '\(typeName)'")
  }

  private func format(_ text: Text) throws(IngotError) -> Text {
    guard type == nil || type == "s" else { throw unknown("str") }
    guard alignment != "=", sign == "-", grouping == nil, !isAlternate else {
      throw .python("this format is not allowed for strings")
    }
    let cut = precision.map { text.prefix($0) } ?? text
    return aligned("", cut, defaultAlignment: "<")
  }

  private func format(_ number: Int) throws(IngotError) -> Text {
    let magnitude = number.magnitude
    var prefix = ""
    let digits: String
    switch type {
    case nil, "d", "n": digits = String(magnitude)
    case "b": (prefix, digits) = ("0b", String(magnitude, radix: 2))
    case "o": (prefix, digits) = ("0o", String(magnitude, radix: 8))
    case "x": (prefix, digits) = ("0x", String(magnitude, radix: 16))
    case "X": (prefix, digits) = ("0X", String(magnitude, radix: 16, uppercase: true))
    case "c":
      guard number >= 0, number < 0x110000, let scalar = Unicode.Scalar(UInt32(number)) else {
        throw .python("%c arg not in range(0x110000)")
      }
      return aligned("", Text([scalar]), defaultAlignment: "<")
    case "e", "E", "f", "F", "g", "G", "%": return try format(Double(number))
    default: throw unknown("int")
    }
    guard precision == nil else { throw .python("Precision not allowed in integer format specifier") }
    let isDecimal = type == nil || type == "d" || type == "n"
    let head = signText(isNegative: number < 0) + (isAlternate ? prefix : "")
    return numeric(head, digits, groupSize: isDecimal ? 3 : 4)
  }

  private func format(_ number: Double) throws(IngotError) -> Text {
    let isNegative = number.sign == .minus && !number.isNaN
    let magnitude = number.magnitude
    guard type == nil || "eEfFgGn%".unicodeScalars.contains(type!) else { throw unknown("float") }
    let isUpper = type == "E" || type == "F" || type == "G"
    var digits: String
    if !number.isFinite {
      digits = number.isNaN ? "nan" : "inf"
      if type == "%" { digits += "%" }
    } else {
      switch type {
      case "e", "E":
        digits = NumberFormat.format(magnitude, "e", precision: precision ?? 6, isAlternate: isAlternate)
      case "f", "F":
        digits = NumberFormat.format(magnitude, "f", precision: precision ?? 6, isAlternate: isAlternate)
      case "%":
        digits =
          NumberFormat.format(magnitude * 100, "f", precision: precision ?? 6, isAlternate: isAlternate) + "%"
      case nil:
        digits = precision.map { FormatSpec.general(magnitude, $0) } ?? magnitude.pythonRepr
      default:
        digits = NumberFormat.format(
          magnitude, "g", precision: max(precision ?? 6, 1), isAlternate: isAlternate)
      }
    }
    if isUpper { digits = digits.uppercased() }
    return numeric(signText(isNegative: isNegative), digits, groupSize: 3)
  }

  /// As `g`, but with a point and a digit after it, which is what no type with a precision means.
  private static func general(_ value: Double, _ precision: Int) -> String {
    let precision = max(precision, 1)
    let text = NumberFormat.format(value, "g", precision: precision)
    if text.contains("e") || text.contains(".") { return text }
    // Python switches to an exponent one digit earlier here, to leave room for the `.0`.
    if text.utf8.count >= precision {
      let exponential = NumberFormat.format(value, "e", precision: precision - 1)
      let parts = exponential.split(separator: "e")
      var mantissa = parts[0][...]
      if mantissa.contains(".") {
        while mantissa.hasSuffix("0") { mantissa = mantissa.dropLast() }
        if mantissa.hasSuffix(".") { mantissa = mantissa.dropLast() }
      }
      return mantissa + "e" + parts[1]
    }
    return text + ".0"
  }

  private func signText(isNegative: Bool) -> String {
    isNegative ? "-" : sign == "-" ? "" : String(sign)
  }

  /// Groups the digits, then pads them.
  private func numeric(_ head: String, _ digits: String, groupSize: Int) -> Text {
    let whole = digits.prefix { $0.isHexDigit }
    let tail = digits.dropFirst(whole.count)
    let zeros = isZeroPadded && alignment == nil || alignment == "=" && fill == "0"
    var grouped = String(whole)
    if let grouping {
      let target = zeros ? width - head.utf8.count - tail.utf8.count : 0
      grouped = FormatSpec.group(grouped, by: groupSize, Character(grouping), width: target)
    }
    let body = Text(grouped + tail)
    if isZeroPadded && alignment == nil {
      return Text(head) + body.padded(to: width - head.utf8.count, .left, with: "0")
    }
    return aligned(head, body, defaultAlignment: ">")
  }

  private static func group(_ digits: String, by size: Int, _ separator: Character, width: Int) -> String {
    var result: [Character] = []
    var count = 0
    let all = Array(digits.reversed())
    var index = 0
    while index < all.count || result.count < width {
      if count == size {
        result.append(separator)
        count = 0
      }
      result.append(index < all.count ? all[index] : "0")
      index += 1
      count += 1
    }
    return String(result.reversed())
  }

  private func aligned(_ head: String, _ body: Text, defaultAlignment: Unicode.Scalar) -> Text {
    let fill = isZeroPadded && alignment == nil ? "0" : self.fill
    let whole = Text(head) + body
    switch alignment ?? defaultAlignment {
    case "<": return whole.padded(to: width, .right, with: fill)
    case ">": return whole.padded(to: width, .left, with: fill)
    case "^":
      let missing = max(width - whole.count, 0)
      return fill.repeated(missing / 2) + whole + fill.repeated(missing - missing / 2)
    default: return Text(head) + body.padded(to: width - head.utf8.count, .left, with: fill)
    }
  }
}
