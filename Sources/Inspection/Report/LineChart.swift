#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Differences step by step, on a logarithmic axis. Zero is drawn on the lowest line, what is not finite on the
/// highest.
struct LineChart {
  /// A line.
  struct Series {
    var name: String
    var values: [Double]
    /// Points to be marked, as steps at which the likeliest token differs.
    var marked: Set<Int> = []
  }

  var title: String
  var xTitle: String
  var yTitle: String
  /// What a mark means; nil when there are none.
  var markTitle: String?
  var columns: [String]
  var series: [Series]

  /// Okabe and Ito's colours, told apart with any colour vision; dashes tell them apart without colour.
  private static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
  private static let dashes = ["", "6 3", "2 3", "8 3 2 3", "4 4", "1 2"]

  /// The picture.
  var picture: SVG {
    let (left, top, width, height) = (70.0, 34.0, 700.0, 220.0)
    let legendHeight = 18 * Double(series.count + (markTitle == nil ? 0 : 1))
    var svg = SVG(width: left + width + 24, height: top + height + 48 + legendHeight)
    svg.text(title, x: 0, y: 16, size: 15, isBold: true)
    let logs = series.flatMap(\.values).filter { $0 > 0 && $0.isFinite }.map { log10($0) }
    let high = max(ceil(logs.max() ?? 0), floor(logs.min() ?? 0) + 1)
    let hasZero = series.contains { $0.values.contains(0) }
    let low = min(floor(logs.min() ?? -1), high - 1) - (hasZero ? 1 : 0)
    let step = max(1, Int(((high - low) / 8).rounded(.up)))
    for decade in stride(from: Int(low), through: Int(high), by: step) {
      let y = top + height * (high - Double(decade)) / (high - low)
      svg.line(x1: left, y1: y, x2: left + width, y2: y, stroke: "#dddddd")
      let isZero = hasZero && decade == Int(low)
      svg.text(isZero ? "0" : "1e\(decade)", x: left - 6, y: y + 4, size: 11, anchor: .end)
    }
    func x(_ index: Int) -> Double {
      left + width * (columns.count > 1 ? Double(index) / Double(columns.count - 1) : 0.5)
    }
    func y(_ value: Double) -> Double {
      let place = !value.isFinite ? high : value > 0 ? log10(value) : low
      return top + height * (high - place) / (high - low)
    }
    let every = max(1, Int((Double(columns.count) * 44 / width).rounded(.up)))
    for (index, name) in columns.enumerated() where index % every == 0 {
      svg.text(name, x: x(index), y: top + height + 16, size: 11, anchor: .middle)
    }
    svg.rectangle(x: left, y: top, width: width, height: height, fill: "none", stroke: "#888888")
    for (number, line) in series.enumerated() {
      let color = Self.colors[number % Self.colors.count]
      svg.path(
        line.values.enumerated().map { (x($0.offset), y($0.element)) }, stroke: color,
        dashes: Self.dashes[number % Self.dashes.count])
      for (index, value) in line.values.enumerated() {
        let isMarked = line.marked.contains(index)
        svg.circle(
          x: x(index), y: y(value), radius: isMarked ? 5 : 2.2, fill: isMarked ? "#ffffff" : color,
          stroke: color,
          title: "\(line.name), \(columns[index]): \(NumberText.short(value))")
      }
      let legendY = top + height + 58 + 18 * Double(number)
      svg.path(
        [(left, legendY - 4), (left + 28, legendY - 4)], stroke: color,
        dashes: Self.dashes[number % Self.dashes.count])
      svg.text(line.name, x: left + 36, y: legendY)
    }
    if let markTitle {
      let legendY = top + height + 58 + 18 * Double(series.count)
      svg.circle(
        x: left + 14, y: legendY - 4, radius: 5, fill: "#ffffff", stroke: "#222222", title: markTitle)
      svg.text(markTitle, x: left + 36, y: legendY)
    }
    svg.text(xTitle, x: left + width / 2, y: top + height + 34, anchor: .middle)
    svg.text(yTitle, x: 12, y: top + height / 2, anchor: .middle, angle: -90)
    return svg
  }
}
