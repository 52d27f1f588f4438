import ArgumentParser
import Ingot

/// The check of quality at the end of a compilation.
struct GateArguments: ParsableArguments {
  @Option(help: "A text that source and result are compared on; by default a built-in one.")
  var calibration: String?

  @Option(name: .customLong("max-kl"), help: "Fail beyond this mean KL divergence from the source, in nats.")
  var maximum: Double?

  @Option(name: .customLong("gate-windows"), parsing: .unconditional, help: "Most windows of 512 tokens.")
  var windows = 4

  @Flag(
    name: .customLong("no-gate"),
    help:
      "Do not measure. Measuring takes as long as reading --gate-windows with both models, and of an encrypted file memory for its weights."
  )
  var isOff = false

  /// Nil when nothing is to be measured.
  /// - Throws: `.argument`; `.io`, `.format` for the text.
  func gate() throws(IngotError) -> QualityGate? {
    if isOff {
      guard maximum == nil, calibration == nil else {
        throw IngotError(
          .argument, "--max-kl and --calibration need the measurement that --no-gate leaves out")
      }
      return nil
    }
    if let maximum, !(maximum >= 0) {
      throw IngotError(.argument, "--max-kl is \(maximum); it must not be negative")
    }
    guard (1...100_000).contains(windows) else {
      throw IngotError(.argument, "--gate-windows is \(windows); it must be from 1 to 100000")
    }
    var gate = QualityGate()
    (gate.maximumDivergence, gate.windows) = (maximum, windows)
    gate.text = try calibration.map { (path) throws(IngotError) in
      try InputFile(path: path).readText(most: 1 << 28)
    }
    return gate
  }
}
