#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Colours for differences on a logarithmic scale: pale is small, dark red is large. Readable with any colour vision,
/// since lightness falls all the way.
/// Source: ColorBrewer's YlOrRd, nine classes.
struct ColorScale {
  /// log10 of the differences that have the first and the last colour.
  let range: ClosedRange<Double>

  static let equal = "#ffffff"
  static let nonFinite = "#222222"

  private static let stops: [(Double, Double, Double)] = [
    (255, 255, 204), (255, 237, 160), (254, 217, 118), (254, 178, 76), (253, 141, 60), (252, 78, 42),
    (227, 26, 28), (189, 0, 38), (128, 0, 38),
  ]

  /// The colour of a difference: zero and what is not finite have their own.
  func color(_ difference: Double) -> String {
    guard difference.isFinite else { return Self.nonFinite }
    guard difference > 0 else { return Self.equal }
    let width = range.upperBound - range.lowerBound
    let part = (log10(difference) - range.lowerBound) / width
    let place = min(max(part, 0), 1) * Double(Self.stops.count - 1)
    let index = min(Int(place), Self.stops.count - 2)
    let (low, high, rest) = (Self.stops[index], Self.stops[index + 1], place - Double(index))
    func byte(_ a: Double, _ b: Double) -> String {
      let value = Int((a + (b - a) * rest).rounded())
      return (value < 16 ? "0" : "") + String(value, radix: 16)
    }
    return "#" + byte(low.0, high.0) + byte(low.1, high.1) + byte(low.2, high.2)
  }
}
