extension VerificationReport {
  /// The results as tables for a terminal.
  public var text: String {
    var text = "reference  \(reference)\ncandidate  \(candidate)\n\n"
    var table = TextTable([
      "case", "tokens", "rows", "max_abs", "max_rel", "min_cosine", "top-1", "mean_kl", "max_kl",
    ])
    for run in cases {
      table.append([run.name, "\(run.tokenCount)"] + run.prefill.cells)
      if !run.steps.isEmpty {
        table.append(["  then decoding \(run.steps.count)", "\(run.steps.count)"] + run.decode.cells)
      }
    }
    table.append(["overall", ""] + total.cells)
    text += table.text
    for name in cases.map(\.name) { text += layerText(name) }
    for note in notes { text += "\nnote: \(note)" }
    if !notes.isEmpty { text += "\n" }
    return text
  }

  private func layerText(_ caseName: String) -> String {
    let layers = layers.filter { $0.caseName == caseName }
    guard !layers.isEmpty else { return "" }
    let values = LayerValue.allCases.filter { value in layers.contains { $0.value == value } }
    var table = TextTable(["layer"] + values.flatMap { [$0.rawValue + " max_rel", "cosine"] })
    for index in 0...(layers.map(\.index).max() ?? 0) {
      table.append(
        ["\(index)"]
          + values.flatMap { value in
            guard let layer = layers.first(where: { $0.value == value && $0.index == index }) else {
              return ["", ""]
            }
            return [NumberText.short(layer.total.maxRelative), NumberText.cosine(layer.total.cosine)]
          })
    }
    return "\nby layer, \(caseName) and what follows\n" + table.text
  }
}

extension LogitsDifference {
  /// A row of the table of logits.
  var cells: [String] {
    [
      "\(rows)", NumberText.short(values.maxAbsolute), NumberText.short(values.maxRelative),
      NumberText.cosine(minCosine), NumberText.fixed(top1 * 100, digits: 1) + "%", NumberText.short(meanKL),
      NumberText.short(maxKL),
    ]
  }
}

extension Comparison {
  /// The results as a table for a terminal.
  public var text: String {
    var text = ""
    var table = TextTable([
      "tensor", "shape", "dtype", "mse", "cosine", "max_abs_err", "max_rel_err", "mean_abs_err", "nonfinite",
    ])
    for entry in entries {
      let difference = entry.difference
      let dtype =
        entry.dtypes.0 == entry.dtypes.1 ? "\(entry.dtypes.0)" : "\(entry.dtypes.0)/\(entry.dtypes.1)"
      table.append([
        entry.name, "\(entry.shape)\(entry.isTrimmed ? "*" : "")", dtype,
        NumberText.short(difference.meanSquared), NumberText.cosine(difference.cosine),
        NumberText.short(difference.maxAbsolute), NumberText.short(difference.maxRelative),
        NumberText.short(difference.meanAbsolute), "\(difference.nonFinite)",
      ])
    }
    if !entries.isEmpty { text += table.text }
    if entries.contains(where: \.isTrimmed) { text += "* without padding\n" }
    for mismatch in mismatches {
      text += "shapes differ: \(mismatch.name) is \(mismatch.shapes.0) in A, \(mismatch.shapes.1) in B\n"
    }
    for name in missing { text += "only in A: \(name)\n" }
    for name in extra { text += "only in B: \(name)\n" }
    return text
  }
}

extension TensorSummary {
  /// Some tensors as a table for a terminal.
  public static func text(_ summaries: [TensorSummary]) -> String {
    var table = TextTable(["tensor", "dtype", "shape", "min", "max", "mean", "nonfinite"])
    for summary in summaries {
      let numbers = [summary.minimum, summary.maximum, summary.mean].map { $0.map(NumberText.short) ?? "-" }
      table.append(
        [summary.name, "\(summary.dtype)", "\(summary.shape)"] + numbers + ["\(summary.nonFinite)"])
    }
    return table.text
  }
}
