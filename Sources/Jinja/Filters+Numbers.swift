import IngotCore

extension Filters {
  static let numbers: [String: Filter] = [
    "abs": { (_, value, a) throws(IngotError) in
      _ = try a.bindPositional("abs", 0...0)
      if case .undefined(let undefined) = value { throw .python(undefined.why) }
      if case .float(let number) = value { return .float(number.magnitude) }
      guard let integer = value.integer else {
        throw .python("bad operand type for abs(): '\(value.typeName)'")
      }
      guard integer != .min else { throw Value.overflow }
      return .int(abs(integer))
    },
    "int": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("int", ["default", "base"])
      return try toInt(value, base: try bound[1].int(or: 10)) ?? bound[0] ?? .int(0)
    },
    "float": { (_, value, a) throws(IngotError) in
      let bound = try a.bind("float", ["default"])
      if case .undefined(let undefined) = value { throw .python(undefined.why) }
      if let number = value.number { return .float(number) }
      if case .string(let text) = value, let number = NumberFormat.float(text) { return .float(number) }
      return bound[0] ?? .float(0)
    },
    "round": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("round", ["precision", "method"])
      let precision = try bound[0]?.isNone == true ? nil : bound[0].int(or: 0)
      let method = try bound[1].text()?.string ?? "common"
      guard ["common", "ceil", "floor"].contains(method) else {
        throw .python("method must be common, ceil or floor")
      }
      return try round(value, precision, method)
    },
    "filesizeformat": { (_, value, a) throws(IngotError) in
      let isBinary = try a.bind("filesizeformat", ["binary"])[0].isTrue()
      var number = value.number
      if case .string(let text) = value { number = NumberFormat.float(text) }
      guard let number else { throw .python("could not convert \(value.typeName) to float") }
      return .string(try fileSize(number, isBinary: isBinary))
    },
  ]

  /// Python's `int(value)`, then `int(float(value))`; nil when neither works.
  private static func toInt(_ value: Value, base: Int) throws(IngotError) -> Value? {
    switch value {
    case .undefined(let undefined): throw .python(undefined.why)
    case .bool, .int: return value.integer.map(Value.int)
    case .float(let number):
      if number.isNaN { return nil }
      if number.isInfinite { throw .python("cannot convert float infinity to integer") }
      return .int(try whole(number))
    case .string(let text):
      if let integer = try NumberFormat.integer(text, base: base) { return .int(integer) }
      guard let number = NumberFormat.float(text), number.isFinite else { return nil }
      return .int(try whole(number))
    case .none, .list, .tuple, .dict, .object: return nil
    }
  }

  private static func whole(_ number: Double) throws(IngotError) -> Int {
    guard let integer = Int(exactly: number.rounded(.towardZero)) else { throw Value.overflow }
    return integer
  }

  private static func round(_ value: Value, _ precision: Int?, _ method: String) throws(IngotError) -> Value {
    if case .undefined(let undefined) = value { throw .python(undefined.why) }
    guard let number = value.number else {
      throw .python("type \(value.typeName) doesn't define __round__ method")
    }
    if method == "common" {
      guard let precision else { return .int(try whole(number.rounded(.toNearestOrEven))) }
      if let integer = value.integer {
        if precision >= 0 { return .int(integer) }
        return .int(try roundInteger(integer, precision))
      }
      return .float(NumberFormat.round(number, digits: precision))
    }
    guard let precision else { throw .python("unsupported operand type(s) for **: 'int' and 'NoneType'") }
    // `func(value * 10**precision) / 10**precision`, where the power is an integer or a float.
    let scale = try Value.int(10).power(precision)
    guard let factor = scale.number else { return value }
    let scaled = number * factor
    guard scaled.isFinite else { throw .python("cannot convert float to integer") }
    return .float(scaled.rounded(method == "ceil" ? .up : .down) / factor)
  }

  private static func roundInteger(_ value: Int, _ precision: Int) throws(IngotError) -> Int {
    guard precision > -19 else { return 0 }
    var scale = 1
    for _ in 0..<(-precision) { scale *= 10 }
    let remainder = value % scale
    let base = value - remainder
    let twice = remainder.magnitude * 2
    let isUp = twice > scale.magnitude || twice == scale.magnitude && (base / scale) % 2 != 0
    let (rounded, overflow) = base.addingReportingOverflow(isUp ? (value < 0 ? -scale : scale) : 0)
    guard !overflow else { throw Value.overflow }
    return rounded
  }

  private static func fileSize(_ bytes: Double, isBinary: Bool) throws(IngotError) -> String {
    let base: Double = isBinary ? 1024 : 1000
    if bytes == 1 { return "1 Byte" }
    if bytes < base { return "\(try whole(bytes)) Bytes" }
    var unit = base
    for (index, letter) in ["k", "M", "G", "T", "P", "E", "Z", "Y"].enumerated() {
      unit *= base
      guard bytes < unit || index == 7 else { continue }
      let prefix = isBinary ? letter.uppercased() + "iB" : letter + "B"
      return NumberFormat.format(base * bytes / unit, "f", precision: 1) + " " + prefix
    }
    return ""
  }
}

extension Value {
  /// `self ** exponent` for an integer base.
  fileprivate func power(_ exponent: Int) throws(IngotError) -> Value {
    var result = 1.0
    for _ in 0..<min(exponent.magnitude, 400) { result *= 10 }
    return exponent < 0 ? .float(1 / result) : .float(result)
  }
}
