/// A name where a template reads or binds it; `id` indexes `Program.references`.
struct NameUse: Sendable {
  let id: Int
  let name: String
  let line: Int
}

/// A constant of the source.
enum Literal: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(Text)
}

/// An expression. Chains of one precedence are flat, so depth is the nesting in the source.
indirect enum Expression: Sendable {
  case literal(Literal)
  case name(NameUse)
  case list([Expression])
  case tuple([Expression])
  case dict([(key: Expression, value: Expression)])
  /// A primary with what follows it: attributes, subscripts, calls, filters and tests.
  case chain(Expression, [Suffix])
  case sign(isMinus: Bool, Expression)
  case not(Expression)
  /// Operators of one precedence, applied from the left.
  case arithmetic(Expression, [(operation: Arithmetic, operand: Expression)])
  case concat([Expression])
  case comparison(Expression, [(operation: Comparison, operand: Expression)])
  case and([Expression])
  case or([Expression])
  case conditional(Expression, test: Expression, otherwise: Expression?, line: Int)
}

/// What may follow a primary expression.
struct Suffix: Sendable {
  enum Kind: Sendable {
    case attribute(String)
    case item(Expression)
    case slice(start: Expression?, stop: Expression?, step: Expression?)
    case call(CallArguments)
    case filter(String, CallArguments)
    case test(String, CallArguments, isNegated: Bool)
  }

  let kind: Kind
  let line: Int
}

/// The arguments of a call in the source.
struct CallArguments: Sendable {
  var positional: [Expression] = []
  var keyword: [(name: String, value: Expression)] = []
  /// `*args`.
  var spread: Expression?
  /// `**kwargs`.
  var keywordSpread: Expression?

  var isEmpty: Bool { positional.isEmpty && keyword.isEmpty && spread == nil && keywordSpread == nil }
}

/// The operators of two numbers.
enum Arithmetic: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
}

/// The operators of a comparison chain.
enum Comparison: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case contained = "in"
  case notContained = "not in"
}

/// What an assignment binds.
indirect enum AssignmentTarget: Sendable {
  case name(NameUse)
  /// `ns.attribute`, of a namespace only.
  case attribute(NameUse, String)
  case tuple([AssignmentTarget])
}

/// A statement; the `scope` of one indexes `Program.scopes`.
indirect enum Statement: Sendable {
  case text(Text)
  case output(Expression, line: Int)
  case condition([(test: Expression, body: [Statement])], otherwise: [Statement], line: Int)
  case loop(Loop)
  case set(AssignmentTarget, Expression, line: Int)
  case setBlock(AssignmentTarget, filters: [Suffix], body: [Statement], scope: Int, line: Int)
  case macro(NameUse, Callable)
  case call(Expression, Callable)
  case filter([Suffix], body: [Statement], scope: Int)
  case with([(target: AssignmentTarget, value: Expression)], body: [Statement], scope: Int, line: Int)
  /// A `{% block %}`, which renders where it stands.
  case block(name: String, body: [Statement], scope: Int, isScoped: Bool)
  /// A `{% generation %}` block, which marks what an assistant wrote.
  case generation(body: [Statement], scope: Int)
  case breakLoop
  case continueLoop
}

/// A `for` statement.
struct Loop: Sendable {
  let target: AssignmentTarget
  let iterable: Expression
  let test: Expression?
  let isRecursive: Bool
  let body: [Statement]
  let otherwise: [Statement]
  let bodyScope: Int
  let testScope: Int
  let otherwiseScope: Int
  let line: Int
}

/// A macro, or the body of a call block.
struct Callable: Sendable {
  /// Nil for a call block's.
  let name: String?
  let parameters: [NameUse]
  /// The defaults of the last parameters.
  let defaults: [Expression]
  let body: [Statement]
  let scope: Int
  let line: Int
}
