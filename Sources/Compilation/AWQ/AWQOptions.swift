package import IngotCore

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

  /// - Throws: `.argument` for numbers out of range.
  func check() throws(IngotError) {
    guard (1...1000).contains(ratioSteps), (1...255).contains(clipSteps), (0..<1).contains(maxShrink),
      (1...65_536).contains(sampleRows), (1...65_536).contains(sequenceLength),
      (1...65_536).contains(sequences)
    else { throw IngotError(.argument, "the options of the search for scales are out of range") }
  }
}

/// Rounds rows of a weight as the quantiser will that comes afterwards.
package protocol RowRounder: Sendable {
  /// Inputs that share a scale; the last group of a row may be shorter.
  var groupSize: Int { get }
  /// Replaces the weights of a row by what they are read back as.
  /// - Throws: `.unsupported` for weights that integers cannot stand for.
  func round(_ row: UnsafeMutableBufferPointer<Float>) throws(IngotError)
}
