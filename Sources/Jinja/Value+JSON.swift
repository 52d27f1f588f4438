import IngotCore

extension Value {
  /// Converts a JSON document.
  /// - Parameter depth: how many more containers may nest.
  /// - Throws: `.limit` when they nest deeper.
  init(_ json: JSONValue, depth: Int) throws(IngotError) {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .double(let value): self = .float(value)
    case .string(let value): self = .string(value)
    case .array(let values):
      guard depth > 0 else { throw Value.tooDeep }
      var items: [Value] = []
      items.reserveCapacity(values.count)
      for value in values { items.append(try Value(value, depth: depth - 1)) }
      self = .list(items)
    case .object(let object):
      guard depth > 0 else { throw Value.tooDeep }
      var members: [(Text, Value)] = []
      for member in object.members {
        members.append((Text(member.key), try Value(member.value, depth: depth - 1)))
      }
      self = .dict(ValueDict(members))
    }
  }

  private static var tooDeep: IngotError {
    IngotError(.limit, "the variables of the template are nested too deeply")
  }
}

/// Writes JSON as Python's `json.dumps` does.
struct JSONWriter {
  var indent: Text?
  var itemSeparator: Text = ", "
  var keySeparator: Text = ": "
  var sortsKeys = false
  var escapesNonASCII = false
  private(set) var output = Text()

  init() {}

  /// - Throws: `.template` for what JSON cannot hold.
  mutating func write(_ value: Value, level: Int = 0) throws(IngotError) {
    switch value {
    case .none: output.append("null")
    case .bool(let value): output.append(value ? "true" : "false")
    case .int(let value): output.append(Text(String(value)))
    case .float(let value): output.append(JSONWriter.number(value))
    case .string(let text): write(text)
    case .list(let list), .tuple(let list):
      try writeItems(list.items, "[", "]", level) { (writer, item) throws(IngotError) in
        try writer.write(item, level: level + 1)
      }
    case .dict(let dict):
      var entries = dict.entries
      if sortsKeys {
        entries = try entries.stableSorted { (left, right) throws(IngotError) in
          try left.key.isLess(than: right.key)
        }
      }
      try writeItems(entries, "{", "}", level) { (writer, entry) throws(IngotError) in
        writer.write(try JSONWriter.key(entry.key))
        writer.output.append(writer.keySeparator)
        try writer.write(entry.value, level: level + 1)
      }
    case .undefined, .object: throw .python("Object of type \(value.typeName) is not JSON serializable")
    }
  }

  private mutating func writeItems<Item>(
    _ items: [Item], _ open: Text, _ close: Text, _ level: Int,
    _ body: (inout JSONWriter, Item) throws(IngotError) -> Void
  ) throws(IngotError) {
    output.append(open)
    for (index, item) in items.enumerated() {
      if index > 0 { output.append(itemSeparator) }
      newLine(level + 1)
      try body(&self, item)
    }
    if !items.isEmpty { newLine(level) }
    output.append(close)
  }

  private mutating func newLine(_ level: Int) {
    guard let indent else { return }
    output.append("\n")
    for _ in 0..<level { output.append(indent) }
  }

  private static func number(_ value: Double) -> Text {
    if value.isNaN { return "NaN" }
    return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : Text(value.pythonRepr)
  }

  private static func key(_ key: Value) throws(IngotError) -> Text {
    switch key {
    case .string(let text): return text
    case .none: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .int(let value): return Text(String(value))
    case .float(let value): return number(value)
    case .undefined, .list, .tuple, .dict, .object:
      throw .python("keys must be str, int, float, bool or None, not \(key.typeName)")
    }
  }

  private mutating func write(_ text: Text) {
    output.append("\"")
    if escapesNonASCII {
      for scalar in text.string.unicodeScalars {
        if scalar.value < 0x7F {
          write(byte: UInt8(scalar.value))
        } else {
          for unit in UTF16.encode(scalar)! { output.append(JSONWriter.escape(unit)) }
        }
      }
    } else {
      for byte in text.bytes { write(byte: byte) }
    }
    output.append("\"")
  }

  private mutating func write(byte: UInt8) {
    switch byte {
    case 0x22: output.append("\\\"")
    case 0x5C: output.append("\\\\")
    case 0x0A: output.append("\\n")
    case 0x0D: output.append("\\r")
    case 0x09: output.append("\\t")
    case 0x0C: output.append("\\f")
    case 0x08: output.append("\\b")
    case 0..<0x20: output.append(JSONWriter.escape(UInt16(byte)))
    default: output.bytes.append(byte)
    }
  }

  private static func escape(_ unit: UInt16) -> Text {
    let hex = String(unit, radix: 16)
    return Text("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex)
  }
}
