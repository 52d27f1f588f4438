/// A piece of a template as the lexer yields it; white space and comments are gone.
struct Token: Sendable {
  enum Kind: Sendable, Equatable {
    case data(Text)
    case blockBegin, blockEnd
    case variableBegin, variableEnd
    case name(String)
    case string(Text)
    case integer(Int)
    case float(Double)
    case symbol(Symbol)
    case end
  }

  let kind: Kind
  /// 1-based.
  let line: Int
}

/// The operators and delimiters of expressions.
enum Symbol: String, Sendable, CaseIterable {
  case plus = "+"
  case minus = "-"
  case slash = "/"
  case doubleSlash = "//"
  case star = "*"
  case percent = "%"
  case doubleStar = "**"
  case tilde = "~"
  case leftBracket = "["
  case rightBracket = "]"
  case leftParenthesis = "("
  case rightParenthesis = ")"
  case leftBrace = "{"
  case rightBrace = "}"
  case equal = "=="
  case notEqual = "!="
  case greater = ">"
  case greaterOrEqual = ">="
  case less = "<"
  case lessOrEqual = "<="
  case assign = "="
  case dot = "."
  case colon = ":"
  case pipe = "|"
  case comma = ","
  case semicolon = ";"

  /// The bracket that closes this one.
  var closing: Symbol? {
    switch self {
    case .leftBracket: .rightBracket
    case .leftParenthesis: .rightParenthesis
    case .leftBrace: .rightBrace
    case .plus, .minus, .slash, .doubleSlash, .star, .percent, .doubleStar, .tilde, .rightBracket,
      .rightParenthesis, .rightBrace, .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual,
      .assign, .dot, .colon, .pipe, .comma, .semicolon:
      nil
    }
  }

  var isClosing: Bool { self == .rightBracket || self == .rightParenthesis || self == .rightBrace }
}

extension Token.Kind: CustomStringConvertible {
  /// The token as messages name it.
  var description: String {
    switch self {
    case .data: "text"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let name): "'\(name)'"
    case .string: "a string"
    case .integer(let value): "\(value)"
    case .float(let value): "\(value)"
    case .symbol(let symbol): "'\(symbol.rawValue)'"
    case .end: "the end of the template"
    }
  }
}
