import IngotCore

extension Parser {
  /// One statement, with the tag's name current; stops before its last `%}`.
  mutating func parseStatement(_ tag: String, until ends: [String]) throws(IngotError) -> [Statement] {
    let line = self.line
    switch tag {
    case "for": return [try parseFor()]
    case "if": return [try parseIf()]
    case "set": return [try parseSet()]
    case "macro": return [try parseMacro()]
    case "call": return [try parseCallBlock()]
    case "filter": return [try parseFilterBlock()]
    case "with": return [try parseWith()]
    case "block": return [try parseNamedBlock()]
    case "generation": return [try parseGeneration()]
    case "print": return try parsePrint()
    case "break", "continue":
      advance()
      guard loopDepth > 0 else { throw error("'\(tag)' outside a loop", line: line) }
      return [tag == "break" ? .breakLoop : .continueLoop]
    case "include", "import", "from", "extends":
      throw IngotError(
        .unsupported, "'{% \(tag) %}' is not supported: a chat template is one file",
        at: .init(line: "\(line)"))
    case "autoescape":
      throw IngotError(
        .unsupported, "'{% autoescape %}' is not supported: prompts are not HTML", at: .init(line: "\(line)"))
    default:
      let expected = ends.isEmpty ? "" : ", looking for '\(ends.joined(separator: "' or '"))'"
      throw error("unknown tag '\(tag)'\(expected)")
    }
  }

  private mutating func parseFor() throws(IngotError) -> Statement {
    let line = self.line
    advance()
    let target = try parseTarget()
    try expect(.name("in"))
    let iterable = try parseTuple(allowsConditional: false)
    let test = skip(name: "if") ? try parseExpression() : nil
    let isRecursive = skip(name: "recursive")
    let scopes = (newScope(), newScope(), newScope())
    let outer = loopDepth
    loopDepth = isRecursive ? 1 : outer + 1
    defer { loopDepth = outer }
    let body = try parseBlock(until: "endfor", "else")
    var otherwise: [Statement] = []
    let hasElse = isName("else")
    advance()
    if hasElse {
      loopDepth = isRecursive ? 0 : outer
      otherwise = try parseBlock(until: "endfor")
      advance()
    }
    return .loop(
      Loop(
        target: target, iterable: iterable, test: test, isRecursive: isRecursive, body: body,
        otherwise: otherwise, bodyScope: scopes.0, testScope: scopes.1, otherwiseScope: scopes.2, line: line))
  }

  private mutating func parseIf() throws(IngotError) -> Statement {
    let line = self.line
    var branches: [(test: Expression, body: [Statement])] = []
    var otherwise: [Statement] = []
    while true {
      advance()
      let test = try parseTuple(allowsConditional: false)
      branches.append((test, try parseBlock(until: "elif", "else", "endif")))
      if isName("elif") { continue }
      let hasElse = isName("else")
      advance()
      if hasElse {
        otherwise = try parseBlock(until: "endif")
        advance()
      }
      return .condition(branches, otherwise: otherwise, line: line)
    }
  }

  private mutating func parseSet() throws(IngotError) -> Statement {
    let line = self.line
    advance()
    let target = try parseTarget(allowsAttribute: true)
    if skip(.assign) { return .set(target, try parseTuple(), line: line) }
    let filters = try parseFilters()
    let scope = newScope()
    let body = try parseBlock(until: "endset")
    advance()
    return .setBlock(target, filters: filters, body: body, scope: scope, line: line)
  }

  private mutating func parseSignature() throws(IngotError) -> ([NameUse], [Expression]) {
    var parameters: [NameUse] = []
    var defaults: [Expression] = []
    try expect(.leftParenthesis)
    while !isSymbol(.rightParenthesis) {
      if !parameters.isEmpty { try expect(.comma) }
      let parameter = try parseTargetName()
      guard !parameters.contains(where: { $0.name == parameter.name }) else {
        throw error("parameter '\(parameter.name)' twice")
      }
      if skip(.assign) {
        defaults.append(try parseExpression())
      } else if !defaults.isEmpty {
        throw error("parameter '\(parameter.name)' needs a default, as those before it have one")
      }
      parameters.append(parameter)
    }
    try expect(.rightParenthesis)
    return (parameters, defaults)
  }

  private mutating func parseMacro() throws(IngotError) -> Statement {
    let line = self.line
    advance()
    let name = try parseTargetName()
    let scope = newScope()
    let (parameters, defaults) = try parseSignature()
    let body = try inFunction { (parser) throws(IngotError) in try parser.parseBlock(until: "endmacro") }
    advance()
    return .macro(
      name,
      Callable(
        name: name.name, parameters: parameters, defaults: defaults, body: body, scope: scope, line: line))
  }

  private mutating func parseCallBlock() throws(IngotError) -> Statement {
    let line = self.line
    advance()
    let scope = newScope()
    let (parameters, defaults) = isSymbol(.leftParenthesis) ? try parseSignature() : ([], [])
    let call = try parseExpression()
    guard case .chain(_, let suffixes) = call, case .call = suffixes.last?.kind else {
      throw error("'{% call %}' needs a call", line: line)
    }
    let body = try inFunction { (parser) throws(IngotError) in try parser.parseBlock(until: "endcall") }
    advance()
    return .call(
      call,
      Callable(name: nil, parameters: parameters, defaults: defaults, body: body, scope: scope, line: line))
  }

  private mutating func parseFilterBlock() throws(IngotError) -> Statement {
    advance()
    let scope = newScope()
    let first = try parseFilter()
    let filters = [first] + (try parseFilters())
    let body = try parseBlock(until: "endfilter")
    advance()
    return .filter(filters, body: body, scope: scope)
  }

  private mutating func parseWith() throws(IngotError) -> Statement {
    let line = self.line
    advance()
    let scope = newScope()
    var bindings: [(target: AssignmentTarget, value: Expression)] = []
    while current.kind != .blockEnd && !isSymbol(.colon) {
      if !bindings.isEmpty { try expect(.comma) }
      let target = try parseTarget()
      try expect(.assign)
      bindings.append((target, try parseExpression()))
    }
    let body = try parseBlock(until: "endwith")
    advance()
    return .with(bindings, body: body, scope: scope, line: line)
  }

  private mutating func parseNamedBlock() throws(IngotError) -> Statement {
    advance()
    let name = try expectName()
    guard blockNames.insert(name).inserted else { throw error("block '\(name)' is defined twice") }
    let isScoped = skip(name: "scoped")
    _ = skip(name: "required")
    let scope = newScope()
    let body = try inFunction { (parser) throws(IngotError) in try parser.parseBlock(until: "endblock") }
    advance()
    _ = skip(name: name)
    return .block(name: name, body: body, scope: scope, isScoped: isScoped)
  }

  private mutating func parseGeneration() throws(IngotError) -> Statement {
    advance()
    let scope = newScope()
    let body = try inFunction { (parser) throws(IngotError) in
      try parser.parseBlock(until: "endgeneration")
    }
    advance()
    return .generation(body: body, scope: scope)
  }

  private mutating func parsePrint() throws(IngotError) -> [Statement] {
    let line = self.line
    advance()
    var outputs: [Statement] = []
    while current.kind != .blockEnd {
      if !outputs.isEmpty { try expect(.comma) }
      outputs.append(.output(try parseExpression(), line: line))
    }
    return outputs
  }

  // MARK: Targets

  /// A name that can be assigned.
  private mutating func parseTargetName() throws(IngotError) -> NameUse {
    let line = self.line
    let name = try expectName()
    guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
      throw error("cannot assign to '\(name)'", line: line)
    }
    return newName(name, line: line)
  }

  private mutating func parseTarget(
    allowsAttribute: Bool = false, inParentheses: Bool = false
  ) throws(IngotError) -> AssignmentTarget {
    try nested { (parser) throws(IngotError) in
      var targets: [AssignmentTarget] = []
      var isTuple = false
      while true {
        if parser.isTupleEnd { break }
        if parser.skip(.leftParenthesis) {
          targets.append(try parser.parseTarget(inParentheses: true))
          try parser.expect(.rightParenthesis)
        } else {
          let name = try parser.parseTargetName()
          if allowsAttribute && parser.skip(.dot) {
            targets.append(.attribute(name, try parser.expectName()))
          } else {
            targets.append(.name(name))
          }
        }
        guard parser.skip(.comma) else { break }
        isTuple = true
      }
      if targets.isEmpty && !inParentheses {
        throw parser.error("expected a name, got \(parser.current.kind)")
      }
      return isTuple || targets.isEmpty ? .tuple(targets) : targets[0]
    }
  }

  /// Whether a tuple without parentheses ends here.
  var isTupleEnd: Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .symbol(.rightParenthesis): true
    case .data, .blockBegin, .variableBegin, .name, .string, .integer, .float, .symbol, .end: false
    }
  }
}
