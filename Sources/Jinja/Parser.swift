import IngotCore

/// Turns tokens into statements, by the grammar of jinja2 3.1.
struct Parser {
  let options: TemplateOptions
  let tokens: [Token]
  var position = 0
  /// Nesting of statements and expressions, bounded so that hostile input cannot exhaust the stack.
  var depth = 0
  /// How many loops of the current function enclose the statement: `break` needs one.
  var loopDepth = 0
  var nameCount = 0
  /// The template's scope is number 0.
  var scopeCount = 1
  var blockNames: Set<String> = []
  let stack = StackGuard()

  init(_ tokens: [Token], options: TemplateOptions) {
    (self.tokens, self.options) = (tokens, options)
  }

  /// The whole template.
  /// - Throws: `.template` with the line, `.unsupported` for inheritance and includes, `.limit`.
  mutating func parseTemplate() throws(IngotError) -> [Statement] {
    try parseBody(until: [])
  }

  // MARK: Tokens

  var current: Token { tokens[position] }
  var line: Int { current.line }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  func isName(_ name: String) -> Bool { current.kind == .name(name) }
  func isSymbol(_ symbol: Symbol) -> Bool { current.kind == .symbol(symbol) }
  var next: Token.Kind { position + 1 < tokens.count ? tokens[position + 1].kind : .end }

  mutating func skip(_ symbol: Symbol) -> Bool {
    guard isSymbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard isName(name) else { return false }
    advance()
    return true
  }

  mutating func expect(_ kind: Token.Kind) throws(IngotError) {
    guard current.kind == kind else { throw error("expected \(kind), got \(current.kind)") }
    advance()
  }

  mutating func expect(_ symbol: Symbol) throws(IngotError) { try expect(.symbol(symbol)) }

  mutating func expectName() throws(IngotError) -> String {
    guard case .name(let name) = current.kind else { throw error("expected a name, got \(current.kind)") }
    advance()
    return name
  }

  // MARK: Help

  func error(_ what: String, line: Int? = nil) -> IngotError {
    IngotError(.template, what, at: .init(line: "\(line ?? self.line)"))
  }

  mutating func newName(_ name: String, line: Int) -> NameUse {
    nameCount += 1
    return NameUse(id: nameCount - 1, name: name, line: line)
  }

  mutating func newScope() -> Int {
    scopeCount += 1
    return scopeCount - 1
  }

  /// Runs a parse step one level deeper.
  mutating func nested<Node>(
    _ body: (inout Parser) throws(IngotError) -> Node
  ) throws(IngotError) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= options.limits.nesting, stack.hasRoom else {
      throw IngotError(
        .limit, "the template is nested more than \(options.limits.nesting) deep",
        at: .init(line: "\(line)"))
    }
    return try body(&self)
  }

  /// Runs a parse step in which no loop of the outside can be left.
  mutating func inFunction<Node>(
    _ body: (inout Parser) throws(IngotError) -> Node
  ) throws(IngotError) -> Node {
    let outer = loopDepth
    loopDepth = 0
    defer { loopDepth = outer }
    return try body(&self)
  }

  // MARK: Bodies

  /// Statements up to one of the tags, which is left current.
  mutating func parseBody(until ends: [String]) throws(IngotError) -> [Statement] {
    try nested { (parser) throws(IngotError) in
      var body: [Statement] = []
      while true {
        switch parser.current.kind {
        case .data(let text):
          body.append(.text(text))
          parser.advance()
        case .variableBegin:
          let line = parser.line
          parser.advance()
          body.append(.output(try parser.parseTuple(), line: line))
          try parser.expect(.variableEnd)
        case .blockBegin:
          parser.advance()
          guard case .name(let tag) = parser.current.kind else {
            throw parser.error("expected a tag name, got \(parser.current.kind)")
          }
          if ends.contains(tag) { return body }
          body += try parser.parseStatement(tag, until: ends)
          try parser.expect(.blockEnd)
        case .end:
          guard ends.isEmpty else {
            throw parser.error("the template ends where '\(ends.joined(separator: "' or '"))' is expected")
          }
          return body
        case .blockEnd, .variableEnd, .name, .string, .integer, .float, .symbol:
          throw parser.error("unexpected \(parser.current.kind)")
        }
      }
    }
  }

  /// The rest of an opening tag, then its body up to one of the end tags, which is left current.
  mutating func parseBlock(until ends: String...) throws(IngotError) -> [Statement] {
    _ = skip(.colon)
    try expect(.blockEnd)
    return try parseBody(until: ends)
  }
}
