import Foundation

/// A Unicode normalization form.
///
/// Source: Unicode Standard Annex #15. Foundation does the work; the standard library offers none.
enum UnicodeForm: Sendable {
  case nfc, nfd, nfkc, nfkd

  /// Whether text surely is in the form, by ranges of scalars that never change nor combine with what
  /// is before them.
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

  /// Whether a scalar is left alone by the form whatever stands before or after it, save that a
  /// following scalar which is not inert may combine with it.
  func isInert(_ value: UInt32) -> Bool {
    switch self {
    case .nfc:
      switch value {
      case 0..<0x300, 0x400..<0x483, 0x48A..<0x530, 0x1E00..<0x1F00, 0x2010..<0x2028, 0x2030..<0x205F,
        0x20A0..<0x20C1, 0x2500..<0x27F0, 0x3000..<0x302A, 0x3041..<0x3097, 0x30A1..<0x30FB,
        0x4E00..<0xA000, 0xAC00..<0xD7A4, 0xFF01..<0xFF5F, 0x1F300..<0x1FB00, 0x20000..<0x2A6E0:
        return true
      default: return false
      }
    case .nfkc, .nfd, .nfkd: return value < 0x80
    }
  }

  /// Text in the form. Only the stretches that need it go through Foundation: each begins with an inert
  /// scalar, which its successors may combine with, and ends before the next.
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
        // `lastInert` is where the scalar before begins, or where this one does at the start.
        let start = max(copied, position == 0 ? 0 : lastInert)
        result.append(contentsOf: bytes[copied..<start])
        var end = next
        while end < view.end, !isInert(view.scalar(at: end).value) { end = view.scalar(at: end).next }
        result += whole(String(decoding: bytes[start..<end], as: UTF8.self)).utf8
        (copied, lastInert, position) = (end, end, end)
      }
      result.append(contentsOf: bytes[copied..<view.end])
      return result
    }
  }

  /// Text in the form, all of it by Foundation.
  func whole(_ text: String) -> String {
    switch self {
    case .nfc: text.precomposedStringWithCanonicalMapping
    case .nfd: text.decomposedStringWithCanonicalMapping
    case .nfkc: text.precomposedStringWithCompatibilityMapping
    case .nfkd: text.decomposedStringWithCompatibilityMapping
    }
  }
}
