import IngotCore

/// Python's `pprint.pformat`: `repr` with sorted keys, broken into lines of 80 columns.
struct PrettyPrinter {
  private let interpreter: Interpreter
  private let width = 80

  init(_ interpreter: Interpreter) { self.interpreter = interpreter }

  /// - Throws: `.limit` when the text is too long.
  func format(_ value: Value) throws(IngotError) -> Text {
    var output = Text()
    try write(value, indent: 0, allowance: 0, to: &output)
    return output
  }

  /// The value on one line.
  private func line(_ value: Value) throws(IngotError) -> Text {
    switch value {
    case .dict(let dict):
      var parts: [Text] = []
      for entry in try sorted(dict) { parts.append(try line(entry.key) + ": " + line(entry.value)) }
      return "{" + Text(", ").joining(parts) + "}"
    case .list(let list): return "[" + (try lines(list)) + "]"
    case .tuple(let list): return "(" + (try lines(list)) + (list.items.count == 1 ? ",)" : ")")
    case .undefined, .none, .bool, .int, .float, .string, .object: return try interpreter.repr(value)
    }
  }

  private func lines(_ list: ValueList) throws(IngotError) -> Text {
    var parts: [Text] = []
    for item in list.items { parts.append(try line(item)) }
    return Text(", ").joining(parts)
  }

  private func sorted(_ dict: ValueDict) throws(IngotError) -> [ValueDict.Entry] {
    try dict.entries.stableSorted { (left, right) throws(IngotError) in
      // Keys of different types are ordered by the names of the types.
      do throws(IngotError) { return try left.key.isLess(than: right.key) } catch {
        return left.key.typeName < right.key.typeName
      }
    }
  }

  /// - Parameter allowance: columns that closing brackets will need.
  private func write(
    _ value: Value, indent: Int, allowance: Int, to output: inout Text
  ) throws(IngotError) {
    let text = try line(value)
    try interpreter.charge(bytes: text.bytes.count)
    guard text.count > width - indent - allowance else { return output.append(text) }
    switch value {
    case .list(let list): try write(list.items, "[", "]", indent, allowance, to: &output)
    case .tuple(let list):
      try write(list.items, "(", list.items.count == 1 ? ",)" : ")", indent, allowance, to: &output)
    case .dict(let dict):
      output.append("{")
      let entries = try sorted(dict)
      for (index, entry) in entries.enumerated() {
        if index > 0 { newLine(indent + 1, to: &output) }
        let key = try line(entry.key)
        output.append(key + ": ")
        let isLast = index == entries.count - 1
        try write(
          entry.value, indent: indent + 1 + key.count + 2, allowance: isLast ? allowance + 1 : 1, to: &output)
        if !isLast { output.append(",") }
      }
      output.append("}")
    case .undefined, .none, .bool, .int, .float, .string, .object: output.append(text)
    }
  }

  private func write(
    _ items: [Value], _ open: Text, _ close: Text, _ indent: Int, _ allowance: Int, to output: inout Text
  ) throws(IngotError) {
    output.append(open)
    for (index, item) in items.enumerated() {
      if index > 0 { newLine(indent + 1, to: &output) }
      let isLast = index == items.count - 1
      try write(
        item, indent: indent + 1, allowance: isLast ? allowance + close.bytes.count : 1, to: &output)
      if !isLast { output.append(",") }
    }
    output.append(close)
  }

  private func newLine(_ indent: Int, to output: inout Text) {
    output.append("\n" + Text(" ").repeated(indent))
  }
}
