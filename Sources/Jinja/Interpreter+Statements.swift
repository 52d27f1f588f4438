import IngotCore

extension Interpreter {
  /// How a body of statements ended.
  enum Flow { case normal, breakLoop, continueLoop }

  func execute(_ statements: [Statement], _ scope: Scope) throws(IngotError) -> Flow {
    for statement in statements {
      let flow = try execute(statement, scope)
      if flow != .normal { return flow }
    }
    return .normal
  }

  /// Appends to the output.
  /// - Throws: `.limit` when it grows too long.
  func emit(_ text: Text) throws(IngotError) {
    output.append(text)
    guard output.bytes.count <= options.limits.outputBytes else {
      throw IngotError(.limit, "the output is longer than \(options.limits.outputBytes) bytes")
    }
  }

  private func execute(_ statement: Statement, _ scope: Scope) throws(IngotError) -> Flow {
    try charge(steps: 1)
    try checkStack()
    switch statement {
    case .text(let text): try emit(text)
    case .output(let value, let line):
      self.line = line
      try emit(try text(try evaluate(value, scope)))
    case .condition(let branches, let otherwise, let line):
      self.line = line
      return try executeCondition(branches, otherwise, scope)
    case .loop(let loop): return try execute(loop, scope)
    case .set(let target, let value, let line):
      self.line = line
      try executeSet(target, value, scope)
    case .setBlock(let target, let filters, let body, let id, let line):
      self.line = line
      return try executeCaptured(body, filters, id, scope) { (value) throws(IngotError) in
        try self.assign(value, to: target, scope)
      }
    case .macro(let name, let callable):
      store(try macro(callable, scope), in: name, scope)
    case .call(let call, let callable): try executeCall(call, callable, scope)
    case .filter(let filters, let body, let id):
      return try executeCaptured(body, filters, id, scope) { (value) throws(IngotError) in
        try self.emit(try self.text(value))
      }
    case .with(let bindings, let body, let id, let line):
      self.line = line
      return try executeWith(bindings, body, id, scope)
    case .block(_, let body, let id, let isScoped):
      return try execute(body, try enter(id, parent: isScoped ? scope : nil))
    case .generation(let body, let id): return try execute(body, try enter(id, parent: scope))
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .normal
  }

  private func executeCondition(
    _ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement], _ scope: Scope
  ) throws(IngotError) -> Flow {
    for branch in branches where try evaluate(branch.test, scope).isTrue {
      return try execute(branch.body, scope)
    }
    return try execute(otherwise, scope)
  }

  private func executeSet(
    _ target: AssignmentTarget, _ value: Expression, _ scope: Scope
  ) throws(IngotError) {
    try checkNamespaces(target, scope)
    try assign(try evaluate(value, scope), to: target, scope)
  }

  /// Runs a body apart, then hands on what it wrote, filtered.
  private func executeCaptured(
    _ body: [Statement], _ filters: [Suffix], _ id: Int, _ scope: Scope,
    _ use: (Value) throws(IngotError) -> Void
  ) throws(IngotError) -> Flow {
    let inner = try enter(id, parent: scope)
    let (text, flow) = try capture { () throws(IngotError) in try self.execute(body, inner) }
    if flow != .normal { return flow }
    var value = Value.string(text)
    for filter in filters { value = try apply(filter, to: value, inner) }
    try use(value)
    return .normal
  }

  /// What `body` writes, instead of writing it.
  func capture<Result>(
    _ body: () throws(IngotError) -> Result
  ) throws(IngotError) -> (Text, Result) {
    let outer = output
    output = Text()
    defer { output = outer }
    let result = try body()
    try charge(bytes: output.bytes.count)
    return (output, result)
  }

  private func executeWith(
    _ bindings: [(target: AssignmentTarget, value: Expression)], _ body: [Statement], _ id: Int,
    _ scope: Scope
  ) throws(IngotError) -> Flow {
    let inner = try enter(id, parent: scope)
    for binding in bindings {
      try assign(try evaluate(binding.value, scope), to: binding.target, inner)
    }
    return try execute(body, inner)
  }

  private func executeCall(
    _ call: Expression, _ callable: Callable, _ scope: Scope
  ) throws(IngotError) {
    guard case .chain(let base, let suffixes) = call else { return }
    let caller = try macro(callable, scope)
    try emit(try text(try evaluateChain(base, suffixes[...], scope, caller: caller)))
  }

  private func macro(_ callable: Callable, _ scope: Scope) throws(IngotError) -> Value {
    try object(MacroObject(callable, scope, program.scopes[callable.scope]))
  }

  // MARK: Assignment

  /// Python evaluates the value only after it knows that the targets are namespaces.
  private func checkNamespaces(_ target: AssignmentTarget, _ scope: Scope) throws(IngotError) {
    switch target {
    case .name: break
    case .attribute(let use, _):
      guard case .object(let object) = value(use, scope), object is NamespaceObject else {
        throw .python("cannot assign attribute on non-namespace object").onLine(use.line)
      }
    case .tuple(let targets): for target in targets { try checkNamespaces(target, scope) }
    }
  }

  func assign(_ value: Value, to target: AssignmentTarget, _ scope: Scope) throws(IngotError) {
    switch target {
    case .name(let use): store(value, in: use, scope)
    case .attribute(let use, let name):
      guard case .object(let object) = self.value(use, scope), let namespace = object as? NamespaceObject
      else { throw .python("cannot assign attribute on non-namespace object") }
      try namespace.set(name, value)
    case .tuple(let targets):
      let values = try items(value)
      guard values.count == targets.count else {
        throw .python("cannot unpack \(values.count) values into \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
    }
  }
}
