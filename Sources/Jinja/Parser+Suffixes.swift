import IngotCore

extension Parser {
  /// An attribute, subscript or call, if one follows.
  mutating func parsePostfix() throws(IngotError) -> Suffix? {
    let line = self.line
    switch current.kind {
    case .symbol(.dot):
      advance()
      switch current.kind {
      case .name(let name):
        advance()
        return Suffix(kind: .attribute(name), line: line)
      case .integer(let index):
        advance()
        return Suffix(kind: .item(.literal(.int(index))), line: line)
      case .data, .blockBegin, .blockEnd, .variableBegin, .variableEnd, .string, .float, .symbol, .end:
        throw error("expected a name or a number after '.', got \(current.kind)")
      }
    case .symbol(.leftBracket): return Suffix(kind: try parseSubscript(), line: line)
    case .symbol(.leftParenthesis): return Suffix(kind: .call(try parseArguments()), line: line)
    case .data, .blockBegin, .blockEnd, .variableBegin, .variableEnd, .name, .string, .integer, .float,
      .symbol, .end:
      return nil
    }
  }

  private mutating func parseSubscript() throws(IngotError) -> Suffix.Kind {
    advance()
    var items: [Expression] = []
    var slice: Suffix.Kind?
    while !isSymbol(.rightBracket) {
      if !items.isEmpty || slice != nil { try expect(.comma) }
      guard slice == nil else { throw error("a slice cannot be part of a tuple") }
      let start = isSymbol(.colon) ? nil : try parseExpression()
      if isSymbol(.colon) {
        guard items.isEmpty else { throw error("a slice cannot be part of a tuple") }
        slice = try parseSlice(from: start)
      } else if let start {
        items.append(start)
      }
    }
    advance()
    if let slice { return slice }
    return .item(items.count == 1 ? items[0] : .tuple(items))
  }

  private mutating func parseSlice(from start: Expression?) throws(IngotError) -> Suffix.Kind {
    func isOver(_ parser: Parser) -> Bool {
      parser.isSymbol(.colon) || parser.isSymbol(.rightBracket) || parser.isSymbol(.comma)
    }
    advance()
    let stop = isOver(self) ? nil : try parseExpression()
    var step: Expression?
    if skip(.colon), !isOver(self) { step = try parseExpression() }
    return .slice(start: start, stop: stop, step: step)
  }

  /// `|name(arguments)` any number of times.
  mutating func parseFilters() throws(IngotError) -> [Suffix] {
    var filters: [Suffix] = []
    while skip(.pipe) { filters.append(try parseFilter()) }
    return filters
  }

  /// A filter's name and arguments, after the `|`.
  mutating func parseFilter() throws(IngotError) -> Suffix {
    let line = self.line
    let name = try parseDottedName()
    let arguments = isSymbol(.leftParenthesis) ? try parseArguments() : CallArguments()
    return Suffix(kind: .filter(name, arguments), line: line)
  }

  private mutating func parseDottedName() throws(IngotError) -> String {
    var name = try expectName()
    while skip(.dot) { name += "." + (try expectName()) }
    return name
  }

  /// `is [not] name`, with arguments in parentheses or one without.
  mutating func parseTest() throws(IngotError) -> Suffix {
    let line = self.line
    advance()
    let isNegated = skip(name: "not")
    let name = try parseDottedName()
    var arguments = CallArguments()
    if isSymbol(.leftParenthesis) {
      arguments = try parseArguments()
    } else if startsOperand {
      if isName("is") { throw error("tests cannot be chained with 'is'") }
      arguments.positional = [
        try nested { (parser) throws(IngotError) in try parser.parseOperand() }
      ]
    }
    return Suffix(kind: .test(name, arguments, isNegated: isNegated), line: line)
  }

  private var startsOperand: Bool {
    switch current.kind {
    case .name(let name): name != "else" && name != "or" && name != "and"
    case .string, .integer, .float, .symbol(.leftBracket), .symbol(.leftBrace): true
    case .data, .blockBegin, .blockEnd, .variableBegin, .variableEnd, .symbol, .end: false
    }
  }

  /// `(…)` of a call.
  mutating func parseArguments() throws(IngotError) -> CallArguments {
    try nested { (parser) throws(IngotError) in try parser.parseArgumentList() }
  }

  private mutating func parseArgumentList() throws(IngotError) -> CallArguments {
    let line = self.line
    advance()
    var arguments = CallArguments()
    var isFirst = true
    func ensure(_ isFine: Bool) throws(IngotError) {
      if !isFine {
        throw IngotError(.template, "arguments in an impossible order", at: .init(line: "\(line)"))
      }
    }
    while !isSymbol(.rightParenthesis) {
      if !isFirst {
        try expect(.comma)
        if isSymbol(.rightParenthesis) { break }
      }
      isFirst = false
      if skip(.star) {
        try ensure(arguments.spread == nil && arguments.keywordSpread == nil)
        arguments.spread = try parseExpression()
      } else if skip(.doubleStar) {
        try ensure(arguments.keywordSpread == nil)
        arguments.keywordSpread = try parseExpression()
      } else if case .name(let name) = current.kind, next == .symbol(.assign) {
        try ensure(arguments.keywordSpread == nil && !arguments.keyword.contains { $0.name == name })
        advance()
        advance()
        arguments.keyword.append((name, try parseExpression()))
      } else {
        try ensure(arguments.spread == nil && arguments.keywordSpread == nil && arguments.keyword.isEmpty)
        arguments.positional.append(try parseExpression())
      }
    }
    advance()
    return arguments
  }
}
