extension QualityReport {
  /// The report as lines, in the order and under the names of llama-perplexity.
  public var text: String {
    var lines = ["====== Perplexity statistics ======"]
    func line(_ name: String, _ estimate: Estimate, scale: Double = 1, digits: Int = 6, unit: String = "") {
      let value = FixedPoint.text(estimate.value * scale, digits)
      lines.append(
        "\(padded(name, 30)): \(value) ± \(FixedPoint.text(estimate.error * scale, digits))\(unit)")
    }
    line("Mean PPL(Q)", perplexity)
    line("Mean PPL(base)", basePerplexity)
    lines.append("Cor(ln(PPL(Q)), ln(PPL(base))): \(FixedPoint.text(100 * correlation, 2))%")
    line("Mean ln(PPL(Q)/PPL(base))", logRatio)
    line("Mean PPL(Q)/PPL(base)", ratio)
    line("Mean PPL(Q)-PPL(base)", difference)
    lines += ["", "====== KL divergence statistics ======"]
    line("Mean    KLD", divergence.mean)
    for (name, value) in divergence.named {
      lines.append("\(name) KLD: \(FixedPoint.text(value, 6))")
    }
    lines += ["", "====== Token probability statistics ======"]
    line("Mean    Δp", probabilityChange.mean, scale: 100, digits: 3, unit: " %")
    for (name, value) in probabilityChange.named {
      lines.append("\(name) Δp: \(FixedPoint.text(100 * value, 3))%")
    }
    line("RMS Δp", rmsProbabilityChange, scale: 100, digits: 3, unit: " %")
    line("Same top p", sameTop, scale: 100, digits: 3, unit: " %")
    lines.append("")
    lines.append("\(tokens) tokens in \(windows) windows of \(windowLength)")
    return lines.map { $0 + "\n" }.joined()
  }

  private func padded(_ name: String, _ width: Int) -> String {
    // Estimates of the second and third part are named shortly.
    name.contains("PPL") ? name + String(repeating: " ", count: max(0, width - name.count)) : name
  }
}

extension Distribution {
  /// The quantiles with names of one width.
  fileprivate var named: [(String, Double)] {
    zip(Self.fractions, quantiles).map { fraction, value in
      let name =
        switch fraction {
        case 1: "Maximum"
        case 0.5: "Median "
        case 0: "Minimum"
        case let part: FixedPoint.text(100 * part, 1, width: 4) + "%  "
        }
      return (name, value)
    }
  }
}

/// Numbers with a fixed number of digits after the point.
package enum FixedPoint {
  /// The number, with spaces before it up to a width.
  package static func text(_ value: Double, _ digits: Int, width: Int = 0) -> String {
    guard value.isFinite else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let number = UInt64(scaled)
    let (whole, part) = (number / UInt64(scale), String(number % UInt64(scale)))
    let sign = value < 0 && number > 0 ? "-" : ""
    var text = "\(sign)\(whole)"
    if digits > 0 { text += "." + String(repeating: "0", count: digits - part.count) + part }
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
