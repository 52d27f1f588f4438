/// A picture as it grows.
struct SVG {
  private(set) var body = ""
  var width: Double
  var height: Double

  enum Anchor: String { case start, middle, end }

  mutating func text(
    _ text: String, x: Double, y: Double, size: Double = 12, anchor: Anchor = .start, isBold: Bool = false,
    angle: Double = 0, color: String = "#222222"
  ) {
    let turn = angle == 0 ? "" : " transform=\"rotate(\(number(angle)) \(number(x)) \(number(y)))\""
    let weight = isBold ? " font-weight=\"600\"" : ""
    body +=
      "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" text-anchor=\"\(anchor.rawValue)\" fill=\"\(color)\"\(weight)\(turn)>\(SVG.escaped(text))</text>\n"
  }

  /// - Parameter title: what shows when the pointer rests on it.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, stroke: String? = nil,
    title: String? = nil
  ) {
    let line = stroke.map { " stroke=\"\($0)\"" } ?? ""
    let inside = title.map { "><title>\(SVG.escaped($0))</title></rect>" } ?? "/>"
    body +=
      "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" fill=\"\(fill)\"\(line)\(inside)\n"
  }

  mutating func line(
    x1: Double, y1: Double, x2: Double, y2: Double, stroke: String = "#222222", width: Double = 1
  ) {
    body +=
      "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(stroke)\" stroke-width=\"\(number(width))\"/>\n"
  }

  mutating func path(_ points: [(Double, Double)], stroke: String, dashes: String) {
    guard !points.isEmpty else { return }
    let list = points.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    let dash = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
    body += "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(stroke)\" stroke-width=\"1.75\"\(dash)/>\n"
  }

  mutating func circle(x: Double, y: Double, radius: Double, fill: String, stroke: String, title: String) {
    body +=
      "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" fill=\"\(fill)\" stroke=\"\(stroke)\" stroke-width=\"1.5\"><title>\(SVG.escaped(title))</title></circle>\n"
  }

  /// Puts another picture below.
  mutating func append(_ other: SVG, gap: Double = 24) {
    let y = height == 0 ? 0 : height + gap
    body += "<g transform=\"translate(0 \(number(y)))\">\n\(other.body)</g>\n"
    height = y + other.height
    width = max(width, other.width)
  }

  /// The whole picture, which needs nothing else.
  /// - Parameter label: what it shows, for those who do not see it.
  func document(label: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -8 \(number(width + 24)) \(number(height + 16))" \
    width="\(number(width + 24))" height="\(number(height + 16))" role="img" aria-label="\(SVG.escaped(label))" \
    font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif">
    <rect x="-12" y="-8" width="100%" height="100%" fill="#ffffff"/>
    \(body)</svg>

    """
  }

  /// Text as XML has it.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // Not allowed in XML.
      case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let rest = abs(tenths) % 10
    return "\(sign)\(abs(tenths) / 10)" + (rest == 0 ? "" : ".\(rest)")
  }
}
