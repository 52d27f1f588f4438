import IngotCore

/// A function of the engine: a global, or a method bound to its receiver.
final class FunctionObject: RuntimeObject {
  typealias Body = (Interpreter, Arguments) throws(IngotError) -> Value
  let name: String
  private let body: Body

  init(_ name: String, receiver: Value = .none, _ body: @escaping Body) {
    (self.name, self.body) = (name, body)
    super.init(depth: receiver.depth + 1)
  }

  override var typeName: String { "builtin_function_or_method" }
  override var isCallable: Bool { true }

  override func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    try body(interpreter, arguments)
  }

  override func writeRepr(to writer: inout ReprWriter, depth: Int) {
    writer.write(Text("<built-in method \(name)>"))
  }
}

/// `namespace(…)`: the one thing whose attributes a template can assign.
final class NamespaceObject: RuntimeObject {
  private(set) var names: [String] = []
  private var values: [String: Value] = [:]

  override var typeName: String { "Namespace" }
  override func attribute(_ name: String) throws(IngotError) -> Value? { values[name] }

  func set(_ name: String, _ value: Value) throws(IngotError) {
    guard !name.hasPrefix("_") else {
      throw .python("a namespace cannot store '\(name)': it begins with an underscore")
    }
    if values.updateValue(value, forKey: name) == nil { names.append(name) }
  }

  /// Drops everything, so that namespaces that hold each other are freed.
  func clear() { (names, values) = ([], [:]) }

  override func writeRepr(to writer: inout ReprWriter, depth: Int) {
    writer.write("<Namespace ")
    writer.write(names.map { (Value.string($0), values[$0] ?? .none) }, depth)
    writer.write(">")
  }
}

/// `cycler(…)`: its values in turn, for ever.
final class CyclerObject: RuntimeObject {
  private let items: [Value]
  private var position = 0

  init(_ items: [Value]) {
    self.items = items
    super.init(depth: 1 + (items.map(\.depth).max() ?? 0))
  }

  override var typeName: String { "Cycler" }

  override func attribute(_ name: String) throws(IngotError) -> Value? {
    switch name {
    case "current": items[position]
    case "items": .tuple(items)
    case "pos": .int(position)
    case "next":
      .object(
        FunctionObject("next", receiver: .object(self)) { [self] (_, _) throws(IngotError) in
          let value = items[position]
          position = (position + 1) % items.count
          return value
        })
    case "reset":
      .object(
        FunctionObject("reset", receiver: .object(self)) { [self] (_, _) throws(IngotError) in
          position = 0
          return .none
        })
    default: nil
    }
  }
}

/// `joiner(separator)`: nothing at the first call, the separator from then on.
final class JoinerObject: RuntimeObject {
  private let separator: Value
  private var isUsed = false

  init(_ separator: Value) {
    self.separator = separator
    super.init(depth: separator.depth + 1)
  }

  override var typeName: String { "Joiner" }
  override var isCallable: Bool { true }

  override func attribute(_ name: String) throws(IngotError) -> Value? {
    switch name {
    case "sep": separator
    case "used": .bool(isUsed)
    default: nil
    }
  }

  override func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    _ = try arguments.bind("joiner", [])
    defer { isUsed = true }
    return isUsed ? separator : .string("")
  }
}

/// A macro, or the body of a call block that `caller()` runs.
final class MacroObject: RuntimeObject {
  let callable: Callable
  /// Where it was defined; dropped at the end of a render, as scopes hold macros too.
  private var scope: Scope?
  private let takesKeywords: Bool
  private let takesPositionals: Bool
  private let takesCaller: Bool

  init(_ callable: Callable, _ scope: Scope, _ layout: ScopeLayout) {
    (self.callable, self.scope) = (callable, scope)
    takesKeywords = layout.keywordsSlot != nil
    takesPositionals = layout.positionalsSlot != nil
    takesCaller = layout.callerSlot != nil
  }

  override var typeName: String { "Macro" }
  override var isCallable: Bool { true }

  func clear() { scope = nil }

  override func attribute(_ name: String) throws(IngotError) -> Value? {
    switch name {
    case "name": callable.name.map { .string($0) } ?? Value.none
    case "arguments": .tuple(callable.parameters.map { .string($0.name) })
    case "catch_kwargs": .bool(takesKeywords)
    case "catch_varargs": .bool(takesPositionals)
    case "caller": .bool(takesCaller)
    default: nil
    }
  }

  override func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    guard let scope else { throw .python("a macro outlived its template") }
    return .string(try interpreter.run(callable, in: scope, arguments))
  }

  override func writeRepr(to writer: inout ReprWriter, depth: Int) {
    writer.write(Text("<Macro \(callable.name.map { Text($0).pythonRepr } ?? "anonymous")>"))
  }
}

/// The `loop` variable.
final class LoopObject: RuntimeObject {
  private let source: ValueIterator
  private var index0 = -1
  private let depth0: Int
  /// Values looked ahead at; those before `restStart` have had their turn.
  private var rest: [Value] = []
  private var restStart = 0
  private var knownLength: Int?
  private var current: Value?
  private var before: Value?
  private var lastChanged: [Value]?
  private let recursion: ((Value, Int) throws(IngotError) -> Text)?

  /// - Parameter recursion: runs the loop again over another value, one deeper.
  init(
    _ source: ValueIterator, depth0: Int, recursion: ((Value, Int) throws(IngotError) -> Text)?
  ) {
    (self.source, self.depth0, self.recursion) = (source, depth0, recursion)
    knownLength = source.count
    super.init()
  }

  override var typeName: String { "LoopContext" }
  override var isCallable: Bool { true }

  /// Moves to the next value.
  func advance() throws(IngotError) -> Value? {
    guard let next = try peek() else { return nil }
    restStart += 1
    index0 += 1
    (before, current) = (current, next)
    return next
  }

  /// Drops what could hold the loop itself.
  func clear() { (lastChanged, before, current, rest, restStart) = (nil, nil, nil, [], 0) }

  private func peek() throws(IngotError) -> Value? {
    if restStart < rest.count { return rest[restStart] }
    (rest, restStart) = (try source.next().map { [$0] } ?? [], 0)
    return rest.first
  }

  private func total() throws(IngotError) -> Int {
    if let knownLength { return knownLength }
    while let next = try source.next() { rest.append(next) }
    let total = index0 + 1 + rest.count - restStart
    knownLength = total
    return total
  }

  override func attribute(_ name: String) throws(IngotError) -> Value? {
    switch name {
    case "index": return .int(index0 + 1)
    case "index0": return .int(index0)
    case "depth": return .int(depth0 + 1)
    case "depth0": return .int(depth0)
    case "first": return .bool(index0 == 0)
    case "last": return .bool(try peek() == nil)
    case "length": return .int(try total())
    case "revindex": return .int(try total() - index0)
    case "revindex0": return .int(try total() - index0 - 1)
    case "previtem": return index0 == 0 ? .undefined("there is no previous item") : before
    case "nextitem": return try peek() ?? .undefined("there is no next item")
    case "cycle":
      let position = index0
      return function("cycle") { (_, arguments) throws(IngotError) in
        guard !arguments.positional.isEmpty else { throw .python("no items for cycling given") }
        return arguments.positional[position % arguments.positional.count]
      }
    case "changed":
      return function("changed") { [self] (interpreter, arguments) throws(IngotError) in
        let now = arguments.positional
        for value in now { try interpreter.charge(steps: value.size / 64) }
        if let last = lastChanged, Value.tuple(last).equals(.tuple(now)) { return .bool(false) }
        lastChanged = now
        return .bool(true)
      }
    default: return nil
    }
  }

  private func function(_ name: String, _ body: @escaping FunctionObject.Body) -> Value {
    .object(FunctionObject(name, receiver: .object(self), body))
  }

  override func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    guard let recursion else {
      throw .python("the loop must have the 'recursive' marker to be called recursively")
    }
    return .string(try recursion(try arguments.bind("loop", ["iterable"], required: 1)[0]!, depth0 + 1))
  }

  override func writeRepr(to writer: inout ReprWriter, depth: Int) {
    let length = knownLength.map(String.init) ?? "?"
    writer.write(Text("<LoopContext \(index0 + 1)/\(length)>"))
  }
}
