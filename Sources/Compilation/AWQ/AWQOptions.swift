internal import IngotCore

/// How scales and clips are searched.
///
/// Source: "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration", Lin et al. 2023, and the
/// grids of AutoAWQ.
package struct AWQOptions: Sendable, Equatable {
  /// Exponents tried: 0, 1/steps, … of the mean size of an input.
  package var ratioSteps = 20
  /// Limits tried: the largest weight of a group times 1, 1 - 1/steps, ….
  package var clipSteps = 20
  /// By how much a limit may fall below the largest weight; 0 clips nothing.
  package var maxShrink = 0.5
  /// Rows of a linear layer's input that errors are measured on.
  package var sampleRows = 512
  /// Tokens of a calibration sequence.
  package var sequenceLength = 512
  /// Most sequences.
  package var sequences = 64

  /// The defaults.
  package init() {}

  /// Limits tried below the largest weight.
  var clipCandidates: Int { Int(Double(clipSteps) * maxShrink) }

  /// - Throws: `.argument` for a number out of range, which it names.
  func check() throws(IngotError) {
    let ranges: [(name: String, value: Int, range: ClosedRange<Int>)] = [
      ("ratioSteps", ratioSteps, 1...1000), ("clipSteps", clipSteps, 1...255),
      ("sampleRows", sampleRows, 1...65_536), ("sequenceLength", sequenceLength, 1...65_536),
      ("sequences", sequences, 1...65_536),
    ]
    for (name, value, range) in ranges where !range.contains(value) {
      throw IngotError(
        .argument, "AWQOptions.\(name) is \(value)",
        hint: "take a number from \(range.lowerBound) to \(range.upperBound)")
    }
    guard (0..<1).contains(maxShrink) else {
      throw IngotError(
        .argument, "AWQOptions.maxShrink is \(maxShrink)",
        hint: "take a number from 0, which clips nothing, to less than 1")
    }
  }
}
