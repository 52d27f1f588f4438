/// The names a scope knows, as jinja2 decides them before it runs anything: a name that is assigned
/// anywhere in a scope belongs to that scope from its start.
///
/// Source: the rules stated by `jinja2/idtracking.py`, 3.1.6.
struct Symbols {
  /// How a name gets its first value; see `ScopeLayout.Load`.
  enum Load { case parameter, undefined, resolve, alias }

  /// The names with a slot in this scope and how each is loaded.
  private(set) var loads: [String: Load] = [:]
  /// The names in the order they were first met, which is that of their slots.
  private(set) var order: [String] = []
  private(set) var stores: Set<String> = []
  /// Whether an enclosing scope knows a name.
  private let isKnownOutside: (String) -> Bool

  init(isKnownOutside: @escaping (String) -> Bool) { self.isKnownOutside = isKnownOutside }

  private mutating func define(_ name: String, _ load: Load) {
    if loads.updateValue(load, forKey: name) == nil { order.append(name) }
  }

  mutating func load(_ name: String) {
    if loads[name] == nil && !isKnownOutside(name) { define(name, .resolve) }
  }

  mutating func store(_ name: String) {
    stores.insert(name)
    if loads[name] == nil { define(name, isKnownOutside(name) ? .alias : .undefined) }
  }

  mutating func declareParameter(_ name: String) {
    stores.insert(name)
    define(name, .parameter)
  }

  /// Joins the branches of a condition: what only some of them assign keeps its outer value.
  mutating func join(_ branches: [Symbols]) {
    var assigned: Set<String> = []
    for branch in branches { assigned.formUnion(branch.stores) }
    assigned.subtract(stores)
    for branch in branches {
      for name in branch.order { define(name, branch.loads[name] ?? .undefined) }
      stores.formUnion(branch.stores)
    }
    for name in assigned { define(name, isKnownOutside(name) ? .alias : .resolve) }
  }
}

// MARK: - What a scope's own statements do; the bodies of inner scopes do not count

extension Symbols {
  mutating func visit(_ statements: [Statement]) {
    for statement in statements { visit(statement) }
  }

  private mutating func visit(_ statement: Statement) {
    switch statement {
    case .text, .breakLoop, .continueLoop, .block, .generation: break
    case .output(let value, _): visit(value)
    case .condition(let branches, let otherwise, _):
      visit(branches[...], otherwise)
    case .loop(let loop): visit(loop.iterable)
    case .set(let target, let value, _):
      visit(value)
      visit(target)
    case .setBlock(let target, _, _, _, _): visit(target)
    case .macro(let name, _): store(name.name)
    case .call(let call, _): visit(call)
    case .filter(let filters, _, _): filters.forEach { visit($0) }
    case .with(let bindings, _, _, _): bindings.forEach { visit($0.value) }
    }
  }

  private mutating func visit(
    _ branches: ArraySlice<(test: Expression, body: [Statement])>, _ otherwise: [Statement]
  ) {
    guard let first = branches.first else { return }
    visit(first.test)
    var body = self
    body.visit(first.body)
    var others = self
    for branch in branches.dropFirst() { others.visit([branch][...], []) }
    var last = self
    last.visit(otherwise)
    join([body, others, last])
  }

  mutating func visit(_ target: AssignmentTarget, asParameter: Bool = false) {
    switch target {
    case .name(let use): if asParameter { declareParameter(use.name) } else { store(use.name) }
    case .attribute(let use, _): load(use.name)
    case .tuple(let targets): targets.forEach { visit($0, asParameter: asParameter) }
    }
  }

  mutating func visit(_ expression: Expression) {
    expression.forEachName { load($0.name) }
  }

  mutating func visit(_ suffix: Suffix) {
    suffix.forEachName { load($0.name) }
  }
}

extension Expression {
  /// Calls `body` with every name the expression reads, in the order of evaluation in the source.
  func forEachName(_ body: (NameUse) -> Void) {
    switch self {
    case .literal: break
    case .name(let use): body(use)
    case .list(let items), .tuple(let items), .concat(let items), .and(let items), .or(let items):
      for item in items { item.forEachName(body) }
    case .dict(let items):
      for item in items {
        item.key.forEachName(body)
        item.value.forEachName(body)
      }
    case .chain(let base, let suffixes):
      base.forEachName(body)
      for suffix in suffixes { suffix.forEachName(body) }
    case .sign(_, let operand), .not(let operand): operand.forEachName(body)
    case .arithmetic(let first, let rest):
      first.forEachName(body)
      for item in rest { item.operand.forEachName(body) }
    case .comparison(let first, let rest):
      first.forEachName(body)
      for item in rest { item.operand.forEachName(body) }
    case .conditional(let value, let test, let otherwise, _):
      test.forEachName(body)
      value.forEachName(body)
      otherwise?.forEachName(body)
    }
  }
}

extension Suffix {
  /// Calls `body` with every name the suffix reads.
  func forEachName(_ body: (NameUse) -> Void) {
    switch kind {
    case .attribute: break
    case .item(let index): index.forEachName(body)
    case .slice(let start, let stop, let step):
      start?.forEachName(body)
      stop?.forEachName(body)
      step?.forEachName(body)
    case .call(let arguments), .filter(_, let arguments), .test(_, let arguments, _):
      for value in arguments.positional { value.forEachName(body) }
      for (_, value) in arguments.keyword { value.forEachName(body) }
      arguments.spread?.forEachName(body)
      arguments.keywordSpread?.forEachName(body)
    }
  }
}
