import ArgumentParser
import Ingot

/// `ingot verify`: whether two back ends are one model.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Runs two back ends on the same tokens and says by how much they differ.",
    discussion: """
      A is the reference, in 32-bit floats whatever its weights are. Prefills of several lengths, in one piece and in several, then tokens decoded with a filled \
      cache, which are A's likeliest for both. Without a prompt the tokens are pseudo-random, the same every time. \
      max_rel is the largest difference as a part of the largest |A|. NaN and infinity always fail; other \
      differences fail only beyond --tolerance. With --dtype or --quant A's weights are rounded as an export with \
      these options rounds them, so that only what is not meant is left, and the bounds are those of computing so.
      """)

  @Argument(
    help: "The reference: a folder of config.json and *.safetensors, a .gguf file, a folder of ONNX files.")
  var a: String

  @Argument(help: "What is compared with it.")
  var b: String

  @OptionGroup var prompt: PromptArguments

  @Option(parsing: .unconditional, help: "Lengths of the prefills, separated by commas.")
  var lengths: IDList?

  @Option(parsing: .unconditional, help: "Tokens decoded after a prefill.")
  var steps = Verification.Options().steps

  @Option(
    parsing: .unconditional, help: "Fail when a logit differs by more than this times max(1, largest |A|).")
  var tolerance: Double?

  @OptionGroup(title: "How B's weights were rounded") var rounding: RoundingArguments

  @Flag(name: .customLong("no-layers"), help: "Compare logits only.")
  var noLayers = false

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: "Write an HTML page with pictures.")
  var html: String?

  @Option(help: "Write the pictures as SVG.")
  var svg: String?

  @OptionGroup(title: "Engine") var engine: ExactEngineArguments

  mutating func run() throws {
    let tolerance = try bounds()
    var tokenizer: Tokenizer?
    let prompts = try prompt.sequences {
      let opened = try openTokenizer()
      tokenizer = opened
      return opened
    }
    var options = Verification.Options()
    (options.prompts, options.lengths, options.steps) = (prompts, lengths?.ids, steps)
    options.comparesLayers = !noLayers
    guard steps >= 0, steps <= TextModel.maximumContextLength else {
      throw IngotError(
        .argument, "--steps is \(steps); it must be from 0 to \(TextModel.maximumContextLength)")
    }
    let longest =
      prompts.map(\.count).max() ?? (lengths?.ids ?? Verification.Options.defaultLengths).max() ?? 0
    let context = min(max(longest, 1), TextModel.maximumContextLength) + steps
    let reference = try BackEnd.open(
      a, engine: engine, contextLength: context, isReference: true, rounding: try rounding.rounding())
    let candidate = try BackEnd.open(b, engine: engine, contextLength: context)
    if prompts.isEmpty {
      if tokenizer == nil { tokenizer = try? openTokenizer() }
      if let tokenizer {
        options.excludedIDs = Set((0..<reference.config.vocabSize).filter(tokenizer.isSpecial))
      }
    }
    var progress: Progress?
    let verification = Verification(reference: reference, candidate: candidate, options: options)
    var report = try verification.run { done, total in
      if progress == nil { progress = Progress("verifying", total: total) }
      progress?.update(done)
    }
    progress?.finish()
    (report.reference, report.candidate) = (a, b)
    if let html { try write(report.html(tolerance), to: html) }
    if let svg { try write(report.svg, to: svg) }
    var output = Output()
    try output.write(json ? report.json(tolerance).indented + "\n" : report.text)
    try output.flush()
    let violations = report.check(tolerance ?? Tolerance())
    for violation in violations { standardError("\(violation.place): \(violation.description)\n") }
    if !violations.isEmpty { throw ExitCode(1) }
  }

  /// Nil when no bounds were asked for.
  private func bounds() throws(IngotError) -> Tolerance? {
    guard let tolerance else { return rounding.precision.map(Tolerance.init(for:)) }
    guard tolerance >= 0 else {
      throw IngotError(.argument, "the tolerance is \(tolerance); it must be at least 0")
    }
    return Tolerance(maxScaled: tolerance)
  }

  /// A's, or B's where A has none.
  private func openTokenizer() throws(IngotError) -> Tokenizer {
    do throws(IngotError) { return try Ingot.openTokenizer(a) } catch {
      if let other = try? Ingot.openTokenizer(b) { return other }
      throw error
    }
  }
}
