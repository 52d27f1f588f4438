extension VerificationReport {
  /// Differences by layer and step, and of the logits by step, as one SVG that needs nothing else.
  public var svg: String {
    var svg = SVG(width: 0, height: 0)
    svg.text("\(candidate) against \(reference)", x: 0, y: 18, size: 17, isBold: true)
    (svg.width, svg.height) = (8.5 * Double(candidate.count + reference.count + 9), 26)
    for picture in pictures { svg.append(picture) }
    return svg.document(label: "Differences of \(candidate) from \(reference)")
  }

  /// All pictures, one below the other.
  var pictures: [SVG] { layerMaps.map(\.picture) + stepCharts.map(\.picture) }

  private var layerMaps: [HeatMap] {
    cases.flatMap { run in
      LayerValue.allCases.compactMap { value -> HeatMap? in
        let layers = layers.filter { $0.caseName == run.name && $0.value == value }.sorted {
          $0.index < $1.index
        }
        guard !layers.isEmpty else { return nil }
        var map = HeatMap(
          title: "\(value.title), \(run.name)", xTitle: "prefill, then decoded token",
          yTitle: value == .hiddenStates ? "into layer" : "layer",
          legend: "max |A − B| as a part of max |A|, logarithmic", columns: run.columns,
          rows: layers.map { "\($0.index)" }, values: layers.map { $0.steps.map(\.maxRelative) })
        if value == .hiddenStates {
          // What the last layer makes of it goes on to the norm and the logits.
          map.rows[map.rows.count - 1] += " (out)"
          map.rows.append("logits")
          map.values.append(([run.prefill] + run.steps).map(\.values.maxRelative))
        }
        return map
      }
    }
  }

  private var stepCharts: [LineChart] {
    let runs = cases.filter { !$0.steps.isEmpty }
    guard let longest = runs.max(by: { $0.steps.count < $1.steps.count }) else { return [] }
    let hasMarks = runs.contains { run in ([run.prefill] + run.steps).contains { $0.top1 < 1 } }
    func chart(_ title: String, _ yTitle: String, _ value: (LogitsDifference) -> Double) -> LineChart {
      LineChart(
        title: title, xTitle: "prefill, then decoded token", yTitle: yTitle,
        markTitle: hasMarks ? "the likeliest token differs" : nil, columns: longest.columns,
        series: runs.map { run in
          let all = [run.prefill] + run.steps
          return .init(
            name: "after \(run.name)", values: all.map(value),
            marked: Set(all.indices.filter { all[$0].top1 < 1 }))
        })
    }
    return [
      chart("Largest difference of a logit, step by step", "max |A − B|") { $0.values.maxAbsolute },
      chart("KL divergence, step by step", "KL(A‖B), nats") { $0.meanKL },
    ]
  }
}

extension VerificationReport.Case {
  fileprivate var columns: [String] { ["prefill"] + steps.indices.map { "\($0 + 1)" } }
}

extension VerificationReport.LayerValue {
  fileprivate var title: String {
    switch self {
    case .hiddenStates: "Hidden states"
    case .keys: "Keys in the cache"
    case .values: "Values in the cache"
    }
  }
}

extension Comparison {
  /// Differences by tensor and step, or by tensor and layer.
  var pictures: [SVG] {
    guard !entries.isEmpty else { return [] }
    var (rows, columns): ([String], [String]) = ([], [])
    var cells: [String: [String: Double]] = [:]
    for entry in entries {
      let (row, column) = Self.place(entry.name)
      if cells[row] == nil { rows.append(row) }
      if !columns.contains(column) { columns.append(column) }
      cells[row, default: [:]][column] = entry.difference.maxRelative
    }
    let map = HeatMap(
      title: "Differences by tensor", xTitle: "step or layer", yTitle: "",
      legend: "max |A − B| as a part of max |A|, logarithmic", columns: columns, rows: rows,
      values: rows.map { row in columns.map { cells[row]?[$0] } })
    return [map.picture]
  }

  /// `step_0003/hidden_block1` is hidden_block1 in column step_0003, `present_key.3` is present_key in column 3.
  private static func place(_ name: String) -> (row: String, column: String) {
    if let slash = name.firstIndex(of: "/"), name.hasPrefix("step_") {
      return (String(name[name.index(after: slash)...]), String(name[..<slash].dropFirst(5)))
    }
    if let dot = name.lastIndex(of: "."), let layer = Int(name[name.index(after: dot)...]) {
      return (String(name[..<dot]), "\(layer)")
    }
    return (name, "all")
  }
}
