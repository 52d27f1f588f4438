import IngotCore

/// Parses a regular expression in the syntax of Oniguruma (Ruby), which `tokenizers` executes, as far
/// as splitting text needs it: no captures and no back references.
///
/// Source: oniguruma 6.9, `doc/RE`.
struct RegexParser {
  /// Deepest nesting of groups and classes accepted.
  static let maximumDepth = 100
  /// Largest count in a quantifier; Oniguruma's own limit.
  static let maximumCount = 100_000

  let pattern: [Unicode.Scalar]
  var position = 0
  var ignoresCase = false
  var dotMatchesNewline = false
  private var depth = 0

  /// Parses a whole pattern.
  /// - Throws: `.tokenizer` for a syntax error, `.unsupported` for syntax that is not executed.
  static func parse(_ text: String) throws(IngotError) -> RegexNode {
    var parser = RegexParser(pattern: Array(text.unicodeScalars))
    let node = try parser.parseAlternation()
    guard parser.position == parser.pattern.count else { throw parser.error("unmatched )") }
    return node
  }

  private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

  func error(_ what: String) -> IngotError {
    IngotError(.tokenizer, "\(what) at scalar \(position) of the regular expression \(text)")
  }

  func unsupported(_ what: String) -> IngotError {
    IngotError(.unsupported, "\(what) at scalar \(position) of the regular expression \(text)")
  }

  private var text: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: pattern.prefix(300))
    return String(view)
  }

  var peek: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

  mutating func take(_ literal: String) -> Bool {
    let scalars = Array(literal.unicodeScalars)
    guard pattern.count - position >= scalars.count,
      pattern[position..<position + scalars.count].elementsEqual(scalars)
    else { return false }
    position += scalars.count
    return true
  }

  mutating func enter() throws(IngotError) {
    depth += 1
    if depth > Self.maximumDepth { throw unsupported("more than \(Self.maximumDepth) nested groups") }
  }

  mutating func leave() { depth -= 1 }

  private mutating func parseAlternation() throws(IngotError) -> RegexNode {
    try enter()
    let (savedCase, savedDot) = (ignoresCase, dotMatchesNewline)
    defer {
      leave()
      (ignoresCase, dotMatchesNewline) = (savedCase, savedDot)
    }
    var branches = [try parseSequence()]
    while take("|") { branches.append(try parseSequence()) }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func parseSequence() throws(IngotError) -> RegexNode {
    var nodes: [RegexNode] = []
    while let next = peek, next != "|", next != ")" {
      // `(?i)` alone governs the rest of the group, further alternatives included.
      if take("(?#") {
        while let inner = peek, inner != ")" { position += 1 }
        guard take(")") else { throw error("unterminated comment") }
        continue
      }
      if let rest = try parseIsolatedOption() {
        nodes.append(rest)
        continue
      }
      var atom = try parseAtom()
      while let repeated = try parseQuantifier(of: atom) { atom = repeated }
      nodes.append(atom)
    }
    return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
  }

  /// `(?i)` and its like: the options hold to the end of the enclosing group, as Ruby has it, so what
  /// follows is parsed here as one group.
  private mutating func parseIsolatedOption() throws(IngotError) -> RegexNode? {
    let start = position
    guard take("(?"), let options = try parseOptions(), take(")") else {
      position = start
      return nil
    }
    let saved = (ignoresCase, dotMatchesNewline)
    defer { (ignoresCase, dotMatchesNewline) = saved }
    (ignoresCase, dotMatchesNewline) = options
    return try parseAlternation()
  }

  /// Option letters such as `i` or `m-i`, applied to the current ones; nil when these are not options.
  private mutating func parseOptions() throws(IngotError) -> (Bool, Bool)? {
    var result = (ignoresCase, dotMatchesNewline)
    var on = true
    var count = 0
    while let letter = peek {
      switch letter {
      case "i": result.0 = on
      case "m": result.1 = on
      case "s" where on: result.1 = on
      case "-": on = false
      case ":", ")": return count > 0 ? result : nil
      case "x": throw unsupported("extended syntax (?x)")
      default: return nil
      }
      count += 1
      position += 1
    }
    return nil
  }

  private mutating func parseAtom() throws(IngotError) -> RegexNode {
    guard let next = peek else { throw error("something to match should be here") }
    switch next {
    case "(":
      position += 1
      return try parseGroup()
    case "[":
      position += 1
      return .set(ScalarSet(try parseClass(), ignoresCase: ignoresCase))
    case ".":
      position += 1
      return .set(ScalarSet(dotMatchesNewline ? .any : .not(.range(0x0A, 0x0A))))
    case "^":
      position += 1
      return .assertion(.lineStart)
    case "$":
      position += 1
      return .assertion(.lineEnd)
    case "*", "+", "?": throw error("nothing to repeat")
    case "\\":
      position += 1
      return try parseEscapedAtom()
    default:
      position += 1
      return literal(next)
    }
  }

  func literal(_ scalar: Unicode.Scalar) -> RegexNode {
    .set(ScalarSet(.range(scalar.value, scalar.value), ignoresCase: ignoresCase))
  }

  private mutating func parseGroup() throws(IngotError) -> RegexNode {
    func close(_ node: RegexNode) throws(IngotError) -> RegexNode {
      guard take(")") else { throw error("a group does not end") }
      return node
    }
    guard take("?") else { return try close(try parseAlternation()) }
    if take(":") { return try close(try parseAlternation()) }
    if take("=") { return try close(.ahead(try parseAlternation(), negative: false)) }
    if take("!") { return try close(.ahead(try parseAlternation(), negative: true)) }
    if take(">") { return try close(.atomic(try parseAlternation())) }
    if take("<=") { return try close(try parseBehind(negative: false)) }
    if take("<!") { return try close(try parseBehind(negative: true)) }
    if take("<") || take("P<") || take("'") {
      while let letter = peek, letter != ">", letter != "'" { position += 1 }
      guard peek != nil else { throw error("a group name does not end") }
      position += 1
      return try close(try parseAlternation())
    }
    guard let options = try parseOptions(), take(":") else { throw unsupported("this kind of group") }
    let saved = (ignoresCase, dotMatchesNewline)
    defer { (ignoresCase, dotMatchesNewline) = saved }
    (ignoresCase, dotMatchesNewline) = options
    return try close(try parseAlternation())
  }

  private mutating func parseBehind(negative: Bool) throws(IngotError) -> RegexNode {
    let node = try parseAlternation()
    // Alternatives of different lengths are looked for one by one.
    if case .alternation(let branches) = node, node.fixedLength == nil {
      var parts: [RegexNode] = []
      for branch in branches {
        guard let length = branch.fixedLength else { throw unsupported("look-behind of variable length") }
        parts.append(.behind(branch, length: length, negative: negative))
      }
      return negative ? .sequence(parts) : .alternation(parts)
    }
    guard let length = node.fixedLength else { throw unsupported("look-behind of variable length") }
    return .behind(node, length: length, negative: negative)
  }

  private mutating func parseQuantifier(of atom: RegexNode) throws(IngotError) -> RegexNode? {
    guard let next = peek else { return nil }
    var (low, high): (Int, Int?) = (0, nil)
    var isInterval = false
    switch next {
    case "*": position += 1
    case "+":
      position += 1
      low = 1
    case "?":
      position += 1
      high = 1
    case "{":
      guard let interval = try parseInterval() else { return nil }
      (low, high) = interval
      isInterval = true
    default: return nil
    }
    if case .assertion = atom { throw unsupported("a repeated anchor") }
    if take("?") { return .repetition(atom, min: low, max: high, .lazy) }
    if !isInterval, take("+") { return .repetition(atom, min: low, max: high, .possessive) }
    return .repetition(atom, min: low, max: high, .greedy)
  }

  /// `{n}`, `{n,}`, `{,m}` or `{n,m}`; nil when the brace is an ordinary character.
  private mutating func parseInterval() throws(IngotError) -> (Int, Int?)? {
    let start = position
    position += 1
    let low = try parseNumber()
    var high = low
    if take(",") {
      high = try parseNumber()
      if low == nil, high == nil {
        position = start
        return nil
      }
    }
    guard low != nil || high != nil, take("}") else {
      position = start
      return nil
    }
    if let low, let high, low > high { throw error("a quantifier's bounds are reversed") }
    return (low ?? 0, high)
  }

  private mutating func parseNumber() throws(IngotError) -> Int? {
    var value: Int?
    while let digit = peek, ("0"..."9").contains(digit) {
      value = (value ?? 0) * 10 + Int(digit.value - 0x30)
      if value! > Self.maximumCount { throw unsupported("a count above \(Self.maximumCount)") }
      position += 1
    }
    return value
  }
}
