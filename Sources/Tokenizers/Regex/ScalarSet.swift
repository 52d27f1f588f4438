/// A description of a set of scalars, as a character class writes it.
indirect enum SetExpression: Sendable, Hashable {
  case range(UInt32, UInt32)
  case categories(CategoryMask)
  case space
  case word
  case alphabetic
  case emoji
  case script(UnicodeScript)
  /// Scalars assigned by a version of Unicode.
  case age(upTo: Int)
  case not(SetExpression)
  case union([SetExpression])
  case intersection([SetExpression])

  /// Every scalar.
  static let any = SetExpression.range(0, 0x10FFFF)

  /// Membership, by definition: slow, and the oracle of `ScalarSet`.
  func contains(_ value: UInt32, _ scalarClass: ScalarClass) -> Bool {
    switch self {
    case .range(let low, let high): value >= low && value <= high
    case .categories(let mask): mask.contains(scalarClass)
    case .space: scalarClass.isSpace
    // Oniguruma counts the digits and fractions of Latin-1 as well.
    case .word: scalarClass.isWord || (value < 0x100 && CategoryMask.number.contains(scalarClass))
    case .alphabetic: scalarClass.isAlphabetic
    case .emoji: Unicode.Scalar(value)?.properties.isEmoji ?? false
    case .script(let script): script.contains(value)
    case .age(let version): (Unicode.Scalar(value)?.properties.age?.major ?? .max) <= version
    case .not(let inner): !inner.contains(value, scalarClass)
    case .union(let parts): parts.contains { $0.contains(value, scalarClass) }
    case .intersection(let parts): parts.allSatisfy { $0.contains(value, scalarClass) }
    }
  }
}

/// A set of scalars made for fast membership: a bitmap for ASCII, and for the rest a category mask
/// with ranges where the expression allows, else the expression itself.
struct ScalarSet: Sendable, Hashable {
  private let low: UInt64
  private let high: UInt64
  private let negated: Bool
  private let mask: CategoryMask
  private let includesSpace: Bool
  private let ranges: [ClosedRange<UInt32>]
  /// What the fields above cannot express.
  private let slow: SetExpression?
  private let ignoresCase: Bool

  init(_ expression: SetExpression, ignoresCase: Bool = false) {
    var low: UInt64 = 0
    var high: UInt64 = 0
    for value in UInt32(0)..<128
    where Self.matches(expression, value, ScalarClassTable.shared[value], ignoresCase) {
      if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
    }
    (self.low, self.high, self.ignoresCase) = (low, high, ignoresCase)
    var flat = Flattened()
    var inner = expression
    var negated = false
    while case .not(let next) = inner { (inner, negated) = (next, !negated) }
    let isFlat = !ignoresCase && flat.add(inner)
    self.negated = isFlat && negated
    mask = flat.mask
    includesSpace = flat.includesSpace
    ranges = flat.ranges
    slow = isFlat ? nil : expression
  }

  /// Whether the set has the scalar.
  @inline(__always) func contains(_ value: UInt32, _ classes: ScalarClassTable) -> Bool {
    if value < 64 { return low &>> UInt64(value) & 1 != 0 }
    if value < 128 { return high &>> UInt64(value &- 64) & 1 != 0 }
    return containsWide(value, classes[value])
  }

  private func containsWide(_ value: UInt32, _ scalarClass: ScalarClass) -> Bool {
    if let slow { return Self.matches(slow, value, scalarClass, ignoresCase) }
    if mask.contains(scalarClass) || (includesSpace && scalarClass.isSpace) { return !negated }
    for range in ranges where value >= range.lowerBound && value <= range.upperBound { return !negated }
    return negated
  }

  /// Membership of the scalar or, ignoring case, of any scalar that has the same lower or upper case.
  private static func matches(
    _ expression: SetExpression, _ value: UInt32, _ scalarClass: ScalarClass, _ ignoresCase: Bool
  ) -> Bool {
    if expression.contains(value, scalarClass) { return true }
    guard ignoresCase else { return false }
    let (lower, upper) = (CaseMapping.lower(value), CaseMapping.upper(value))
    let variants = [lower, upper, CaseMapping.lower(upper), CaseMapping.upper(lower)]
    if variants.contains(where: { expression.contains($0, ScalarClassTable.shared[$0]) }) { return true }
    // The scalars beyond ASCII whose lower or upper case is an ASCII letter.
    for (wide, narrow) in [(UInt32(0x17F), UInt32(0x73)), (0x212A, 0x6B)] where narrow == lower {
      if expression.contains(wide, ScalarClassTable.shared[wide]) { return true }
    }
    return false
  }

  /// A union of categories, space and ranges, collected from an expression.
  private struct Flattened {
    var mask: CategoryMask = []
    var includesSpace = false
    var ranges: [ClosedRange<UInt32>] = []

    /// Adds an expression; false when it is not such a union.
    mutating func add(_ expression: SetExpression) -> Bool {
      switch expression {
      case .range(let low, let high):
        if low <= high { ranges.append(low...high) }
        return true
      case .categories(let categories):
        mask.formUnion(categories)
        return true
      case .space:
        includesSpace = true
        return true
      case .union(let parts):
        for part in parts where !add(part) { return false }
        return true
      case .not(.categories(let categories)):
        mask.formUnion(CategoryMask.all.subtracting(categories))
        return true
      case .word, .alphabetic, .emoji, .script, .age, .not, .intersection: return false
      }
    }
  }
}

/// Simple case mappings: those from one scalar to one scalar.
enum CaseMapping {
  static func lower(_ value: UInt32) -> UInt32 {
    single(Unicode.Scalar(value)?.properties.lowercaseMapping) ?? value
  }

  static func upper(_ value: UInt32) -> UInt32 {
    single(Unicode.Scalar(value)?.properties.uppercaseMapping) ?? value
  }

  private static func single(_ mapping: String?) -> UInt32? {
    guard let scalars = mapping?.unicodeScalars, let first = scalars.first, scalars.count == 1 else {
      return nil
    }
    return first.value
  }
}
