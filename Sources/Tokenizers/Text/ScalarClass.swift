import Synchronization

/// What a splitter needs to know of a scalar, in a byte: its general category (the bit number in
/// `CategoryMask`), whether it is white space, whether it is alphabetic.
///
/// By Unicode 16, the version of Oniguruma in Hugging Face tokenizers 0.23, also when Swift is ahead of it.
struct ScalarClass: Equatable {
  let rawValue: UInt8

  @inline(__always) init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Looks a scalar up in Swift's Unicode tables, which takes some 50 ns.
  init(of value: UInt32) {
    guard let scalar = Unicode.Scalar(value) else {
      rawValue = UInt8(CategoryMask.surrogate.rawValue.trailingZeroBitCount)
      return
    }
    let properties = scalar.properties
    if let age = properties.age, age.major > 16 {
      rawValue = UInt8(CategoryMask.unassigned.rawValue.trailingZeroBitCount)
      return
    }
    // U+0295 became a letter without case in Unicode 17.
    let mask: CategoryMask = value == 0x295 ? .lowercaseLetter : CategoryMask(properties.generalCategory)
    let category = mask.rawValue.trailingZeroBitCount
    rawValue =
      UInt8(category) | (properties.isWhitespace ? 0x20 : 0) | (properties.isAlphabetic ? 0x40 : 0)
  }

  /// The `White_Space` property: `\s`.
  @inline(__always) var isSpace: Bool { rawValue & 0x20 != 0 }
  /// The `Alphabetic` property.
  @inline(__always) var isAlphabetic: Bool { rawValue & 0x40 != 0 }
  /// Alphabetic, a mark, a decimal digit or connector punctuation.
  var isWord: Bool {
    let mask: CategoryMask = [.mark, .decimalNumber, .connectorPunctuation]
    return isAlphabetic || mask.contains(self)
  }
}

/// The classes of all scalars, filled as they are first asked for and shared by the process.
///
/// 1.1 MB of address space, of which only touched pages take memory.
struct ScalarClassTable: @unchecked Sendable {
  static let shared = ScalarClassTable()

  private let ascii: UnsafePointer<UInt8>
  private let cells: UnsafeMutablePointer<Atomic<UInt8>>

  private init() {
    let ascii = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)
    for value in 0..<128 { ascii[value] = ScalarClass(of: UInt32(value)).rawValue }
    self.ascii = UnsafePointer(ascii)
    cells = .allocate(capacity: 0x110000)
    // An atomic byte is a byte; zero means "not yet known", which no class is.
    UnsafeMutableRawPointer(cells).initializeMemory(as: UInt8.self, repeating: 0, count: 0x110000)
  }

  @inline(__always) subscript(value: UInt32) -> ScalarClass {
    value < 0x80 ? ScalarClass(rawValue: ascii[Int(value)]) : wide(value)
  }

  @inline(__always) private func wide(_ value: UInt32) -> ScalarClass {
    let known = cells[Int(value)].load(ordering: .relaxed)
    return known != 0 ? ScalarClass(rawValue: known) : compute(value)
  }

  @inline(never) private func compute(_ value: UInt32) -> ScalarClass {
    let result = ScalarClass(of: value)
    cells[Int(value)].store(result.rawValue, ordering: .relaxed)
    return result
  }
}
