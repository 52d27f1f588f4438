#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Numbers as reports print them.
package enum NumberText {
  /// Three significant digits, `1.23e-05` below 0.001 and from 10⁶ on.
  package static func short(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == 0 { return "0" }
    let exponent = Int(floor(log10(abs(value))))
    if exponent < -3 || exponent >= 6 { return scientific(value, exponent) }
    return fixed(value, digits: max(0, 2 - exponent))
  }

  /// With so many digits behind the point.
  static func fixed(_ value: Double, digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return short(value) }
    let scale = pow(10, Double(digits))
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int(scale))
    return
      "\(sign)\(scaled / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  /// A cosine: as 1 - ε where it is close to 1, which is where cosines are read.
  static func cosine(_ value: Double) -> String {
    let gap = 1 - value
    if gap == 0 { return "1" }
    return gap > 0 && gap < 1e-3 ? "1-" + short(gap) : fixed(value, digits: 6)
  }

  private static func scientific(_ value: Double, _ exponent: Int) -> String {
    var (mantissa, exponent) = (value / pow(10, Double(exponent)), exponent)
    if abs(mantissa) >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    let digits = String(abs(exponent))
    return fixed(mantissa, digits: 2) + (exponent < 0 ? "e-" : "e+")
      + (digits.count < 2 ? "0" + digits : digits)
  }
}
