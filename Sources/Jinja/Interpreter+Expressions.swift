import IngotCore

extension Interpreter {
  /// The value of an expression.
  func evaluate(_ expression: Expression, _ scope: Scope) throws(IngotError) -> Value {
    try charge(steps: 1)
    try checkStack()
    switch expression {
    case .literal(let literal): return Value(literal)
    case .name(let use):
      line = use.line
      return value(use, scope)
    case .list(let items): return try list(evaluate(items, scope))
    case .tuple(let items): return try tuple(evaluate(items, scope))
    case .dict(let items): return try evaluateDict(items, scope)
    case .chain(let base, let suffixes): return try evaluateChain(base, suffixes[...], scope)
    case .sign(let isMinus, let operand): return try evaluate(operand, scope).signed(isMinus: isMinus)
    case .not(let operand): return .bool(!(try evaluate(operand, scope).isTrue))
    case .arithmetic(let first, let rest): return try evaluateArithmetic(first, rest, scope)
    case .concat(let items): return try evaluateConcat(items, scope)
    case .comparison(let first, let rest): return try evaluateComparison(first, rest, scope)
    case .and(let items): return try evaluateLogic(items, stopsAt: false, scope)
    case .or(let items): return try evaluateLogic(items, stopsAt: true, scope)
    case .conditional(let value, let test, let otherwise, let line):
      return try evaluateConditional(value, test, otherwise, line, scope)
    }
  }

  func evaluate(_ expressions: [Expression], _ scope: Scope) throws(IngotError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(expressions.count)
    for expression in expressions { values.append(try evaluate(expression, scope)) }
    return values
  }

  private func evaluateDict(
    _ items: [(key: Expression, value: Expression)], _ scope: Scope
  ) throws(IngotError) -> Value {
    var pairs: [(hash: Key, key: Value, value: Value)] = []
    for item in items {
      let key = try evaluate(item.key, scope)
      let value = try evaluate(item.value, scope)
      try charge(steps: key.size / 64)
      pairs.append((try key.hashable(), key, value))
    }
    return try dict(pairs)
  }

  private func evaluateArithmetic(
    _ first: Expression, _ rest: [(operation: Arithmetic, operand: Expression)], _ scope: Scope
  ) throws(IngotError) -> Value {
    var value = try evaluate(first, scope)
    for (operation, operand) in rest {
      value = try value.applying(operation, try evaluate(operand, scope), self)
    }
    return value
  }

  private func evaluateConcat(_ items: [Expression], _ scope: Scope) throws(IngotError) -> Value {
    let values = try evaluate(items, scope)
    var result = Text()
    for value in values {
      let text = try text(value)
      try charge(bytes: result.bytes.count + text.bytes.count)
      result.append(text)
    }
    return .string(result)
  }

  private func evaluateComparison(
    _ first: Expression, _ rest: [(operation: Comparison, operand: Expression)], _ scope: Scope
  ) throws(IngotError) -> Value {
    var left = try evaluate(first, scope)
    for (operation, operand) in rest {
      let right = try evaluate(operand, scope)
      guard try left.compare(operation, right, self) else { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  /// `and` stops at the first false operand, `or` at the first true one; either returns that operand.
  private func evaluateLogic(
    _ items: [Expression], stopsAt: Bool, _ scope: Scope
  ) throws(IngotError) -> Value {
    var value = Value.none
    for item in items {
      value = try evaluate(item, scope)
      if value.isTrue == stopsAt { break }
    }
    return value
  }

  private func evaluateConditional(
    _ value: Expression, _ test: Expression, _ otherwise: Expression?, _ line: Int, _ scope: Scope
  ) throws(IngotError) -> Value {
    if try evaluate(test, scope).isTrue { return try evaluate(value, scope) }
    if let otherwise { return try evaluate(otherwise, scope) }
    return .undefined(
      "the inline if-expression on line \(line) evaluated to false and no else section was defined")
  }

  // MARK: Chains

  /// - Parameter caller: given to the last call, of a call block.
  func evaluateChain(
    _ base: Expression, _ suffixes: ArraySlice<Suffix>, _ scope: Scope, caller: Value? = nil
  ) throws(IngotError) -> Value {
    var value = try evaluate(base, scope)
    for (index, suffix) in zip(suffixes.indices, suffixes) {
      value = try apply(suffix, to: value, scope, caller: index == suffixes.endIndex - 1 ? caller : nil)
    }
    return value
  }

  func apply(
    _ suffix: Suffix, to value: Value, _ scope: Scope, caller: Value? = nil
  ) throws(IngotError) -> Value {
    try charge(steps: 1)
    switch suffix.kind {
    case .attribute(let name):
      line = suffix.line
      return try attribute(name, of: value)
    case .item(let index):
      let index = try evaluate(index, scope)
      line = suffix.line
      return try item(index, of: value)
    case .slice(let start, let stop, let step): return try slice(value, start, stop, step, scope)
    case .call(let arguments):
      var arguments = try evaluate(arguments, scope)
      if let caller { arguments.keyword.append(("caller", caller)) }
      line = suffix.line
      return try call(value, arguments)
    case .filter(let name, let arguments):
      let arguments = try evaluate(arguments, scope)
      line = suffix.line
      return try filter(name, value, arguments)
    case .test(let name, let arguments, let isNegated):
      let arguments = try evaluate(arguments, scope)
      line = suffix.line
      return .bool(try test(name, value, arguments) != isNegated)
    }
  }

  private func slice(
    _ value: Value, _ start: Expression?, _ stop: Expression?, _ step: Expression?, _ scope: Scope
  ) throws(IngotError) -> Value {
    var bounds: [Int?] = []
    for expression in [start, stop, step] {
      guard let expression else {
        bounds.append(nil)
        continue
      }
      let bound = try evaluate(expression, scope)
      guard bound.isNone || bound.integer != nil else {
        throw .python("slice indices must be integers or None, not '\(bound.typeName)'")
      }
      bounds.append(bound.integer)
    }
    return try value.sliced(bounds[0], bounds[1], bounds[2], self)
  }

  func evaluate(_ arguments: CallArguments, _ scope: Scope) throws(IngotError) -> Arguments {
    if arguments.isEmpty { return Arguments() }
    var result = Arguments(positional: try evaluate(arguments.positional, scope))
    for (name, value) in arguments.keyword { result.keyword.append((name, try evaluate(value, scope))) }
    if let spread = arguments.spread { result.positional += try items(try evaluate(spread, scope)) }
    if let spread = arguments.keywordSpread {
      let value = try evaluate(spread, scope)
      guard case .dict(let dict) = value else {
        throw .python("argument after ** must be a mapping, not \(value.typeName)")
      }
      for entry in dict.entries {
        guard case .string(let name) = entry.key else { throw .python("keywords must be strings") }
        guard result.value(named: name.string) == nil else {
          throw .python("got multiple values for keyword argument '\(name.string)'")
        }
        result.keyword.append((name.string, entry.value))
      }
    }
    return result
  }

  func call(_ value: Value, _ arguments: Arguments) throws(IngotError) -> Value {
    switch value {
    case .object(let object): return try object.call(arguments, self)
    case .undefined(let undefined): throw .python(undefined.why)
    case .none, .bool, .int, .float, .string, .list, .tuple, .dict:
      throw .python("'\(value.typeName)' object is not callable")
    }
  }

  func filter(_ name: String, _ value: Value, _ arguments: Arguments) throws(IngotError) -> Value {
    guard let filter = Filters.all[name] else { throw .python("no filter named '\(name)'") }
    if case .string(let text) = value { try charge(steps: text.bytes.count / 64) }
    return try filter(self, value, arguments)
  }

  func test(_ name: String, _ value: Value, _ arguments: Arguments) throws(IngotError) -> Bool {
    guard let test = Tests.all[name] else { throw .python("no test named '\(name)'") }
    if case .string(let text) = value { try charge(steps: text.bytes.count / 64) }
    return try test(self, value, arguments)
  }
}
