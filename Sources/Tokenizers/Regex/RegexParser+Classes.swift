import IngotCore

extension RegexParser {
  /// What a backslash introduces outside a class.
  mutating func parseEscapedAtom() throws(IngotError) -> RegexNode {
    guard let next = peek else { throw error("the pattern ends in a backslash") }
    switch next {
    case "A": return assertion(.textStart)
    case "z": return assertion(.textEnd)
    case "Z": return assertion(.textEndOrFinalNewline)
    case "b": return assertion(.wordBoundary)
    case "B": return assertion(.notWordBoundary)
    case "R":
      position += 1
      let breaks = SetExpression.union([.range(0x0A, 0x0D), .range(0x85, 0x85), .range(0x2028, 0x2029)])
      return .atomic(
        .alternation([
          .sequence([.set(ScalarSet(.range(0x0D, 0x0D))), .set(ScalarSet(.range(0x0A, 0x0A)))]),
          .set(ScalarSet(breaks)),
        ]))
    case "G", "X", "K", "k", "g", "y", "Y", "1"..."9": throw unsupported("\\\(next)")
    default: return .set(ScalarSet(try parseEscapedSet(), ignoresCase: ignoresCase))
    }
  }

  private mutating func assertion(_ kind: RegexNode.Assertion) -> RegexNode {
    position += 1
    return .assertion(kind)
  }

  /// A backslash sequence that stands for a set or a scalar; the backslash is consumed.
  mutating func parseEscapedSet() throws(IngotError) -> SetExpression {
    guard let letter = peek else { throw error("the pattern ends in a backslash") }
    position += 1
    switch letter {
    case "d": return .categories(.decimalNumber)
    case "D": return .not(.categories(.decimalNumber))
    case "s": return .space
    case "S": return .not(.space)
    case "w": return .word
    case "W": return .not(.word)
    case "h": return Self.hexDigits
    case "H": return .not(Self.hexDigits)
    case "p": return try parseProperty(negated: false)
    case "P": return try parseProperty(negated: true)
    case "t": return .scalar(0x09)
    case "n": return .scalar(0x0A)
    case "v": return .scalar(0x0B)
    case "f": return .scalar(0x0C)
    case "r": return .scalar(0x0D)
    case "a": return .scalar(0x07)
    case "e": return .scalar(0x1B)
    case "b": return .scalar(0x08)
    case "0": return .scalar(0)
    case "x": return .scalar(try parseHex(braces: true, digits: 2))
    case "u": return .scalar(try parseHex(braces: false, digits: 4))
    case "a"..."z", "A"..."Z", "1"..."9":
      position -= 1
      throw unsupported("\\\(letter)")
    default: return .scalar(letter.value)
    }
  }

  private static let hexDigits = SetExpression.union([
    .range(0x30, 0x39), .range(0x41, 0x46), .range(0x61, 0x66),
  ])

  private mutating func parseHex(braces: Bool, digits: Int) throws(IngotError) -> UInt32 {
    let isBraced = braces && take("{")
    var value: UInt32 = 0
    var count = 0
    while count < (isBraced ? 8 : digits), let digit = peek?.hexDigit {
      value = value &<< 4 | digit
      count += 1
      position += 1
    }
    guard count > 0, value <= 0x10FFFF, !isBraced || take("}") else { throw error("no hexadecimal scalar") }
    return value
  }

  /// `{Name}`, `{^Name}` or a single letter after `\p`.
  private mutating func parseProperty(negated: Bool) throws(IngotError) -> SetExpression {
    var name = ""
    var isNegated = negated
    if take("{") {
      if take("^") { isNegated.toggle() }
      while let letter = peek, letter != "}" {
        name.unicodeScalars.append(letter)
        position += 1
      }
      guard take("}") else { throw error("a property name does not end") }
    } else if let letter = peek {
      name.unicodeScalars.append(letter)
      position += 1
    }
    guard let set = SetExpression(property: name) else { throw unsupported("the property \(name)") }
    return isNegated ? .not(set) : set
  }

  /// A class after its opening bracket.
  mutating func parseClass() throws(IngotError) -> SetExpression {
    try enter()
    defer { leave() }
    let isNegated = take("^")
    var conjuncts: [SetExpression] = []
    var parts: [SetExpression] = []
    var isFirst = true
    while true {
      guard let next = peek else { throw error("a character class does not end") }
      if next == "]", !isFirst {
        position += 1
        break
      }
      isFirst = false
      if take("&&") {
        conjuncts.append(.union(parts))
        parts = []
        continue
      }
      parts.append(try parseClassItem())
    }
    let last = SetExpression.union(parts)
    let set = conjuncts.isEmpty ? last : .intersection(conjuncts + [last])
    return isNegated ? .not(set) : set
  }

  private mutating func parseClassItem() throws(IngotError) -> SetExpression {
    if take("[:") {
      let start = position
      let isNegated = take("^")
      var name = ""
      while let letter = peek, letter.properties.isAlphabetic {
        name.unicodeScalars.append(letter)
        position += 1
      }
      if take(":]") {
        guard let set = SetExpression(property: name) else { throw unsupported("the class [:\(name):]") }
        return isNegated ? .not(set) : set
      }
      // Not a POSIX bracket after all: a nested class that begins with a colon.
      position = start - 1
      return try parseClass()
    }
    if take("[") { return try parseClass() }
    let low = try parseClassScalar()
    guard case .range(let first, let same) = low, first == same, peek == "-",
      position + 1 < pattern.count, pattern[position + 1] != "]"
    else { return low }
    let dash = position
    position += 1
    let high = try parseClassScalar()
    guard case .range(let last, let alsoLast) = high, last == alsoLast else {
      // `a-\d`: the dash is itself.
      position = dash
      return low
    }
    guard first <= last else { throw error("a range is reversed") }
    return .range(first, last)
  }

  private mutating func parseClassScalar() throws(IngotError) -> SetExpression {
    guard let next = peek else { throw error("a character class does not end") }
    position += 1
    return next == "\\" ? try parseEscapedSet() : .scalar(next.value)
  }
}

extension SetExpression {
  static func scalar(_ value: UInt32) -> SetExpression { .range(value, value) }
}

extension Unicode.Scalar {
  /// The value of a hexadecimal digit.
  fileprivate var hexDigit: UInt32? {
    switch self {
    case "0"..."9": value - 0x30
    case "a"..."f": value - 0x61 + 10
    case "A"..."F": value - 0x41 + 10
    default: nil
    }
  }
}
