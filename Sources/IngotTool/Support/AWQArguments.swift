import ArgumentParser
import Ingot

/// The search for scales before weights are rounded.
struct AWQArguments: ParsableArguments {
  @Flag(
    name: .customLong("awq"),
    help:
      "Before rounding, scale channels and clip weights by what calibration text shows to matter. Takes minutes per billion weights; goes on where it was cut short."
  )
  var isOn = false

  @Option(name: .customLong("awq-text"), help: "The text to calibrate with; by default a built-in one.")
  var text: String?

  /// The checkpoint to round: the source, or the source scaled.
  /// - Parameters:
  ///   - path: of the file to be made; the journal of the search lies beside it until that is there.
  /// - Throws: `.argument` for a recipe without integers; errors of the files.
  func scaled(
    _ source: any Checkpoint, _ recipe: QuantizationRecipe, for path: String
  ) throws -> any Checkpoint {
    guard isOn else {
      if text != nil { throw IngotError(.argument, "--awq-text is for --awq") }
      return source
    }
    guard case .integers = recipe.mode else {
      throw IngotError(
        .argument, "--awq is for weights that become integers in groups, and these become \(recipe.mode)",
        hint: "add --quant int4, or int8:128")
    }
    let tokenizer = try openTokenizer(of: source)
    let text = try text.map { try InputFile(path: $0).readText(most: 1 << 28) } ?? BuiltInText.calibration
    let tokens = try tokenizer.encode(text, parseSpecial: false)
    var progress: Progress?
    let result = try AWQ(source).search(tokens, recipe, journal: journal(for: path)) { layer, count in
      if progress == nil { progress = Progress("searching scales", total: count) }
      progress?.update(layer)
    }
    progress?.finish()
    return try AWQCheckpoint(source, result)
  }

  /// Where a search keeps what it has found.
  func journal(for path: String) -> String { path + ".awq" }
}
