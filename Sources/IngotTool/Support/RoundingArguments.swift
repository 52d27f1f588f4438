import ArgumentParser
import Ingot

/// How the weights of an export were rounded, by the options it was made with.
struct RoundingArguments: ParsableArguments {
  @Option(help: "Element type of weights: f32, f16 or bf16.") var dtype: ExportCommand.Precision?
  @Option(help: "Integers of linear layers: int8 or int4.") var quant: ExportCommand.Integers?
  @Option(
    name: .customLong("group-size"), parsing: .unconditional,
    help: "Inputs that share a scale: 32, 64 or 128; 0 for all. By default 32.")
  var groupSize: Int?
  @Flag(help: "Around zero, without zero points.") var symmetric = false

  /// Nil when no option was given.
  /// - Throws: `.argument`.
  func rounding() throws(IngotError) -> WeightRounding? {
    guard quant != nil || (groupSize == nil && !symmetric) else {
      throw IngotError(
        .argument, "--group-size and --symmetric are for quantised weights", hint: "add --quant")
    }
    guard let precision else { return nil }
    let type: DType =
      switch dtype {
      case .f16: .f16
      case .bf16: .bf16
      case .f32, nil: .f32
      }
    guard let quant else { return precision == .f32 ? nil : WeightRounding(type) }
    let group = groupSize == 0 ? nil : groupSize ?? 32
    let scheme = try BlockQuantization(
      bits: quant == .int8 ? 8 : 4, groupSize: group, isSymmetric: symmetric)
    return WeightRounding(type, quantization: scheme)
  }

  /// What the export computes in.
  var precision: Precision? {
    switch (quant, dtype) {
    case (.int8, _): .int8
    case (.int4, _): .int4
    case (nil, .f32): .f32
    case (nil, .f16): .f16
    case (nil, .bf16): .bf16
    case (nil, nil): nil
    }
  }
}
