/// A set of Unicode general categories, one bit each; bit 0 stays free.
struct CategoryMask: OptionSet, Sendable, Hashable {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static let uppercaseLetter = CategoryMask(rawValue: 1 << 1)
  static let lowercaseLetter = CategoryMask(rawValue: 1 << 2)
  static let titlecaseLetter = CategoryMask(rawValue: 1 << 3)
  static let modifierLetter = CategoryMask(rawValue: 1 << 4)
  static let otherLetter = CategoryMask(rawValue: 1 << 5)
  static let nonspacingMark = CategoryMask(rawValue: 1 << 6)
  static let spacingMark = CategoryMask(rawValue: 1 << 7)
  static let enclosingMark = CategoryMask(rawValue: 1 << 8)
  static let decimalNumber = CategoryMask(rawValue: 1 << 9)
  static let letterNumber = CategoryMask(rawValue: 1 << 10)
  static let otherNumber = CategoryMask(rawValue: 1 << 11)
  static let connectorPunctuation = CategoryMask(rawValue: 1 << 12)
  static let dashPunctuation = CategoryMask(rawValue: 1 << 13)
  static let openPunctuation = CategoryMask(rawValue: 1 << 14)
  static let closePunctuation = CategoryMask(rawValue: 1 << 15)
  static let initialPunctuation = CategoryMask(rawValue: 1 << 16)
  static let finalPunctuation = CategoryMask(rawValue: 1 << 17)
  static let otherPunctuation = CategoryMask(rawValue: 1 << 18)
  static let mathSymbol = CategoryMask(rawValue: 1 << 19)
  static let currencySymbol = CategoryMask(rawValue: 1 << 20)
  static let modifierSymbol = CategoryMask(rawValue: 1 << 21)
  static let otherSymbol = CategoryMask(rawValue: 1 << 22)
  static let spaceSeparator = CategoryMask(rawValue: 1 << 23)
  static let lineSeparator = CategoryMask(rawValue: 1 << 24)
  static let paragraphSeparator = CategoryMask(rawValue: 1 << 25)
  static let control = CategoryMask(rawValue: 1 << 26)
  static let format = CategoryMask(rawValue: 1 << 27)
  static let surrogate = CategoryMask(rawValue: 1 << 28)
  static let privateUse = CategoryMask(rawValue: 1 << 29)
  static let unassigned = CategoryMask(rawValue: 1 << 30)

  /// `\p{LC}`
  static let casedLetter: CategoryMask = [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]
  /// `\p{L}`
  static let letter: CategoryMask = [.casedLetter, .modifierLetter, .otherLetter]
  /// `\p{M}`
  static let mark: CategoryMask = [.nonspacingMark, .spacingMark, .enclosingMark]
  /// `\p{N}`
  static let number: CategoryMask = [.decimalNumber, .letterNumber, .otherNumber]
  /// `\p{P}`
  static let punctuation: CategoryMask = [
    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
    .finalPunctuation, .otherPunctuation,
  ]
  /// `\p{S}`
  static let symbol: CategoryMask = [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
  /// `\p{Z}`
  static let separator: CategoryMask = [.spaceSeparator, .lineSeparator, .paragraphSeparator]
  /// `\p{C}`
  static let other: CategoryMask = [.control, .format, .surrogate, .privateUse, .unassigned]
  /// Every category.
  static let all = CategoryMask(rawValue: 0x7FFF_FFFE)

  /// The bit of one category.
  init(_ category: Unicode.GeneralCategory) {
    switch category {
    case .uppercaseLetter: self = .uppercaseLetter
    case .lowercaseLetter: self = .lowercaseLetter
    case .titlecaseLetter: self = .titlecaseLetter
    case .modifierLetter: self = .modifierLetter
    case .otherLetter: self = .otherLetter
    case .nonspacingMark: self = .nonspacingMark
    case .spacingMark: self = .spacingMark
    case .enclosingMark: self = .enclosingMark
    case .decimalNumber: self = .decimalNumber
    case .letterNumber: self = .letterNumber
    case .otherNumber: self = .otherNumber
    case .connectorPunctuation: self = .connectorPunctuation
    case .dashPunctuation: self = .dashPunctuation
    case .openPunctuation: self = .openPunctuation
    case .closePunctuation: self = .closePunctuation
    case .initialPunctuation: self = .initialPunctuation
    case .finalPunctuation: self = .finalPunctuation
    case .otherPunctuation: self = .otherPunctuation
    case .mathSymbol: self = .mathSymbol
    case .currencySymbol: self = .currencySymbol
    case .modifierSymbol: self = .modifierSymbol
    case .otherSymbol: self = .otherSymbol
    case .spaceSeparator: self = .spaceSeparator
    case .lineSeparator: self = .lineSeparator
    case .paragraphSeparator: self = .paragraphSeparator
    case .control: self = .control
    case .format: self = .format
    case .surrogate: self = .surrogate
    case .privateUse: self = .privateUse
    case .unassigned: self = .unassigned
    @unknown default: self = .unassigned
    }
  }

  /// Whether a scalar of this class belongs to the set.
  @inline(__always) func contains(_ scalar: ScalarClass) -> Bool {
    rawValue &>> UInt32(scalar.rawValue & 0x1F) & 1 != 0
  }
}
