import IngotCore

/// The methods of `list`, `tuple` and `dict` that the sandbox allows: none that change anything.
enum ContainerMethods {
  static let listNames: Set<String> = ["copy", "count", "index"]
  static let dictNames: Set<String> = ["copy", "fromkeys", "get", "items", "keys", "values"]
  static let refused: (list: Set<String>, dict: Set<String>) = (
    ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"],
    ["clear", "pop", "popitem", "setdefault", "update"]
  )

  static func call(
    _ name: String, _ list: ValueList, _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    for argument in arguments.positional {
      let compared = min(
        list.items.count.multipliedReportingOverflow(by: argument.size).partialValue, value.size)
      try interpreter.charge(steps: list.items.count / 4 + compared / 64)
    }
    switch name {
    case "count":
      let needle = try arguments.bindPositional(name, 1...1)[0]!
      return .int(list.items.count { $0.equals(needle) })
    case "index":
      let bound = try arguments.bindPositional(name, 1...3)
      let count = list.items.count
      func clamp(_ index: Int) -> Int { min(max(index < 0 ? index + count : index, 0), count) }
      let (start, end) = (clamp(try bound[1].int(or: 0)), clamp(try bound[2].int(or: count)))
      let part = start < end ? list.items[start..<end] : []
      guard let at = part.firstIndex(where: { $0.equals(bound[0]!) }) else {
        throw .python("\(try interpreter.repr(bound[0]!).string) is not in \(value.typeName)")
      }
      return .int(at)
    default:
      _ = try arguments.bindPositional(name, 0...0)
      return try interpreter.list(list.items)
    }
  }

  static func call(
    _ name: String, _ dict: ValueDict, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    switch name {
    case "get":
      let bound = try arguments.bindPositional(name, 1...2)
      try interpreter.charge(steps: bound[0]!.size / 64)
      return dict[try bound[0]!.hashable()] ?? bound[1] ?? Value.none
    case "fromkeys": return try fromKeys(arguments, interpreter)
    default: break
    }
    _ = try arguments.bindPositional(name, 0...0)
    switch name {
    case "items": return try interpreter.object(DictViewObject(dict, .items))
    case "keys": return try interpreter.object(DictViewObject(dict, .keys))
    case "values": return try interpreter.object(DictViewObject(dict, .values))
    default: return try interpreter.dict(dict.pairs)
    }
  }

  /// `dict.fromkeys(keys, value)`.
  static func fromKeys(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    let bound = try arguments.bindPositional("fromkeys", 1...2)
    var pairs: [(hash: Key, key: Value, value: Value)] = []
    for key in try interpreter.items(bound[0]!) {
      pairs.append((try key.hashable(), key, bound[1] ?? Value.none))
    }
    return try interpreter.dict(pairs)
  }
}
