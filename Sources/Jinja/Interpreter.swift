import IngotCore

/// The variables of one entry into a scope.
final class Scope {
  /// Nil where nothing was assigned yet.
  var slots: [Value?]
  let parent: Scope?

  init(_ count: Int, parent: Scope?) {
    slots = Array(repeating: nil, count: count)
    self.parent = parent
  }
}

/// One rendering of a program.
final class Interpreter {
  let program: Program
  let options: TemplateOptions
  let now: LocalTime?
  /// The line being executed.
  var line = 1
  var output = Text()
  /// The template's own scope, whose variables blocks see.
  var rootScope: Scope?
  var globals: [String: Value] = [:]
  private var exported: [String: Value] = [:]
  private var steps = 0
  private var allocated = 0
  private var depth = 0
  private let stack = StackGuard()
  /// What could hold each other in a cycle, to be emptied at the end.
  private var namespaces: [NamespaceObject] = []
  private var macros: [MacroObject] = []

  init(_ program: Program, options: TemplateOptions, now: LocalTime?) {
    (self.program, self.options, self.now) = (program, options, now)
  }

  func render(_ variables: JSONObject) throws(IngotError) -> Text {
    globals = Globals.all
    for member in variables.members {
      globals[member.key] = try Value(member.value, depth: options.limits.valueDepth / 2)
    }
    let scope = try enter(0, parent: nil)
    rootScope = scope
    _ = try execute(program.body, scope)
    return output
  }

  /// Frees what holds itself.
  func dispose() {
    for namespace in namespaces { namespace.clear() }
    for macro in macros { macro.clear() }
    rootScope = nil
  }

  // MARK: Limits

  /// Counts work.
  /// - Throws: `.limit` when it was too much.
  func charge(steps count: Int) throws(IngotError) {
    steps += count
    guard steps <= options.limits.steps else {
      throw IngotError(
        .limit, "the template takes more than \(options.limits.steps) steps",
        hint: "it may never end; if it is sound, raise TemplateLimits.steps")
    }
  }

  /// Counts a string or list about to be made.
  /// - Throws: `.limit` when it is too long, or all of them together.
  func charge(bytes: Int, times: Int = 1) throws(IngotError) {
    let (total, overflow) = max(bytes, 0).multipliedReportingOverflow(by: max(times, 0))
    guard !overflow, total <= options.limits.outputBytes else {
      throw IngotError(
        .limit, "a value of the template takes more than \(options.limits.outputBytes) bytes")
    }
    allocated += total
    guard allocated <= options.limits.allocatedBytes else {
      throw IngotError(
        .limit, "the template allocates more than \(options.limits.allocatedBytes) bytes")
    }
    try charge(steps: total / 64)
  }

  /// Runs something one level deeper.
  /// - Throws: `.limit` when that is too deep.
  func nested<Result>(_ body: () throws(IngotError) -> Result) throws(IngotError) -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= options.limits.recursion else {
      throw IngotError(.limit, "macros or loops recurse more than \(options.limits.recursion) deep")
    }
    return try body()
  }

  /// - Throws: `.limit` when the thread's stack is nearly used up.
  func checkStack() throws(IngotError) {
    guard stack.hasRoom else {
      throw IngotError(
        .limit, "the template recurses too deeply for the stack of its thread",
        hint: "render it on a thread with a larger stack")
    }
  }

  // MARK: Values

  private func checked(_ extent: ValueExtent) throws(IngotError) {
    guard extent.depth <= options.limits.valueDepth else {
      throw IngotError(.limit, "lists or dictionaries are nested more than \(options.limits.valueDepth) deep")
    }
    guard extent.size <= 4 * options.limits.outputBytes else {
      throw IngotError(
        .limit, "a value of the template is larger than \(4 * options.limits.outputBytes) bytes")
    }
  }

  func list(_ items: [Value]) throws(IngotError) -> Value {
    try charge(bytes: items.count * 16)
    let list = ValueList(items)
    try checked(list.extent)
    return .list(list)
  }

  func tuple(_ items: [Value], names: [String] = []) throws(IngotError) -> Value {
    try charge(bytes: items.count * 16)
    let list = ValueList(items, names: names)
    try checked(list.extent)
    return .tuple(list)
  }

  func dict(_ pairs: [(hash: Key, key: Value, value: Value)]) throws(IngotError) -> Value {
    try charge(bytes: pairs.count * 64)
    let dict = ValueDict(pairs)
    try checked(dict.extent)
    return .dict(dict)
  }

  func object(_ object: RuntimeObject) throws(IngotError) -> Value {
    try charge(bytes: 64)
    guard object.depth <= options.limits.valueDepth else {
      throw IngotError(.limit, "values are nested more than \(options.limits.valueDepth) deep")
    }
    if let namespace = object as? NamespaceObject { namespaces.append(namespace) }
    if let macro = object as? MacroObject { macros.append(macro) }
    return .object(object)
  }

  /// Python's `str(value)`.
  /// - Throws: `.limit` when it is too long.
  func text(_ value: Value) throws(IngotError) -> Text {
    switch value {
    case .undefined: return ""
    case .string(let text): return text
    case .none, .bool, .int, .float, .list, .tuple, .dict, .object: return try repr(value)
    }
  }

  /// Python's `repr(value)`.
  /// - Throws: `.limit` when it is too long.
  func repr(_ value: Value) throws(IngotError) -> Text {
    var writer = ReprWriter(limit: options.limits.outputBytes)
    writer.write(value)
    try charge(bytes: writer.output.bytes.count)
    return writer.output
  }

  /// An iterator over a value.
  /// - Throws: `.template` when it cannot be iterated.
  func iterator(_ value: Value) throws(IngotError) -> ValueIterator {
    if case .object(let object) = value { return try object.iterator(self) }
    return ArrayIterator(try items(value))
  }

  /// Everything a value yields when it is iterated.
  /// - Throws: `.template` when it cannot be.
  func items(_ value: Value) throws(IngotError) -> [Value] {
    switch value {
    case .undefined: return []
    case .list(let list), .tuple(let list): return list.items
    case .string(let text):
      try charge(bytes: 16, times: text.count)
      return text.scalars.map { .string(Text([$0])) }
    case .dict(let dict): return dict.keys
    case .object(let object):
      let iterator = try object.iterator(self)
      var items: [Value] = []
      while let next = try iterator.next() {
        try charge(steps: 1)
        items.append(next)
      }
      return items
    case .none, .bool, .int, .float: throw .python("'\(value.typeName)' object is not iterable")
    }
  }

  // MARK: Scopes

  /// Enters a scope, giving its names their first values.
  func enter(_ id: Int, parent: Scope?) throws(IngotError) -> Scope {
    let scope = Scope(program.scopes[id].slotCount, parent: parent)
    load(id, into: scope)
    return scope
  }

  /// Gives the names of a scope their first values.
  func load(_ id: Int, into scope: Scope) {
    for (slot, load) in program.scopes[id].loads {
      switch load {
      case .resolve(let name): scope.slots[slot] = exported[name] ?? globals[name]
      case .alias(let reference): scope.slots[slot] = self.scope(scope, reference).slots[reference.slot]
      }
    }
  }

  private func scope(_ scope: Scope, _ reference: Reference) -> Scope {
    var target = scope
    for _ in 0..<reference.hops { if let parent = target.parent { target = parent } }
    return target
  }

  func value(_ use: NameUse, _ scope: Scope) -> Value {
    let reference = program.references[use.id]
    return self.scope(scope, reference).slots[reference.slot] ?? .undefined("'\(use.name)' is undefined")
  }

  func store(_ value: Value, in use: NameUse, _ scope: Scope) {
    let reference = program.references[use.id]
    let target = self.scope(scope, reference)
    target.slots[reference.slot] = value
    if program.hasBlocks && target === rootScope { exported[use.name] = value }
  }
}
