/// An extent of a symbolic tensor: a number, a name, or a sum of multiples of names, as `past + tokens`.
///
/// Static and dynamic graphs differ in nothing but whether names have been bound to numbers.
public struct Dim: Sendable, Hashable {
  /// The part that does not depend on names.
  public let constant: Int
  /// Multiples of names in alphabetical order, none zero.
  public let terms: [Term]

  /// A multiple of a name.
  public struct Term: Sendable, Hashable {
    /// The name, as `tokens`.
    public let name: String
    /// How often it counts.
    public let factor: Int
  }

  private init(constant: Int, factors: [String: Int]) {
    self.constant = constant
    terms = factors.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map {
      Term(name: $0.key, factor: $0.value)
    }
  }

  /// A fixed extent.
  public static func fixed(_ value: Int) -> Dim { Dim(constant: value, factors: [:]) }
  /// An extent known by name until it is bound.
  public static func named(_ name: String) -> Dim { Dim(constant: 0, factors: [name: 1]) }

  /// The number, when no name is left.
  public var value: Int? { terms.isEmpty ? constant : nil }

  /// The sum of two extents.
  public static func + (a: Dim, b: Dim) -> Dim {
    var factors = a.factors
    for term in b.terms { factors[term.name, default: 0] += term.factor }
    return Dim(constant: a.constant + b.constant, factors: factors)
  }

  /// A multiple of an extent.
  public static func * (a: Dim, b: Int) -> Dim {
    Dim(constant: a.constant * b, factors: a.factors.mapValues { $0 * b })
  }

  /// Replaces names by numbers where `sizes` has them.
  public func binding(_ sizes: [String: Int]) -> Dim {
    var constant = constant
    var factors: [String: Int] = [:]
    for term in terms {
      if let size = sizes[term.name] {
        constant += size * term.factor
      } else {
        factors[term.name] = term.factor
      }
    }
    return Dim(constant: constant, factors: factors)
  }

  private var factors: [String: Int] {
    Dictionary(uniqueKeysWithValues: terms.map { ($0.name, $0.factor) })
  }
}

extension Dim: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  /// A fixed extent.
  public init(integerLiteral value: Int) { self = .fixed(value) }
  /// A named extent.
  public init(stringLiteral value: String) { self = .named(value) }
}

extension Dim: CustomStringConvertible {
  /// As `past+2*tokens+1`.
  public var description: String {
    var parts = terms.map { $0.factor == 1 ? $0.name : "\($0.factor)*\($0.name)" }
    if constant != 0 || parts.isEmpty { parts.append("\(constant)") }
    return parts.joined(separator: "+")
  }
}
