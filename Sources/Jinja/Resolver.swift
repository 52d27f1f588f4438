import IngotCore

/// Binds every name of a template to a slot of a scope, and checks what can be checked without running.
struct Resolver {
  private var program = Program()
  /// The enclosing scopes, outermost first. A block that is not scoped hides those around it.
  private var scopes: [Scope] = []

  private struct Scope {
    let id: Int
    var slots: [String: Int] = [:]
  }

  static func resolve(_ body: [Statement], names: Int, scopes: Int) throws(IngotError) -> Program {
    var resolver = Resolver()
    resolver.program.body = body
    resolver.program.references = Array(repeating: Reference(hops: 0, slot: 0), count: names)
    resolver.program.scopes = Array(repeating: ScopeLayout(), count: scopes)
    try resolver.enter(0, { $0.visit(body) }) { (resolver) throws(IngotError) in
      try resolver.bind(body, isSoft: false)
    }
    return resolver.program
  }

  // MARK: Scopes

  private func find(_ name: String, before end: Int) -> Reference? {
    for index in stride(from: end - 1, through: 0, by: -1) {
      if let slot = scopes[index].slots[name] { return Reference(hops: end - 1 - index, slot: slot) }
    }
    return nil
  }

  /// Analyses a scope, then binds what is inside it.
  private mutating func enter(
    _ id: Int, _ analyze: (inout Symbols) -> Void,
    _ body: (inout Resolver) throws(IngotError) -> Void
  ) throws(IngotError) {
    let known = Set(scopes.flatMap { $0.slots.keys })
    var symbols = Symbols(isKnownOutside: known.contains)
    analyze(&symbols)
    var scope = Scope(id: id)
    var layout = program.scopes[id]
    for (slot, name) in symbols.order.enumerated() {
      scope.slots[name] = slot
      switch symbols.loads[name] ?? .undefined {
      case .parameter, .undefined: break
      case .resolve: layout.loads.append((slot, .resolve(name)))
      case .alias:
        if let outer = find(name, before: scopes.count) {
          layout.loads.append((slot, .alias(Reference(hops: outer.hops + 1, slot: outer.slot))))
        }
      }
    }
    layout.slotCount = scope.slots.count
    program.scopes[id] = layout
    scopes.append(scope)
    defer { scopes.removeLast() }
    try body(&self)
  }

  private func slot(_ name: String) -> Int? { scopes.last?.slots[name] }

  private mutating func bind(_ use: NameUse) throws(IngotError) {
    guard let reference = find(use.name, before: scopes.count) else {
      // Only a filter of a block assignment can name what its scope never saw.
      throw IngotError(.template, "'\(use.name)' cannot be used here", at: .init(line: "\(use.line)"))
    }
    program.references[use.id] = reference
  }

  // MARK: Statements

  private mutating func bind(_ statements: [Statement], isSoft: Bool) throws(IngotError) {
    for statement in statements { try bind(statement, isSoft: isSoft) }
  }

  /// - Parameter isSoft: whether a condition guards the code: an unknown filter is then an error only
  ///   when it is reached.
  private mutating func bind(_ statement: Statement, isSoft: Bool) throws(IngotError) {
    switch statement {
    case .text, .breakLoop, .continueLoop: break
    case .output(let value, _): try bind(value, isSoft: isSoft)
    case .condition(let branches, let otherwise, _):
      for branch in branches {
        try bind(branch.test, isSoft: true)
        try bind(branch.body, isSoft: true)
      }
      try bind(otherwise, isSoft: true)
    case .loop(let loop): try bind(loop, isSoft: isSoft)
    case .set(let target, let value, _):
      try bind(value, isSoft: isSoft)
      try bind(target)
    case .setBlock(let target, let filters, let body, let scope, _):
      try bind(target)
      try enter(scope, { $0.visit(body) }) { (resolver) throws(IngotError) in
        try resolver.bind(body, isSoft: false)
        for filter in filters { try resolver.bind(filter, isSoft: false) }
      }
    case .macro(let name, let callable):
      try bind(name)
      try bind(callable)
    case .call(let call, let callable):
      try bind(call, isSoft: isSoft)
      try bind(callable)
    case .filter(let filters, let body, let scope):
      let analyze: (inout Symbols) -> Void = { symbols in
        symbols.visit(body)
        filters.forEach { symbols.visit($0) }
      }
      try enter(scope, analyze) { (resolver) throws(IngotError) in
        try resolver.bind(body, isSoft: false)
        for filter in filters { try resolver.bind(filter, isSoft: false) }
      }
    case .with(let bindings, let body, let scope, _):
      for binding in bindings { try bind(binding.value, isSoft: isSoft) }
      let analyze: (inout Symbols) -> Void = { symbols in
        bindings.forEach { symbols.visit($0.target, asParameter: true) }
        symbols.visit(body)
      }
      try enter(scope, analyze) { (resolver) throws(IngotError) in
        for binding in bindings { try resolver.bind(binding.target) }
        try resolver.bind(body, isSoft: false)
      }
    case .block(_, let body, let scope, let isScoped):
      program.hasBlocks = true
      let outer = scopes
      if !isScoped { scopes = [] }
      defer { scopes = outer }
      try enter(scope, { $0.visit(body) }) { (resolver) throws(IngotError) in
        try resolver.bind(body, isSoft: false)
      }
    case .generation(let body, let scope):
      try enter(scope, { $0.visit(body) }) { (resolver) throws(IngotError) in
        try resolver.bind(body, isSoft: false)
      }
    }
  }

  private mutating func bind(_ loop: Loop, isSoft: Bool) throws(IngotError) {
    try bind(loop.iterable, isSoft: isSoft)
    if let test = loop.test {
      let analyze: (inout Symbols) -> Void = { symbols in
        symbols.visit(loop.target, asParameter: true)
        symbols.visit(test)
      }
      try enter(loop.testScope, analyze) { (resolver) throws(IngotError) in
        try resolver.bind(loop.target)
        try resolver.bind(test, isSoft: false)
      }
    }
    if let line = loop.lineAssigningLoop {
      throw IngotError(.template, "'loop' cannot be assigned inside a loop", at: .init(line: "\(line)"))
    }
    let analyze: (inout Symbols) -> Void = { symbols in
      // The target first: its slots are then those it has in the scope of the test.
      symbols.visit(loop.target, asParameter: true)
      symbols.declareParameter("loop")
      symbols.visit(loop.body)
    }
    try enter(loop.bodyScope, analyze) { (resolver) throws(IngotError) in
      resolver.program.scopes[loop.bodyScope].loopSlot = resolver.slot("loop")
      try resolver.bind(loop.target)
      try resolver.bind(loop.body, isSoft: false)
    }
    try enter(loop.otherwiseScope, { $0.visit(loop.otherwise) }) { (resolver) throws(IngotError) in
      try resolver.bind(loop.otherwise, isSoft: false)
    }
  }

  private mutating func bind(_ callable: Callable) throws(IngotError) {
    let special = callable.body.undeclared(["caller", "kwargs", "varargs"])
    let own = Set(callable.parameters.map(\.name))
    if special.contains("caller"), let index = callable.parameters.firstIndex(where: { $0.name == "caller" }),
      index < callable.parameters.count - callable.defaults.count
    {
      throw IngotError(
        .template, "a parameter named 'caller' needs a default", at: .init(line: "\(callable.line)"))
    }
    let analyze: (inout Symbols) -> Void = { symbols in
      callable.parameters.forEach { symbols.declareParameter($0.name) }
      callable.defaults.forEach { symbols.visit($0) }
      for name in special.sorted() { symbols.declareParameter(name) }
      symbols.visit(callable.body)
    }
    try enter(callable.scope, analyze) { (resolver) throws(IngotError) in
      let id = callable.scope
      if special.contains("caller"), !own.contains("caller") {
        resolver.program.scopes[id].callerSlot = resolver.slot("caller")
      }
      if special.contains("kwargs"), !own.contains("kwargs") {
        resolver.program.scopes[id].keywordsSlot = resolver.slot("kwargs")
      }
      if special.contains("varargs"), !own.contains("varargs") {
        resolver.program.scopes[id].positionalsSlot = resolver.slot("varargs")
      }
      for parameter in callable.parameters { try resolver.bind(parameter) }
      for value in callable.defaults { try resolver.bind(value, isSoft: false) }
      try resolver.bind(callable.body, isSoft: false)
    }
  }

  private mutating func bind(_ target: AssignmentTarget) throws(IngotError) {
    switch target {
    case .name(let use), .attribute(let use, _): try bind(use)
    case .tuple(let targets): for target in targets { try bind(target) }
    }
  }

  // MARK: Expressions

  private mutating func bind(_ expression: Expression, isSoft: Bool) throws(IngotError) {
    var uses: [NameUse] = []
    expression.forEachName { uses.append($0) }
    for use in uses { try bind(use) }
    if !isSoft { try expression.checkNames() }
  }

  private mutating func bind(_ suffix: Suffix, isSoft: Bool) throws(IngotError) {
    var uses: [NameUse] = []
    suffix.forEachName { uses.append($0) }
    for use in uses { try bind(use) }
    if !isSoft { try suffix.checkNames() }
  }
}
