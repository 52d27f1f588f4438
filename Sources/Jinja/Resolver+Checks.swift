import IngotCore

extension Expression {
  /// Checks that filters and tests exist, except under a conditional expression.
  func checkNames() throws(IngotError) {
    switch self {
    case .literal, .name, .conditional: break
    case .list(let items), .tuple(let items), .concat(let items), .and(let items), .or(let items):
      for item in items { try item.checkNames() }
    case .dict(let items):
      for item in items {
        try item.key.checkNames()
        try item.value.checkNames()
      }
    case .chain(let base, let suffixes):
      try base.checkNames()
      for suffix in suffixes { try suffix.checkNames() }
    case .sign(_, let operand), .not(let operand): try operand.checkNames()
    case .arithmetic(let first, let rest):
      try first.checkNames()
      for item in rest { try item.operand.checkNames() }
    case .comparison(let first, let rest):
      try first.checkNames()
      for item in rest { try item.operand.checkNames() }
    }
  }
}

extension Suffix {
  /// Checks that the filter or test exists, and those in its arguments.
  func checkNames() throws(IngotError) {
    switch kind {
    case .attribute: break
    case .item(let index): try index.checkNames()
    case .slice(let start, let stop, let step):
      try start?.checkNames()
      try stop?.checkNames()
      try step?.checkNames()
    case .call(let arguments): try arguments.checkNames()
    case .filter(let name, let arguments):
      guard Filters.all[name] != nil else {
        throw IngotError(.template, "no filter named '\(name)'", at: .init(line: "\(line)"))
      }
      try arguments.checkNames()
    case .test(let name, let arguments, _):
      guard Tests.all[name] != nil else {
        throw IngotError(.template, "no test named '\(name)'", at: .init(line: "\(line)"))
      }
      try arguments.checkNames()
    }
  }
}

extension CallArguments {
  fileprivate func checkNames() throws(IngotError) {
    for value in positional { try value.checkNames() }
    for (_, value) in keyword { try value.checkNames() }
    try spread?.checkNames()
    try keywordSpread?.checkNames()
  }
}

extension Loop {
  /// The line of an assignment to `loop` in the loop, if there is one.
  var lineAssigningLoop: Int? {
    target.line(assigning: "loop") ?? body.line(assigning: "loop") ?? otherwise.line(assigning: "loop")
  }
}

extension AssignmentTarget {
  fileprivate func line(assigning name: String) -> Int? {
    switch self {
    case .name(let use): use.name == name ? use.line : nil
    case .attribute: nil
    case .tuple(let targets): targets.lazy.compactMap { $0.line(assigning: name) }.first
    }
  }

  fileprivate func forEachStored(_ body: (String) -> Void) {
    switch self {
    case .name(let use): body(use.name)
    case .attribute: break
    case .tuple(let targets): targets.forEach { $0.forEachStored(body) }
    }
  }
}

extension [Statement] {
  fileprivate func line(assigning name: String) -> Int? {
    for statement in self {
      let line: Int? =
        switch statement {
        case .text, .output, .breakLoop, .continueLoop: nil
        case .condition(let branches, let otherwise, _):
          branches.lazy.compactMap { $0.body.line(assigning: name) }.first ?? otherwise.line(assigning: name)
        case .loop(let loop): name == "loop" ? loop.lineAssigningLoop : nil
        case .set(let target, _, _): target.line(assigning: name)
        case .setBlock(let target, _, let body, _, _):
          target.line(assigning: name) ?? body.line(assigning: name)
        case .macro(_, let callable), .call(_, let callable): callable.body.line(assigning: name)
        case .filter(_, let body, _), .with(_, let body, _, _), .block(_, let body, _, _),
          .generation(let body, _):
          body.line(assigning: name)
        }
      if let line { return line }
    }
    return nil
  }

  /// Which of the names the statements read before they assign them, inner scopes included: how jinja2
  /// decides whether a macro takes `caller`, `kwargs` and `varargs`.
  func undeclared(_ names: Set<String>) -> Set<String> {
    var finder = UndeclaredFinder(names: names)
    finder.visit(self)
    return finder.found
  }
}

private struct UndeclaredFinder {
  var names: Set<String>
  var found: Set<String> = []

  mutating func visit(_ statements: [Statement]) {
    for statement in statements { visit(statement) }
  }

  mutating func visit(_ expression: Expression?) {
    expression?.forEachName { if names.contains($0.name) { found.insert($0.name) } }
  }

  mutating func visit(_ suffixes: [Suffix]) {
    for suffix in suffixes { suffix.forEachName { if names.contains($0.name) { found.insert($0.name) } } }
  }

  mutating func store(_ target: AssignmentTarget) { target.forEachStored { names.remove($0) } }

  mutating func visit(_ callable: Callable) {
    for parameter in callable.parameters { names.remove(parameter.name) }
    for value in callable.defaults { visit(value) }
    visit(callable.body)
  }

  mutating func visit(_ statement: Statement) {
    switch statement {
    case .text, .breakLoop, .continueLoop, .block: break
    case .output(let value, _): visit(value)
    case .condition(let branches, let otherwise, _):
      for branch in branches {
        visit(branch.test)
        visit(branch.body)
      }
      visit(otherwise)
    case .loop(let loop):
      store(loop.target)
      visit(loop.iterable)
      visit(loop.body)
      visit(loop.otherwise)
      visit(loop.test)
    case .set(let target, let value, _):
      store(target)
      visit(value)
    case .setBlock(let target, let filters, let body, _, _):
      store(target)
      visit(filters)
      visit(body)
    case .macro(_, let callable): visit(callable)
    case .call(let call, let callable):
      visit(call)
      visit(callable)
    case .filter(let filters, let body, _):
      visit(body)
      visit(filters)
    case .with(let bindings, let body, _, _):
      for binding in bindings { store(binding.target) }
      for binding in bindings { visit(binding.value) }
      visit(body)
    case .generation(let body, _): visit(body)
    }
  }
}
