extension JSONValue: CustomStringConvertible {
  /// The value as JSON on one line, without spaces.
  public var description: String {
    var text = ""
    write(to: &text, indent: nil)
    return text
  }

  /// The value as JSON with one member or element per line.
  public var indented: String {
    var text = ""
    write(to: &text, indent: 0)
    return text
  }

  private func write(to text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += "\(value)"
    // JSON has no other numbers.
    case .double(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSONValue.write(value, to: &text)
    case .array(let elements):
      JSONValue.writeList(elements, "[", "]", to: &text, indent: indent) { element, text, indent in
        element.write(to: &text, indent: indent)
      }
    case .object(let object):
      JSONValue.writeList(object.members, "{", "}", to: &text, indent: indent) { member, text, indent in
        JSONValue.write(member.key, to: &text)
        text += indent == nil ? ":" : ": "
        member.value.write(to: &text, indent: indent)
      }
    }
  }

  private static func writeList<Element>(
    _ elements: [Element], _ open: String, _ close: String, to text: inout String, indent: Int?,
    _ writeElement: (Element, inout String, Int?) -> Void
  ) {
    func newLine(_ depth: Int) { text += "\n" + String(repeating: " ", count: 2 * depth) }
    text += open
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      if let indent { newLine(indent + 1) }
      writeElement(element, &text, indent.map { $0 + 1 })
    }
    if let indent, !elements.isEmpty { newLine(indent) }
    text += close
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
