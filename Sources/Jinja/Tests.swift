import IngotCore

/// The tests of `value is name`.
enum Tests {
  typealias Test = @Sendable (Interpreter, Value, Arguments) throws(IngotError) -> Bool

  static let all: [String: Test] = makeAll()

  private static func makeAll() -> [String: Test] {
    var tests: [String: Test] = [:]
    for name in plainNames {
      let test: Test = { (interpreter, value, arguments) throws(IngotError) in
        _ = try arguments.bind(name, [])
        return try plain(name, value, interpreter)
      }
      tests[name] = test
    }
    let comparisons: [(Comparison, [String])] = [
      (.equal, ["==", "eq", "equalto"]), (.notEqual, ["!=", "ne"]), (.less, ["<", "lt", "lessthan"]),
      (.lessOrEqual, ["<=", "le"]), (.greater, [">", "gt", "greaterthan"]), (.greaterOrEqual, [">=", "ge"]),
    ]
    for (comparison, names) in comparisons {
      for name in names {
        let test: Test = { (interpreter, value, arguments) throws(IngotError) in
          let other = try arguments.bindPositional(name, 1...1)[0]!
          return try value.compare(comparison, other, interpreter)
        }
        tests[name] = test
      }
    }
    let isIn: Test = { (interpreter, value, arguments) throws(IngotError) in
      let container = try arguments.bind("in", ["seq"], required: 1)[0]!
      return try value.compare(.contained, container, interpreter)
    }
    let divisible: Test = { (interpreter, value, arguments) throws(IngotError) in
      let divisor = try arguments.bind("divisibleby", ["num"], required: 1)[0]!
      return try value.applying(.modulo, divisor, interpreter).equals(.int(0))
    }
    let same: Test = { (_, value, arguments) throws(IngotError) in
      isSame(value, try arguments.bind("sameas", ["other"], required: 1)[0]!)
    }
    tests.merge(["in": isIn, "divisibleby": divisible, "sameas": same]) { $1 }
    return tests
  }

  private static let plainNames = [
    "defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string",
    "mapping", "sequence", "iterable", "callable", "lower", "upper", "odd", "even", "escaped", "filter",
    "test",
  ]

  private static func plain(
    _ name: String, _ value: Value, _ interpreter: Interpreter
  ) throws(IngotError) -> Bool {
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": return value.isNone
    case "boolean": if case .bool = value { return true }
    case "true": if case .bool(true) = value { return true }
    case "false": if case .bool(false) = value { return true }
    case "integer": if case .int = value { return true }
    case "float": if case .float = value { return true }
    case "number": return value.number != nil
    case "string": if case .string = value { return true }
    case "mapping": if case .dict = value { return true }
    case "sequence":
      if case .object(let object) = value { return object.isSequence }
      return value.length != nil
    case "iterable":
      if case .object(let object) = value { return object.isIterable }
      return value.length != nil
    case "callable":
      if case .object(let object) = value { return object.isCallable }
      return value.isUndefined
    case "lower": return try interpreter.text(value).isLower
    case "upper": return try interpreter.text(value).isUpper
    case "odd": return try value.applying(.modulo, .int(2), interpreter).equals(.int(1))
    case "even": return try value.applying(.modulo, .int(2), interpreter).equals(.int(0))
    case "escaped": if case .string(let text) = value { return text.isMarkup }
    case "filter": if case .string(let name) = value { return Filters.all[name.string] != nil }
    case "test": if case .string(let name) = value { return all[name.string] != nil }
    default: break
    }
    return false
  }

  /// Python's `is`, as far as values have an identity here: equal scalars of one type are the same.
  private static func isSame(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.undefined(let a), .undefined(let b)): a === b
    case (.none, .none): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.float(let a), .float(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): a === b
    case (.dict(let a), .dict(let b)): a === b
    case (.object(let a), .object(let b)): a === b
    default: false
    }
  }
}
