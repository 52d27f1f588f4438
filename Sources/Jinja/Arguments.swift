import IngotCore

/// The evaluated arguments of a call.
struct Arguments {
  var positional: [Value] = []
  var keyword: [(name: String, value: Value)] = []

  /// Assigns the arguments to named parameters.
  /// - Parameter required: how many of the first parameters must be given.
  /// - Returns: a value or nil for each parameter.
  /// - Throws: `.template` for too many, unknown, repeated or missing arguments.
  func bind(_ function: String, _ parameters: [String], required: Int = 0) throws(IngotError) -> [Value?] {
    guard positional.count <= parameters.count else {
      throw .python(
        "\(function)() takes at most \(parameters.count) arguments, \(positional.count) were given")
    }
    var bound: [Value?] = positional
    bound += Array(repeating: nil, count: parameters.count - positional.count)
    for (name, value) in keyword {
      guard let index = parameters.firstIndex(of: name) else {
        throw .python("\(function)() has no parameter '\(name)'")
      }
      guard bound[index] == nil else { throw .python("\(function)() got '\(name)' twice") }
      bound[index] = value
    }
    for index in 0..<required where bound[index] == nil {
      throw .python("\(function)() needs an argument for '\(parameters[index])'")
    }
    return bound
  }

  /// As `bind`, for functions of Python that know no parameter names.
  func bindPositional(_ function: String, _ counts: ClosedRange<Int>) throws(IngotError) -> [Value?] {
    guard keyword.isEmpty else { throw .python("\(function)() takes no keyword arguments") }
    guard counts.contains(positional.count) else {
      throw .python(
        "\(function)() takes \(counts.lowerBound) to \(counts.upperBound) arguments, "
          + "\(positional.count) were given")
    }
    return positional + Array(repeating: nil, count: counts.upperBound - positional.count)
  }

  func value(named name: String) -> Value? { keyword.first { $0.name == name }?.value }
}

extension Optional where Wrapped == Value {
  /// The argument as an integer, or the default when it was not given.
  /// - Throws: `.template` for another type.
  func int(or other: Int) throws(IngotError) -> Int {
    guard let value = self else { return other }
    guard let integer = value.integer else {
      throw .python("'\(value.typeName)' object cannot be interpreted as an integer")
    }
    return integer
  }

  /// As `int(or:)`, with `None` for the default as well.
  func int(orNone other: Int) throws(IngotError) -> Int {
    if case .some(.none) = self { return other }
    return try int(or: other)
  }

  /// The argument as a string; nil when it was not given or is `None`.
  /// - Throws: `.template` for another type.
  func text() throws(IngotError) -> Text? {
    switch self {
    case nil, .some(.none): return nil
    case .some(.string(let text)): return text
    case .some(let value): throw .python("a string is needed, not '\(value.typeName)'")
    }
  }

  /// Whether the argument is true; the default when it was not given.
  func isTrue(or other: Bool = false) -> Bool { self?.isTrue ?? other }
}
