import IngotCore

/// The functions every template sees.
enum Globals {
  /// Made anew for every render, as values are not shared between threads.
  static var all: [String: Value] {
    var globals: [String: Value] = [:]
    for (name, body) in functions { globals[name] = .object(FunctionObject(name, body)) }
    globals["dict"] = .object(DictFunction())
    return globals
  }

  private static var functions: [(String, FunctionObject.Body)] {
    [
      ("range", range), ("namespace", namespace), ("cycler", cycler), ("joiner", joiner),
      ("raise_exception", raise), ("strftime_now", strftimeNow), ("lipsum", lipsum),
    ]
  }

  private static func range(_ interpreter: Interpreter, _ arguments: Arguments) throws(IngotError) -> Value {
    let bound = try arguments.bindPositional("range", 1...3)
    let first = try bound[0].int(or: 0)
    let (start, stop) = bound[1] == nil ? (0, first) : (first, try bound[1].int(or: 0))
    let step = try bound[2].int(or: 1)
    guard step != 0 else { throw .python("range() arg 3 must not be zero") }
    let count: UInt
    if step > 0 {
      count = stop > start ? (UInt(bitPattern: stop &- start) - 1) / step.magnitude + 1 : 0
    } else {
      count = start > stop ? (UInt(bitPattern: start &- stop) - 1) / step.magnitude + 1 : 0
    }
    guard count <= UInt(interpreter.options.limits.rangeLength) else {
      throw IngotError(
        .limit, "a range of \(count) is longer than \(interpreter.options.limits.rangeLength)")
    }
    return try interpreter.object(RangeObject(start: start, stop: stop, step: step, count: Int(count)))
  }

  private static func namespace(
    _ interpreter: Interpreter, _ arguments: Arguments
  ) throws(IngotError) -> Value {
    let namespace = NamespaceObject()
    for pair in try pairs("namespace", arguments, interpreter) {
      guard case .string(let name) = pair.key else { throw .python("attribute name must be string") }
      try namespace.set(name.string, pair.value)
    }
    return try interpreter.object(namespace)
  }

  private static func cycler(_ interpreter: Interpreter, _ arguments: Arguments) throws(IngotError) -> Value {
    guard !arguments.positional.isEmpty, arguments.keyword.isEmpty else {
      throw .python("at least one item has to be provided")
    }
    return try interpreter.object(CyclerObject(arguments.positional))
  }

  private static func joiner(_ interpreter: Interpreter, _ arguments: Arguments) throws(IngotError) -> Value {
    let separator = try arguments.bind("joiner", ["sep"])[0]
    return try interpreter.object(JoinerObject(separator ?? .string(", ")))
  }

  private static func raise(_ interpreter: Interpreter, _ arguments: Arguments) throws(IngotError) -> Value {
    let message = try arguments.bind("raise_exception", ["message"], required: 1)[0]!
    throw .python(try interpreter.text(message).string)
  }

  private static func strftimeNow(
    _ interpreter: Interpreter, _ arguments: Arguments
  ) throws(IngotError) -> Value {
    let format = try arguments.bind("strftime_now", ["format"], required: 1)[0]
    guard case .string(let format) = format else { throw .python("strftime_now() needs a string") }
    let now = interpreter.now ?? LocalTime.current
    return .string(now.formatted(format.string))
  }

  private static func lipsum(_ interpreter: Interpreter, _ arguments: Arguments) throws(IngotError) -> Value {
    throw IngotError(.unsupported, "lipsum() is random, and prompts are not")
  }

  /// The arguments of `dict(…)`: a mapping or pairs, then keywords.
  static func pairs(
    _ function: String, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> [(hash: Key, key: Value, value: Value)] {
    guard arguments.positional.count <= 1 else {
      throw .python("\(function) expected at most 1 argument, got \(arguments.positional.count)")
    }
    var pairs: [(hash: Key, key: Value, value: Value)] = []
    if case .dict(let dict)? = arguments.positional.first {
      pairs = dict.pairs
    } else if let source = arguments.positional.first {
      for item in try interpreter.items(source) {
        let pair = try interpreter.items(item)
        guard pair.count == 2 else { throw .python("a pair is needed, not \(pair.count) values") }
        pairs.append((try pair[0].hashable(), pair[0], pair[1]))
      }
    }
    for (name, value) in arguments.keyword { pairs.append((.string(Text(name)), .string(name), value)) }
    return pairs
  }
}

/// `dict(…)` and `dict.fromkeys(…)`.
final class DictFunction: RuntimeObject {
  override var typeName: String { "TemplateDict" }
  override var isCallable: Bool { true }

  override func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    try interpreter.dict(try Globals.pairs("dict", arguments, interpreter))
  }

  override func attribute(_ name: String) throws(IngotError) -> Value? {
    guard name == "fromkeys" else { return nil }
    return .object(
      FunctionObject(name) { (interpreter, arguments) throws(IngotError) in
        try ContainerMethods.fromKeys(arguments, interpreter)
      })
  }
}
