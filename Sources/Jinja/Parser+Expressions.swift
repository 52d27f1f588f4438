import IngotCore

extension Parser {
  /// An expression, or several with commas between them.
  mutating func parseTuple(
    allowsConditional: Bool = true, inParentheses: Bool = false
  ) throws(IngotError) -> Expression {
    var items: [Expression] = []
    var isTuple = false
    while !isTupleEnd {
      items.append(try parseExpression(allowsConditional: allowsConditional))
      guard skip(.comma) else { break }
      isTuple = true
    }
    if !isTuple {
      if let only = items.first { return only }
      guard inParentheses else { throw error("expected an expression, got \(current.kind)") }
    }
    return .tuple(items)
  }

  mutating func parseExpression(allowsConditional: Bool = true) throws(IngotError) -> Expression {
    try nested { (parser) throws(IngotError) in
      var value = try parser.parseOr()
      guard allowsConditional else { return value }
      var count = 0
      while parser.isName("if") {
        let line = parser.line
        parser.advance()
        count += 1
        guard count <= 16 else { throw parser.error("too many conditions in one expression") }
        let test = try parser.parseOr()
        let otherwise = parser.skip(name: "else") ? try parser.parseExpression() : nil
        value = .conditional(value, test: test, otherwise: otherwise, line: line)
      }
      return value
    }
  }

  private mutating func parseOr() throws(IngotError) -> Expression {
    var operands = [try parseAnd()]
    while skip(name: "or") { operands.append(try parseAnd()) }
    return operands.count == 1 ? operands[0] : .or(operands)
  }

  private mutating func parseAnd() throws(IngotError) -> Expression {
    var operands = [try parseNot()]
    while skip(name: "and") { operands.append(try parseNot()) }
    return operands.count == 1 ? operands[0] : .and(operands)
  }

  private mutating func parseNot() throws(IngotError) -> Expression {
    guard skip(name: "not") else { return try parseComparison() }
    return .not(try nested { (parser) throws(IngotError) in try parser.parseNot() })
  }

  private mutating func parseComparison() throws(IngotError) -> Expression {
    let first = try parseSum()
    var rest: [(operation: Comparison, operand: Expression)] = []
    while let operation = comparison() {
      advance()
      if operation == .notContained { advance() }
      rest.append((operation, try parseSum()))
    }
    return rest.isEmpty ? first : .comparison(first, rest)
  }

  private func comparison() -> Comparison? {
    switch current.kind {
    case .symbol(let symbol):
      switch symbol {
      case .equal: .equal
      case .notEqual: .notEqual
      case .less: .less
      case .lessOrEqual: .lessOrEqual
      case .greater: .greater
      case .greaterOrEqual: .greaterOrEqual
      case .plus, .minus, .slash, .doubleSlash, .star, .percent, .doubleStar, .tilde, .leftBracket,
        .rightBracket, .leftParenthesis, .rightParenthesis, .leftBrace, .rightBrace, .assign, .dot, .colon,
        .pipe, .comma, .semicolon:
        nil
      }
    case .name("in"): .contained
    case .name("not"): next == .name("in") ? .notContained : nil
    case .name, .data, .blockBegin, .blockEnd, .variableBegin, .variableEnd, .string, .integer, .float, .end:
      nil
    }
  }

  /// Operators of one precedence and their operands.
  private mutating func parseArithmetic(
    _ operations: [Symbol: Arithmetic], _ operand: (inout Parser) throws(IngotError) -> Expression
  ) throws(IngotError) -> Expression {
    let first = try operand(&self)
    var rest: [(operation: Arithmetic, operand: Expression)] = []
    while case .symbol(let symbol) = current.kind, let operation = operations[symbol] {
      advance()
      rest.append((operation, try operand(&self)))
    }
    return rest.isEmpty ? first : .arithmetic(first, rest)
  }

  private mutating func parseSum() throws(IngotError) -> Expression {
    try parseArithmetic([.plus: .add, .minus: .subtract]) { (parser) throws(IngotError) in
      try parser.parseConcat()
    }
  }

  private mutating func parseConcat() throws(IngotError) -> Expression {
    var operands = [try parseProduct()]
    while skip(.tilde) { operands.append(try parseProduct()) }
    return operands.count == 1 ? operands[0] : .concat(operands)
  }

  private mutating func parseProduct() throws(IngotError) -> Expression {
    let operations: [Symbol: Arithmetic] = [
      .star: .multiply, .slash: .divide, .doubleSlash: .floorDivide, .percent: .modulo,
    ]
    return try parseArithmetic(operations) { (parser) throws(IngotError) in
      try parser.parseArithmetic([.doubleStar: .power]) { (parser) throws(IngotError) in
        try parser.parseUnary()
      }
    }
  }

  /// A sign binds tighter than a filter: `-1|abs` is 1.
  private mutating func parseUnary(withFilters: Bool = true) throws(IngotError) -> Expression {
    var base: Expression
    var suffixes: [Suffix] = []
    if isSymbol(.minus) || isSymbol(.plus) {
      let isMinus = isSymbol(.minus)
      advance()
      base = .sign(
        isMinus: isMinus,
        try nested { (parser) throws(IngotError) in try parser.parseUnary(withFilters: false) })
    } else {
      base = try parsePrimary()
    }
    while let suffix = try parsePostfix() { suffixes.append(suffix) }
    while withFilters {
      if skip(.pipe) {
        suffixes.append(try parseFilter())
      } else if isName("is") {
        suffixes.append(try parseTest())
      } else if isSymbol(.leftParenthesis) {
        let line = self.line
        suffixes.append(Suffix(kind: .call(try parseArguments()), line: line))
      } else {
        break
      }
    }
    if !suffixes.isEmpty { base = .chain(base, suffixes) }
    return base
  }

  /// The argument of a test without parentheses: a primary with what follows it.
  mutating func parseOperand() throws(IngotError) -> Expression {
    let base = try parsePrimary()
    var suffixes: [Suffix] = []
    while let suffix = try parsePostfix() { suffixes.append(suffix) }
    return suffixes.isEmpty ? base : .chain(base, suffixes)
  }

  private mutating func parsePrimary() throws(IngotError) -> Expression {
    let line = self.line
    switch current.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .literal(.bool(true))
      case "false", "False": return .literal(.bool(false))
      case "none", "None": return .literal(.none)
      default: return .name(newName(name, line: line))
      }
    case .string(var text):
      advance()
      while case .string(let more) = current.kind {
        text.append(more)
        advance()
      }
      return .literal(.string(text))
    case .integer(let value):
      advance()
      return .literal(.int(value))
    case .float(let value):
      advance()
      return .literal(.float(value))
    case .symbol(.leftParenthesis):
      advance()
      let value = try parseTuple(inParentheses: true)
      try expect(.rightParenthesis)
      return value
    case .symbol(.leftBracket): return try parseList()
    case .symbol(.leftBrace): return try parseDict()
    case .data, .blockBegin, .blockEnd, .variableBegin, .variableEnd, .symbol, .end:
      throw error("unexpected \(current.kind)")
    }
  }

  private mutating func parseList() throws(IngotError) -> Expression {
    advance()
    var items: [Expression] = []
    while !isSymbol(.rightBracket) {
      if !items.isEmpty { try expect(.comma) }
      if isSymbol(.rightBracket) { break }
      items.append(try parseExpression())
    }
    advance()
    return .list(items)
  }

  private mutating func parseDict() throws(IngotError) -> Expression {
    advance()
    var items: [(key: Expression, value: Expression)] = []
    while !isSymbol(.rightBrace) {
      if !items.isEmpty { try expect(.comma) }
      if isSymbol(.rightBrace) { break }
      let key = try parseExpression()
      try expect(.colon)
      items.append((key, try parseExpression()))
    }
    advance()
    return .dict(items)
  }
}
