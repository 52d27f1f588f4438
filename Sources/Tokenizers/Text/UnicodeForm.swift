/// A Unicode normalization form.
///
/// By Unicode 9, as Hugging Face tokenizers does, whatever the version of the rest. Own tables: the standard
/// library offers no normalization, and Foundation's on Linux (6.3) composes jamo that form no syllable.
/// Source: Unicode Standard Annex #15.
enum UnicodeForm: Sendable {
  case nfc, nfd, nfkc, nfkd

  private var isComposed: Bool { self == .nfc || self == .nfkc }
  private var isCompatible: Bool { self == .nfkc || self == .nfkd }

  /// Whether text surely is in the form: every scalar stays as it is and combines with none before it.
  func leavesAlone(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let text = ScalarText(bytes)
    var position = 0
    while position < text.end {
      let (value, next) = text.scalar(at: position)
      guard value < 0x80 || isInert(value) else { return false }
      position = next
    }
    return true
  }

  /// Whether a scalar stays as it is whatever stands before it.
  private func isInert(_ value: UInt32) -> Bool {
    if value < 0x80 { return true }
    if self == .nfc {
      // The common scripts, without a look at the tables.
      switch value {
      case 0..<0x300, 0x400..<0x483, 0x3041..<0x3097, 0x30A1..<0x30FB, 0x4E00..<0xA000, 0xAC00..<0xD7A4:
        return true
      default: break
      }
    }
    guard combiningClass(value) == 0 else { return false }
    let tables = NormalizationData.canonicalTables
    if isCompatible, NormalizationData.compatibleTables.decomposition(value) != nil { return false }
    if self == .nfc ? tables.isUnstable(value) : tables.decomposition(value) != nil { return false }
    if isComposed {
      return !tables.isSecond(value) && !Hangul.vowels.contains(value) && !Hangul.finals.contains(value)
    }
    return !Hangul.syllables.contains(value)
  }

  /// Text in the form. Only the stretches that need it are taken apart: each begins with an inert scalar,
  /// which its successors may combine with, and ends before the next.
  func normalize(_ text: [UInt8]) -> [UInt8] {
    text.withUnsafeBufferPointer { bytes in
      let view = ScalarText(bytes)
      var result: [UInt8] = []
      result.reserveCapacity(bytes.count)
      var (copied, lastInert, position) = (0, 0, 0)
      while position < view.end {
        let (value, next) = view.scalar(at: position)
        guard !isInert(value) else {
          lastInert = position
          position = next
          continue
        }
        // `lastInert` is where the scalar before begins; at the beginning there is none.
        let start = max(copied, position == 0 ? 0 : lastInert)
        result.append(contentsOf: bytes[copied..<start])
        var scalars: [Scalar] = []
        var end = start
        while end < view.end {
          let (value, next) = view.scalar(at: end)
          if end > position, isInert(value) { break }
          decompose(value, into: &scalars)
          end = next
        }
        reorder(&scalars)
        if isComposed { compose(&scalars) }
        for scalar in scalars { result += UTF8.encode(Unicode.Scalar(scalar.value) ?? "\u{FFFD}")! }
        (copied, lastInert, position) = (end, end, end)
      }
      result.append(contentsOf: bytes[copied..<view.end])
      return result
    }
  }

  private struct Scalar {
    var value: UInt32
    var combiningClass: UInt8
  }

  private func combiningClass(_ value: UInt32) -> UInt8 {
    guard let properties = Unicode.Scalar(value)?.properties else { return 0 }
    let combiningClass = properties.canonicalCombiningClass.rawValue
    guard combiningClass != 0, let age = properties.age, age.major <= 9 else { return 0 }
    return combiningClass
  }

  private func decompose(_ value: UInt32, into scalars: inout [Scalar]) {
    if Hangul.syllables.contains(value) {
      for part in Hangul.decompose(value) { scalars.append(Scalar(value: part, combiningClass: 0)) }
      return
    }
    var parts = NormalizationData.canonicalTables.decomposition(value)
    if parts == nil, isCompatible { parts = NormalizationData.compatibleTables.decomposition(value) }
    guard let parts else {
      return scalars.append(Scalar(value: value, combiningClass: combiningClass(value)))
    }
    for part in parts { decompose(part, into: &scalars) }
  }

  /// Puts the marks after each base in the order of their classes.
  private func reorder(_ scalars: inout [Scalar]) {
    var start = 0
    while start < scalars.count {
      guard scalars[start].combiningClass != 0 else {
        start += 1
        continue
      }
      var end = start + 1
      while end < scalars.count, scalars[end].combiningClass != 0 { end += 1 }
      // The order of marks of one class means something.
      let marks = scalars[start..<end].enumerated().sorted {
        ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
      }
      for (offset, mark) in marks.enumerated() { scalars[start + offset] = mark.element }
      start = end
    }
  }

  /// Combines marks with their base, unless another mark of the same or a higher class stands between.
  private func compose(_ scalars: inout [Scalar]) {
    let tables = NormalizationData.canonicalTables
    var starter: Int?
    var lastClass: UInt8 = 0
    var count = 0
    for index in scalars.indices {
      let scalar = scalars[index]
      if let starter, count == starter + 1 || lastClass < scalar.combiningClass {
        let base = scalars[starter].value
        if let composed = Hangul.compose(base, scalar.value) ?? tables.composition(base, scalar.value) {
          scalars[starter].value = composed
          continue
        }
      }
      scalars[count] = scalar
      if scalar.combiningClass == 0 { starter = count }
      lastClass = scalar.combiningClass
      count += 1
    }
    scalars.removeSubrange(count...)
  }
}
