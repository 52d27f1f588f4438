import IngotCore

/// The filters of `value|name`.
enum Filters {
  typealias Filter = @Sendable (Interpreter, Value, Arguments) throws(IngotError) -> Value

  static let all: [String: Filter] = {
    var filters: [String: Filter] = [:]
    for group in [text, wrapping, numbers, sequences, ordering, selection] {
      filters.merge(group) { $1 }
    }
    for name in unsupported { filters[name] = refusal(of: name) }
    return filters
  }()

  private static func refusal(of name: String) -> Filter {
    { (interpreter, value, arguments) throws(IngotError) -> Value in
      throw IngotError(.unsupported, "the filter '\(name)' is not supported in chat templates")
    }
  }

  /// Known to jinja2, but random or about HTML.
  private static let unsupported = ["random", "urlize"]

  // MARK: Attribute paths

  /// What the `attribute` argument of a filter names: `name`, `name.inner.0` or an index.
  struct AttributePath {
    var parts: [Value] = []
    var fallback: Value?
    var ignoresCase = false

    init(_ attribute: Value?, fallback: Value? = nil, ignoresCase: Bool = false) throws(IngotError) {
      (self.fallback, self.ignoresCase) = (fallback, ignoresCase)
      switch attribute {
      case nil, .some(.none): break
      case .some(.string(let path)):
        for part in path.split(by: ".", limit: -1) {
          let isIndex = part.all(\.isPythonDigit)
          parts.append(isIndex ? .int(try NumberFormat.integer(part) ?? 0) : .string(part))
        }
      case .some(let value): parts = [value]
      }
      if fallback?.isNone == true { self.fallback = nil }
    }

    func value(of item: Value, _ interpreter: Interpreter) throws(IngotError) -> Value {
      var value = item
      for part in parts {
        value = try interpreter.item(part, of: value)
        if value.isUndefined, let fallback { value = fallback }
      }
      return ignoresCase ? Filters.ignoringCase(value) : value
    }
  }

  static func ignoringCase(_ value: Value) -> Value {
    if case .string(let text) = value { return .string(text.lowercased()) }
    return value
  }

  /// A lazy result, as jinja2's generator filters give.
  static func generator(
    _ interpreter: Interpreter, _ value: Value, _ produce: @escaping () throws(IngotError) -> [Value]
  ) throws(IngotError) -> Value {
    try interpreter.object(GeneratorObject(over: value, produce))
  }
}
