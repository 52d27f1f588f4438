import ArgumentParser
import Ingot

/// How weights are stored.
struct RecipeArguments: ParsableArguments {
  @Option(
    help:
      "bf16, f16, f32, int8 or int4; int4:64:asym and int8:channel give group and symmetry. By default what the source has."
  )
  var quant: String?

  @Option(
    name: .customLong("group-size"), parsing: .unconditional,
    help: "Inputs that share a scale: 32, 64 or 128; 0 for all. By default 32.")
  var groupSize: Int?

  @Flag(help: "Integers around zero; the default.")
  var symmetric = false

  @Flag(help: "Integers with a minimum for each group.")
  var asymmetric = false

  @Option(
    name: .customLong("override"), parsing: .unconditionalSingleValue,
    help:
      "PATTERN=MODE for the tensors whose name matches, as lm_head=int8; * stands for any text. May be repeated."
  )
  var overrides: [String] = []

  /// - Parameter isCompiled: whether the source is compiled already.
  /// - Throws: `.argument`.
  func recipe(isCompiled: Bool) throws(IngotError) -> QuantizationRecipe {
    if symmetric && asymmetric { throw IngotError(.argument, "give either --symmetric or --asymmetric") }
    if quant == nil && (groupSize != nil || symmetric || asymmetric) {
      throw IngotError(
        .argument, "--group-size, --symmetric and --asymmetric are for integers", hint: "add --quant int4")
    }
    var mode = WeightMode.keep
    if let quant {
      if quant.contains(":"), groupSize != nil || symmetric || asymmetric {
        throw IngotError(
          .argument, "\(quant) gives group and symmetry already",
          hint: "leave --group-size, --symmetric and --asymmetric out")
      }
      mode = try WeightMode(named: quant, groupSize: groupSize, isSymmetric: asymmetric ? false : nil)
      if !mode.isIntegers, groupSize != nil || symmetric || asymmetric {
        throw IngotError(.argument, "\(quant) has neither groups nor symmetry")
      }
    }
    var list: [QuantizationRecipe.Override] = []
    for text in overrides { list.append(try QuantizationRecipe.Override(text)) }
    if isCompiled, mode != .keep || !list.isEmpty {
      throw IngotError(
        .argument, "the weights of a compiled file stay as they are",
        hint: "compile the checkpoint it was made of to store them otherwise")
    }
    return QuantizationRecipe(mode, overrides: list)
  }
}
