import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension Value {
  /// Applies an operator by Python's rules.
  /// - Throws: `.template` for operands without it and division by zero, `.limit` for integers that leave
  ///   64 bits and strings beyond the limits.
  func applying(
    _ operation: Arithmetic, _ other: Value, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    if case .undefined(let undefined) = self {
      throw .python(undefined.why)
    }
    if operation == .modulo, case .string(let format) = self {
      return .string(try PercentFormat.format(format, other, interpreter))
    }
    if case .undefined(let undefined) = other { throw .python(undefined.why) }
    if let left = integer, let right = other.integer { return try Value.apply(operation, left, right) }
    if let left = number, let right = other.number { return .float(try Value.apply(operation, left, right)) }
    switch (operation, self, other) {
    case (.add, .string(let left), .string(let right)):
      try interpreter.charge(bytes: left.bytes.count + right.bytes.count)
      guard left.isMarkup || right.isMarkup else { return .string(left + right) }
      return .string((left.escaped + right.escaped).markup)
    case (.add, .list(let left), .list(let right)):
      return try interpreter.list(left.items + right.items)
    case (.add, .tuple(let left), .tuple(let right)):
      return try interpreter.tuple(left.items + right.items)
    case (.multiply, _, _):
      if let count = other.integer, let repeated = try self.repeated(count, interpreter) { return repeated }
      if let count = integer, let repeated = try other.repeated(count, interpreter) { return repeated }
    default: break
    }
    throw .python(
      "unsupported operand type(s) for \(operation.rawValue): '\(typeName)' and '\(other.typeName)'")
  }

  private func repeated(_ count: Int, _ interpreter: Interpreter) throws(IngotError) -> Value? {
    let count = max(count, 0)
    switch self {
    case .string(let text):
      try interpreter.charge(bytes: text.bytes.count, times: count)
      return .string(text.repeated(count).markup(like: text))
    case .list(let list):
      try interpreter.charge(bytes: list.items.count * 16, times: count)
      return .list(Array(repeating: list.items, count: list.items.isEmpty ? 0 : count).flatMap { $0 })
    case .tuple(let list):
      try interpreter.charge(bytes: list.items.count * 16, times: count)
      return .tuple(Array(repeating: list.items, count: list.items.isEmpty ? 0 : count).flatMap { $0 })
    case .undefined, .none, .bool, .int, .float, .dict, .object: return nil
    }
  }

  private static func apply(_ operation: Arithmetic, _ left: Int, _ right: Int) throws(IngotError) -> Value {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    case .divide:
      guard right != 0 else { throw .python("division by zero") }
      return .float(Double(left) / Double(right))
    case .floorDivide:
      guard right != 0 else { throw .python("integer division or modulo by zero") }
      let quotient = left.dividedReportingOverflow(by: right)
      // Swift rounds toward zero, Python down.
      let isInexact = !quotient.overflow && quotient.partialValue &* right != left
      result = (
        isInexact && (left < 0) != (right < 0) ? quotient.partialValue - 1 : quotient.partialValue,
        quotient.overflow
      )
    case .modulo:
      guard right != 0 else { throw .python("integer division or modulo by zero") }
      let remainder = left.remainderReportingOverflow(dividingBy: right).partialValue
      result = (remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder, false)
    case .power:
      if right < 0 {
        return .float(try apply(.power, Double(left), Double(right)))
      }
      return .int(try power(left, right))
    }
    guard !result.overflow else { throw Value.overflow }
    return .int(result.partialValue)
  }

  static var overflow: IngotError { IngotError(.limit, "an integer leaves 64 bits") }

  private static func power(_ base: Int, _ exponent: Int) throws(IngotError) -> Int {
    var result = 1
    var square = base
    var rest = exponent
    while rest > 0 {
      if rest & 1 == 1 {
        let next = result.multipliedReportingOverflow(by: square)
        guard !next.overflow else { throw Value.overflow }
        result = next.partialValue
      }
      rest >>= 1
      if rest > 0 {
        let next = square.multipliedReportingOverflow(by: square)
        guard !next.overflow else { throw Value.overflow }
        square = next.partialValue
      }
    }
    return result
  }

  private static func apply(
    _ operation: Arithmetic, _ left: Double, _ right: Double
  ) throws(IngotError) -> Double {
    switch operation {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .divide:
      guard right != 0 else { throw .python("float division by zero") }
      return left / right
    case .floorDivide:
      guard right != 0 else { throw .python("float floor division by zero") }
      let quotient = (left - modulo(left, right)) / right
      if quotient == 0 { return copysign(0, left / right) }
      let floored = quotient.rounded(.down)
      return quotient - floored > 0.5 ? floored + 1 : floored
    case .modulo:
      guard right != 0 else { throw .python("float modulo") }
      return modulo(left, right)
    case .power:
      if left == 0 && right < 0 { throw .python("0.0 cannot be raised to a negative power") }
      if left < 0 && left.isFinite && right.isFinite && right != right.rounded() {
        throw IngotError(.unsupported, "a negative number to a fractional power is complex")
      }
      let result = pow(left, right)
      if result.isInfinite && left.isFinite && right.isFinite {
        throw .python("Numerical result out of range")
      }
      return result
    }
  }

  /// Python's float `%`: the sign of the divisor.
  private static func modulo(_ left: Double, _ right: Double) -> Double {
    let remainder = fmod(left, right)
    if remainder == 0 { return copysign(0, right) }
    return (remainder < 0) != (right < 0) ? remainder + right : remainder
  }

  /// Unary minus or plus.
  /// - Throws: `.template` for what is no number.
  func signed(isMinus: Bool) throws(IngotError) -> Value {
    if case .undefined(let undefined) = self { throw .python(undefined.why) }
    if case .float(let value) = self { return .float(isMinus ? -value : value) }
    guard let value = integer else {
      throw .python("bad operand type for unary \(isMinus ? "-" : "+"): '\(typeName)'")
    }
    guard isMinus else { return .int(value) }
    guard value != .min else { throw Value.overflow }
    return .int(-value)
  }
}
