import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Decimal text of numbers, by the C library, which rounds exactly as Python does.
enum NumberFormat {
  /// More digits than this after the point are all zeros for any double.
  static let maximumPrecision = 1100

  /// - Parameters:
  ///   - conversion: `f`, `e` or `g`, or their capitals.
  ///   - isAlternate: keeps the point and, for `g`, trailing zeros.
  static func format(
    _ value: Double, _ conversion: Character, precision: Int, isAlternate: Bool = false
  ) -> String {
    let precision = Int32(min(max(precision, 0), maximumPrecision))
    let format = "%\(isAlternate ? "#" : "").*\(conversion)"
    var buffer = [CChar](repeating: 0, count: 1600)
    let count = withVaList([precision, value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Python's `round(value, digits)`: to nearest, ties to even, of the exact binary value.
  static func round(_ value: Double, digits: Int) -> Double {
    guard value.isFinite, value != 0 else { return value }
    if digits >= 0 {
      if digits > 330 { return value }
      return Double(format(value, "f", precision: digits)) ?? value
    }
    guard digits > -309 else { return value < 0 ? -0.0 : 0 }
    // Rounds at a digit left of the point, in decimal: the fraction only breaks ties.
    let text = format(value.magnitude, "f", precision: 60)
    let whole = Array(text.utf8.prefix { $0 != 0x2E })
    let keep = whole.count + digits
    guard keep >= 0 else { return value < 0 ? -0.0 : 0 }
    let head = "0" + String(decoding: whole[..<keep], as: UTF8.self)
    let tail = Array(whole[keep...]) + Array(text.utf8.drop { $0 != 0x2E }.dropFirst())
    let half = [0x35] + [UInt8](repeating: 0x30, count: tail.count - 1)
    let lastIsOdd = (head.utf8.last ?? 0x30) & 1 == 1
    let isUp = tail == half ? lastIsOdd : !tail.lexicographicallyPrecedes(half)
    let scale = pow(10, Double(-digits))
    let rounded = ((Double(head) ?? 0) + (isUp ? 1 : 0)) * scale
    return value < 0 ? -rounded : rounded
  }

  /// Reads an integer as Python's `int(text, base)` does; nil when it is none.
  /// - Throws: `.limit` when it leaves 64 bits.
  static func integer(_ text: Text, base: Int = 10) throws(IngotError) -> Int? {
    var digits = text.stripped().string.lowercased()[...]
    var isNegative = false
    if let sign = digits.utf8.first, sign == 0x2B || sign == 0x2D {
      isNegative = sign == 0x2D
      digits = digits.dropFirst()
    }
    var base = base
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where base == radix || base == 0 {
      guard digits.hasPrefix(prefix) else { continue }
      digits = digits.dropFirst(2)
      if digits.hasPrefix("_") { digits = digits.dropFirst() }
      base = radix
    }
    if base == 0 {
      base = 10
      if digits.hasPrefix("0"), digits.contains(where: { $0 != "0" && $0 != "_" }) { return nil }
    }
    guard (2...36).contains(base), let plain = withoutUnderscores(digits) else { return nil }
    var normalized = ""
    for scalar in plain.unicodeScalars {
      if scalar.isPythonDecimal, let digit = scalar.properties.numericValue {
        normalized += String(Int(digit))
      } else {
        normalized.unicodeScalars.append(scalar)
      }
    }
    guard normalized.utf8.allSatisfy({ digit($0) < base }) else { return nil }
    guard let value = Int((isNegative ? "-" : "") + normalized, radix: base) else { throw Value.overflow }
    return value
  }

  private static func digit(_ byte: UInt8) -> Int {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x61...0x7A: Int(byte) - 0x61 + 10
    default: 99
    }
  }

  /// Reads a float as Python's `float(text)` does; nil when it is none.
  static func float(_ text: Text) -> Double? {
    let text = text.stripped().string.lowercased()
    let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    switch unsigned {
    case "inf", "infinity": return text.hasPrefix("-") ? -.infinity : .infinity
    case "nan": return .nan
    default: break
    }
    guard let first = unsigned.utf8.first, first == 0x2E || (0x30...0x39).contains(first),
      unsigned.utf8.allSatisfy({
        (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x65 || $0 == 0x2B || $0 == 0x2D || $0 == 0x5F
      }), let plain = withoutUnderscores(unsigned)
    else { return nil }
    return strict(plain, isNegative: text.hasPrefix("-"))
  }

  /// Python allows `1.` and `.5`, where Swift does not.
  private static func strict(_ text: String, isNegative: Bool) -> Double? {
    let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
    var mantissa = String(parts[0])
    if mantissa == "." { return nil }
    if mantissa.hasPrefix(".") { mantissa = "0" + mantissa }
    if mantissa.hasSuffix(".") { mantissa += "0" }
    let joined = parts.count > 1 ? mantissa + "e" + parts[1] : mantissa
    var result = 0.0
    guard let value = Double(joined) else {
      // Swift refuses what overflows or underflows; the C library yields infinity or zero.
      var end: UnsafeMutablePointer<CChar>?
      let isWhole = joined.withCString { start -> Bool in
        result = strtod(start, &end)
        return end.map { $0.pointee == 0 && $0 != start } ?? false
      }
      return isWhole ? (isNegative ? -result : result) : nil
    }
    return isNegative ? -value : value
  }

  /// Digits may have single underscores between them.
  private static func withoutUnderscores(_ text: Substring) -> String? {
    guard !text.isEmpty else { return nil }
    var previous: UInt8 = 0x5F
    for byte in text.utf8 {
      let isDigit = digit(byte) < 36
      if byte == 0x5F && !(digit(previous) < 36) { return nil }
      if previous == 0x5F && !isDigit && previous != byte { if byte != text.utf8.first! { return nil } }
      previous = byte
    }
    return previous == 0x5F ? nil : String(text.filter { $0 != "_" })
  }
}
