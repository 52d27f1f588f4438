/// A Python value at run time. Lists and dictionaries never change: the sandbox of transformers, which
/// this engine mirrors, refuses every method that would change them.
enum Value {
  case undefined(Undefined)
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(Text)
  case list(ValueList)
  case tuple(ValueList)
  case dict(ValueDict)
  case object(RuntimeObject)
}

/// Why a value is undefined: the message of the error that most uses of it raise.
final class Undefined: Sendable {
  let why: String
  init(_ why: String) { self.why = why }
}

/// How deep a container nests and how large it is written out, with everything it shares counted as often
/// as it occurs. Both are bounded when a container is made, so that walking one always ends, soon and
/// without exhausting the stack.
struct ValueExtent {
  private(set) var depth = 1
  private(set) var size = 8

  mutating func include(_ value: Value) {
    depth = max(depth, value.depth + 1)
    size = min(size + value.size, 1 << 50)
  }
}

/// The elements of a list or tuple.
final class ValueList {
  let items: [Value]
  let extent: ValueExtent
  /// Names of the elements of a named tuple.
  let names: [String]

  init(_ items: [Value], names: [String] = []) {
    (self.items, self.names) = (items, names)
    var extent = ValueExtent()
    for item in items { extent.include(item) }
    self.extent = extent
  }
}

/// A dictionary in order of insertion.
final class ValueDict {
  typealias Entry = (key: Value, value: Value)
  let entries: [Entry]
  let extent: ValueExtent
  private let index: [Key: Int]

  /// Later values replace earlier ones of an equal key, which keeps its place, as in Python.
  init(_ pairs: [(hash: Key, key: Value, value: Value)]) {
    var entries: [Entry] = []
    var index: [Key: Int] = [:]
    index.reserveCapacity(pairs.count)
    for pair in pairs {
      if let at = index[pair.hash] {
        entries[at].value = pair.value
      } else {
        index[pair.hash] = entries.count
        entries.append((pair.key, pair.value))
      }
    }
    (self.entries, self.index) = (entries, index)
    var extent = ValueExtent()
    for entry in entries {
      extent.include(entry.key)
      extent.include(entry.value)
    }
    self.extent = extent
  }

  convenience init(_ members: [(Text, Value)]) {
    self.init(members.map { (.string($0.0), .string($0.0), $0.1) })
  }

  subscript(key: Key) -> Value? { index[key].map { entries[$0].value } }
  subscript(name: String) -> Value? { self[.string(Text(name))] }
  var keys: [Value] { entries.map(\.key) }
  var hashes: [Key] { index.sorted { $0.value < $1.value }.map(\.key) }
  var pairs: [(hash: Key, key: Value, value: Value)] {
    zip(hashes, entries).map { ($0, $1.key, $1.value) }
  }
}

/// A hashable value: what dictionaries look up. Equal numbers are equal keys, whatever their type.
enum Key: Hashable {
  case none
  case undefined
  case int(Int)
  case float(Double)
  case string(Text)
  case tuple([Key])
  case object(ObjectIdentifier)
}

extension Value {
  static func undefined(_ why: String) -> Value { .undefined(Undefined(why)) }
  static func string(_ text: String) -> Value { .string(Text(text)) }
  static func list(_ items: [Value]) -> Value { .list(ValueList(items)) }
  static func tuple(_ items: [Value]) -> Value { .tuple(ValueList(items)) }

  /// How deep containers nest in the value.
  var depth: Int {
    switch self {
    case .undefined, .none, .bool, .int, .float, .string: 0
    case .list(let list), .tuple(let list): list.extent.depth
    case .dict(let dict): dict.extent.depth
    case .object(let object): object.depth
    }
  }

  /// About how many bytes the value takes when written out.
  var size: Int {
    switch self {
    case .undefined, .none, .bool, .int, .float, .object: 8
    case .string(let text): 8 + text.bytes.count
    case .list(let list), .tuple(let list): list.extent.size
    case .dict(let dict): dict.extent.size
    }
  }

  /// The name of the Python type.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .bool: "bool"
    case .int: "int"
    case .float: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dict: "dict"
    case .object(let object): object.typeName
    }
  }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }
  var isNone: Bool { if case .none = self { true } else { false } }

  /// Python's `bool(value)`.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.items.isEmpty
    case .dict(let dict): !dict.entries.isEmpty
    case .object(let object): object.length.map { $0 > 0 } ?? true
    }
  }

  /// A number that Python takes for an integer: one, or a boolean.
  var integer: Int? {
    switch self {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    case .undefined, .none, .float, .string, .list, .tuple, .dict, .object: nil
    }
  }

  /// Any number, as a float.
  var number: Double? {
    if case .float(let value) = self { return value }
    return integer.map(Double.init)
  }

  /// The value as a dictionary key; nil when it cannot be hashed.
  var key: Key? {
    switch self {
    case .undefined: return .undefined
    case .none: return Key.none
    case .bool(let value): return .int(value ? 1 : 0)
    case .int(let value): return .int(value)
    case .float(let value): return Int(exactly: value).map(Key.int) ?? .float(value)
    case .string(let text): return .string(text)
    case .tuple(let list):
      var keys: [Key] = []
      for item in list.items {
        guard let key = item.key else { return nil }
        keys.append(key)
      }
      return .tuple(keys)
    case .object(let object): return .object(ObjectIdentifier(object))
    case .list, .dict: return nil
    }
  }

  /// Python's `len`; nil for what has none.
  var length: Int? {
    switch self {
    case .undefined: 0
    case .string(let text): text.count
    case .list(let list), .tuple(let list): list.items.count
    case .dict(let dict): dict.entries.count
    case .object(let object): object.length
    case .none, .bool, .int, .float: nil
    }
  }

  init(_ literal: Literal) {
    switch literal {
    case .none: self = .none
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .float(let value): self = .float(value)
    case .string(let text): self = .string(text)
    }
  }
}
