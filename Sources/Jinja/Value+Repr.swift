/// Writes Python's `repr` of values, up to a limit: namespaces can hold themselves.
struct ReprWriter {
  private(set) var output = Text()
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Whether something was left out.
  var isCut: Bool { output.bytes.count > limit }

  mutating func write(_ text: Text) { if !isCut { output.append(text) } }

  mutating func write(_ value: Value, depth: Int = 0) {
    guard !isCut else { return }
    guard depth < 600 else { return write("...") }
    switch value {
    case .undefined: write("Undefined")
    case .none: write("None")
    case .bool(let value): write(value ? "True" : "False")
    case .int(let value): write(Text(String(value)))
    case .float(let value): write(Text(value.pythonRepr))
    case .string(let text):
      write(Text(text.isMarkup ? "Markup(\(text.pythonRepr))" : text.pythonRepr))
    case .list(let list): write(list.items, "[", "]", depth)
    case .tuple(let list): write(list.items, "(", list.items.count == 1 ? ",)" : ")", depth)
    case .dict(let dict): write(dict.entries, depth)
    case .object(let object): object.writeRepr(to: &self, depth: depth)
    }
  }

  mutating func write(_ items: [Value], _ open: Text, _ close: Text, _ depth: Int) {
    write(open)
    for (index, item) in items.enumerated() {
      if index > 0 { write(", ") }
      write(item, depth: depth + 1)
    }
    write(close)
  }

  mutating func write(_ entries: [ValueDict.Entry], _ depth: Int) {
    write("{")
    for (index, entry) in entries.enumerated() {
      if index > 0 { write(", ") }
      write(entry.key, depth: depth + 1)
      write(": ")
      write(entry.value, depth: depth + 1)
    }
    write("}")
  }
}

extension Text {
  /// Python's `repr` of a string: quoted, with escapes for what does not print.
  var pythonRepr: String {
    var hasSingle = false
    var hasDouble = false
    for byte in bytes {
      if byte == 0x27 { hasSingle = true }
      if byte == 0x22 { hasDouble = true }
    }
    let quote: Unicode.Scalar = hasSingle && !hasDouble ? "\"" : "'"
    var result = String.UnicodeScalarView()
    result.append(quote)
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\".unicodeScalars
      case quote: result += ["\\", quote]
      case "\n": result += "\\n".unicodeScalars
      case "\r": result += "\\r".unicodeScalars
      case "\t": result += "\\t".unicodeScalars
      default:
        if scalar.isPythonPrintable {
          result.append(scalar)
        } else {
          result += scalar.pythonEscape.unicodeScalars
        }
      }
    }
    result.append(quote)
    return String(result)
  }
}

extension Unicode.Scalar {
  /// `\x1b`, `\u200b` or `\U0001f600`.
  var pythonEscape: String {
    let hex = String(value, radix: 16)
    let (letter, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
    return "\\" + letter + String(repeating: "0", count: width - hex.utf8.count) + hex
  }
}

extension Double {
  /// Python's `repr`: the shortest digits that read back the same.
  var pythonRepr: String {
    if isNaN { return "nan" }
    if isInfinite { return self < 0 ? "-inf" : "inf" }
    let sign = self.sign == .minus ? "-" : ""
    if self == 0 { return sign + "0.0" }
    let (digits, point) = magnitude.shortestDigits
    // `point` is where the decimal point stands in the digits; Python writes exponents from 1e16 on.
    if point > 16 || point < -3 {
      let exponent = point - 1
      let head = digits.prefix(1) + (digits.count > 1 ? "." + digits.dropFirst() : "")
      let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return "\(sign)\(head)e\(exponent < 0 ? "-" : "+")\(size)"
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if point >= digits.count {
      return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
    }
    return sign + digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// The shortest decimal digits without trailing zeros, and the position of the point in them.
  private var shortestDigits: (digits: String, point: Int) {
    let parts = description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let whole = mantissa[0]
    let all = whole + (mantissa.count > 1 ? mantissa[1] : "")
    let leading = all.prefix { $0 == "0" }.count
    var digits = all.dropFirst(leading)
    while digits.last == "0" { digits.removeLast() }
    return (String(digits), whole.count - leading + exponent)
  }
}
