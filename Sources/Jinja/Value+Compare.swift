import IngotCore

extension Value {
  /// Python's `==`.
  func equals(_ other: Value) -> Bool {
    switch (self, other) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let left), .string(let right)): return left == right
    case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
      return left === right
        || left.items.count == right.items.count
          && zip(left.items, right.items).allSatisfy { $0.equals($1) }
    case (.dict(let left), .dict(let right)):
      guard left.entries.count == right.entries.count else { return false }
      return zip(left.hashes, left.entries).allSatisfy { hash, entry in
        right[hash].map { entry.value.equals($0) } ?? false
      }
    case (.object(let left), .object(let right)): return left === right || left.equals(right)
    default: return Value.order(self, other) == .same
    }
  }

  enum Order { case less, same, greater, unordered }

  /// Compares two numbers exactly; nil when one is none.
  private static func order(_ left: Value, _ right: Value) -> Order? {
    if let left = left.integer, let right = right.integer {
      return left < right ? .less : left == right ? .same : .greater
    }
    guard let a = left.number, let b = right.number else { return nil }
    if a.isNaN || b.isNaN { return .unordered }
    // A large integer must not be rounded before it is compared.
    if let integer = left.integer, let whole = Int(exactly: b) { return order(.int(integer), .int(whole)) }
    if let integer = right.integer, let whole = Int(exactly: a) { return order(.int(whole), .int(integer)) }
    return a < b ? .less : a == b ? .same : .greater
  }

  /// Python's ordering.
  /// - Throws: `.template` for types without one.
  private func order(to other: Value, _ symbol: String) throws(IngotError) -> Order {
    if let order = Value.order(self, other) { return order }
    switch (self, other) {
    case (.string(let left), .string(let right)):
      return left < right ? .less : left == right ? .same : .greater
    case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
      for (a, b) in zip(left.items, right.items) where !a.equals(b) { return try a.order(to: b, symbol) }
      let (a, b) = (left.items.count, right.items.count)
      return a < b ? .less : a == b ? .same : .greater
    case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw .python(undefined.why)
    default:
      throw .python(
        "'\(symbol)' not supported between instances of '\(typeName)' and '\(other.typeName)'")
    }
  }

  func isLess(than other: Value) throws(IngotError) -> Bool { try order(to: other, "<") == .less }

  /// Whether `self` stands in a relation to `other`.
  /// - Throws: `.template` for types the relation is not defined for.
  func compare(
    _ comparison: Comparison, _ other: Value, _ interpreter: Interpreter
  ) throws(IngotError) -> Bool {
    try interpreter.charge(steps: min(size, other.size) / 64)
    switch comparison {
    case .equal: return equals(other)
    case .notEqual: return !equals(other)
    case .less: return try order(to: other, "<") == .less
    case .greater: return try order(to: other, ">") == .greater
    case .lessOrEqual:
      let order = try order(to: other, "<=")
      return order == .less || order == .same
    case .greaterOrEqual:
      let order = try order(to: other, ">=")
      return order == .greater || order == .same
    case .contained: return try isContained(in: other, interpreter)
    case .notContained: return !(try isContained(in: other, interpreter))
    }
  }

  /// Python's `self in container`.
  private func isContained(in container: Value, _ interpreter: Interpreter) throws(IngotError) -> Bool {
    switch container {
    case .undefined: return false
    case .string(let text):
      guard case .string(let part) = self else {
        throw .python("'in <string>' requires string as left operand, not \(typeName)")
      }
      return text.contains(part)
    case .list(let list), .tuple(let list):
      try interpreter.charge(steps: list.items.count / 4 + min(container.size, list.items.count * size) / 64)
      return list.items.contains { $0.equals(self) }
    case .dict(let dict):
      try interpreter.charge(steps: size / 64)
      return dict[try hashable()] != nil
    case .object(let object): return try object.contains(self, interpreter)
    case .none, .bool, .int, .float: throw .python("argument of type '\(container.typeName)' is not iterable")
    }
  }

  /// The value as a dictionary key.
  /// - Throws: `.template` for lists and dictionaries.
  func hashable() throws(IngotError) -> Key {
    guard let key else { throw .python("unhashable type: '\(typeName)'") }
    return key
  }
}
