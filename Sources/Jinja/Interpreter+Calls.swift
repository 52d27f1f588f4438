import IngotCore

extension Interpreter {
  // MARK: Loops

  func execute(_ loop: Loop, _ scope: Scope) throws(IngotError) -> Flow {
    line = loop.line
    let iterable = try evaluate(loop.iterable, scope)
    guard loop.isRecursive else { return try run(loop, over: iterable, depth0: 0, scope) }
    try emit(try recurse(loop, over: iterable, depth0: 0, scope))
    return .normal
  }

  private func recurse(
    _ loop: Loop, over iterable: Value, depth0: Int, _ scope: Scope
  ) throws(IngotError) -> Text {
    try nested { () throws(IngotError) in
      try self.capture { () throws(IngotError) in
        _ = try self.run(loop, over: iterable, depth0: depth0, scope)
      }.0
    }
  }

  private func run(
    _ loop: Loop, over iterable: Value, depth0: Int, _ scope: Scope
  ) throws(IngotError) -> Flow {
    var source = try iterator(iterable)
    if let test = loop.test {
      let inner = try enter(loop.testScope, parent: scope)
      source = FilterIterator(source) { [self] (value) throws(IngotError) in
        load(loop.testScope, into: inner)
        try assign(value, to: loop.target, inner)
        return try evaluate(test, inner).isTrue
      }
    }
    let object = LoopObject(
      source, depth0: depth0,
      recursion: loop.isRecursive
        ? { [self] (value, depth) throws(IngotError) in
          try recurse(loop, over: value, depth0: depth, scope)
        } : nil)
    defer { object.clear() }
    let inner = Scope(program.scopes[loop.bodyScope].slotCount, parent: scope)
    // What a loop assigns is gone after it, also for macros that were made in it.
    defer { for slot in inner.slots.indices { inner.slots[slot] = nil } }
    var ranThrough = false
    while let value = try object.advance() {
      try charge(steps: 1)
      for slot in inner.slots.indices { inner.slots[slot] = nil }
      try assign(value, to: loop.target, inner)
      load(loop.bodyScope, into: inner)
      if let slot = program.scopes[loop.bodyScope].loopSlot { inner.slots[slot] = .object(object) }
      let flow = try execute(loop.body, inner)
      if flow == .breakLoop { break }
      // As in jinja2, an iteration that `continue` ends does not count for `else`.
      if flow == .normal { ranThrough = true }
    }
    guard !ranThrough, !loop.otherwise.isEmpty else { return .normal }
    return try execute(loop.otherwise, try enter(loop.otherwiseScope, parent: scope))
  }

  // MARK: Macros

  /// Runs a macro.
  /// - Returns: what it wrote.
  func run(_ callable: Callable, in scope: Scope, _ arguments: Arguments) throws(IngotError) -> Text {
    try nested { () throws(IngotError) in
      let callLine = line
      let inner = try enter(callable.scope, parent: scope)
      try bind(arguments, to: callable, inner)
      let text = try capture { () throws(IngotError) in _ = try execute(callable.body, inner) }.0
      line = callLine
      return text
    }
  }

  private func bind(_ arguments: Arguments, to callable: Callable, _ scope: Scope) throws(IngotError) {
    let layout = program.scopes[callable.scope]
    let name = callable.name ?? "caller"
    let parameters = callable.parameters
    var keyword = arguments.keyword
    func take(_ name: String) -> Value? {
      guard let index = keyword.firstIndex(where: { $0.name == name }) else { return nil }
      return keyword.remove(at: index).value
    }
    var isMissing: [Bool] = []
    for (index, parameter) in parameters.enumerated() {
      let value = index < arguments.positional.count ? arguments.positional[index] : take(parameter.name)
      if let value { store(value, in: parameter, scope) }
      isMissing.append(value == nil)
    }
    if let slot = layout.callerSlot {
      scope.slots[slot] = take("caller") ?? .undefined("no caller defined")
    }
    if let slot = layout.keywordsSlot {
      scope.slots[slot] = .dict(ValueDict(keyword.map { (Text($0.name), $0.value) }))
    } else if let extra = keyword.first {
      throw .python("macro '\(name)' takes no keyword argument '\(extra.name)'")
    }
    let extras = arguments.positional.dropFirst(parameters.count)
    if let slot = layout.positionalsSlot {
      scope.slots[slot] = .tuple(Array(extras))
    } else if !extras.isEmpty {
      throw .python("macro '\(name)' takes not more than \(parameters.count) argument(s)")
    }
    let firstDefault = parameters.count - callable.defaults.count
    for (index, parameter) in parameters.enumerated() where isMissing[index] {
      let value =
        index >= firstDefault
        ? try evaluate(callable.defaults[index - firstDefault], scope)
        : Value.undefined("parameter '\(parameter.name)' was not provided")
      store(value, in: parameter, scope)
    }
  }
}
