#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Differences as a field of colours.
struct HeatMap {
  var title: String
  var xTitle: String
  var yTitle: String
  var legend: String
  var columns: [String]
  var rows: [String]
  /// By row and column; nil where there is nothing.
  var values: [[Double?]]

  /// The picture.
  var picture: SVG {
    let longest = Double(rows.map(\.count).max() ?? 0)
    let left = max(70, 26 + 6.6 * min(longest, 60))
    let (top, legendHeight) = (34.0, 62.0)
    let cell = (
      width: min(max(760 / Double(max(columns.count, 1)), 6), 64),
      height: min(max(520 / Double(max(rows.count, 1)), 11), 22)
    )
    let field = (width: cell.width * Double(columns.count), height: cell.height * Double(rows.count))
    let labelHeight = columnLabelHeight(cell.width)
    var svg = SVG(
      width: left + max(field.width, 300) + 24, height: top + field.height + labelHeight + 26 + legendHeight)
    svg.text(title, x: 0, y: 16, size: 15, isBold: true)
    for (row, name) in rows.enumerated() {
      let y = top + Double(row) * cell.height
      svg.text(name, x: left - 6, y: y + cell.height / 2 + 4, size: 11, anchor: .end)
      for (column, value) in values[row].enumerated() {
        let x = left + Double(column) * cell.width
        guard let value else { continue }
        svg.rectangle(
          x: x, y: y, width: cell.width, height: cell.height, fill: scale.color(value), stroke: "#ffffff",
          title: "\(name), \(columns[column]): \(value == 0 ? "equal" : NumberText.short(value))")
        if value == 0 {
          svg.rectangle(
            x: x + cell.width / 2 - 1, y: y + cell.height / 2 - 1, width: 2, height: 2, fill: "#999999")
        } else if !value.isFinite {
          svg.text(
            "×", x: x + cell.width / 2, y: y + cell.height / 2 + 4, anchor: .middle, isBold: true,
            color: "#ffffff")
        }
      }
    }
    svg.rectangle(
      x: left, y: top, width: field.width, height: field.height, fill: "none", stroke: "#888888")
    drawColumns(&svg, left: left, y: top + field.height, cellWidth: cell.width)
    let bottom = top + field.height + labelHeight
    svg.text(xTitle, x: left + field.width / 2, y: bottom + 16, anchor: .middle)
    svg.text(yTitle, x: 12, y: top + field.height / 2, anchor: .middle, angle: -90)
    drawLegend(&svg, x: left, y: bottom + 30)
    return svg
  }

  private var scale: ColorScale {
    let logs = values.joined().compactMap { $0 }.filter { $0 > 0 && $0.isFinite }.map { log10($0) }
    // At least three decades, so that equal differences do not look like a wide range.
    let high = ceil(logs.max() ?? 0)
    return ColorScale(range: min(floor(logs.min() ?? -3), high - 3)...high)
  }

  private var areLong: Bool { columns.contains { $0.count > 7 } }

  private func columnLabelHeight(_ cellWidth: Double) -> Double {
    areLong ? 16 + 6 * Double(min(columns.map(\.count).max() ?? 0, 40)) : 18
  }

  private func drawColumns(_ svg: inout SVG, left: Double, y: Double, cellWidth: Double) {
    let room = areLong ? 14 : 6 + 6.5 * Double(columns.map(\.count).max() ?? 1)
    let every = max(1, Int((room / cellWidth).rounded(.up)))
    for (column, name) in columns.enumerated() where column % every == 0 {
      let x = left + (Double(column) + 0.5) * cellWidth
      if areLong {
        svg.text(name, x: x + 4, y: y + 8, size: 11, anchor: .end, angle: -90)
      } else {
        svg.text(name, x: x, y: y + 14, size: 11, anchor: .middle)
      }
    }
  }

  private func drawLegend(_ svg: inout SVG, x: Double, y: Double) {
    let scale = scale
    svg.text(legend, x: x, y: y + 2, size: 11, color: "#444444")
    let (width, parts) = (240.0, 48)
    for part in 0..<parts {
      let place = (Double(part) + 0.5) / Double(parts)
      let value = pow(10, scale.range.lowerBound + place * (scale.range.upperBound - scale.range.lowerBound))
      svg.rectangle(
        x: x + width * Double(part) / Double(parts), y: y + 8, width: width / Double(parts) + 0.3, height: 10,
        fill: scale.color(value))
    }
    svg.rectangle(x: x, y: y + 8, width: width, height: 10, fill: "none", stroke: "#888888")
    let decades = Int(scale.range.upperBound - scale.range.lowerBound)
    for decade in stride(from: 0, through: decades, by: max(1, (decades + 5) / 6)) {
      let at = x + width * Double(decade) / Double(decades)
      svg.line(x1: at, y1: y + 18, x2: at, y2: y + 21, stroke: "#888888")
      svg.text(
        "1e\(Int(scale.range.lowerBound) + decade)", x: at, y: y + 31, size: 10, anchor: .middle)
    }
    let zero = x + width + 20
    svg.rectangle(x: zero, y: y + 8, width: 10, height: 10, fill: ColorScale.equal, stroke: "#888888")
    svg.rectangle(x: zero + 4, y: y + 12, width: 2, height: 2, fill: "#999999")
    svg.text("equal", x: zero + 14, y: y + 17, size: 10)
    svg.rectangle(x: zero + 54, y: y + 8, width: 10, height: 10, fill: ColorScale.nonFinite)
    svg.text("NaN, inf", x: zero + 68, y: y + 17, size: 10)
  }
}
