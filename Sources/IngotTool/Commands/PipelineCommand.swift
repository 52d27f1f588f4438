import ArgumentParser
import Ingot

/// `ingot pipeline`: a prompt through all parts of a staged model, step by step.
struct PipelineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline", abstract: "Continues a prompt with a staged ONNX export, all tensors in files.",
    discussion: """
      Every step is a folder run-root/step_0000, step_0001, … of NumPy files; the cache is NumPy files as well. \
      The text goes to stdout as it is drawn, summary.json has it at the end. A run that was cut off goes on with \
      --resume, as if it had not been.
      """)

  /// Where keys and values are kept.
  enum Cache: String, ExpressibleByArgument, CaseIterable { case files, memory }

  @OptionGroup var prompt: StagePromptArguments

  @Option(name: .customLong("onnx-dir"), parsing: .unconditional, help: "The staged export, for both phases.")
  var onnxDir: String?
  @Option(
    name: .customLong("prefill-onnx-dir"), parsing: .unconditional, help: "The parts that compute the prompt."
  )
  var prefillDir: String?
  @Option(
    name: .customLong("decode-onnx-dir"), parsing: .unconditional,
    help: "The parts that compute what follows.")
  var decodeDir: String?
  @Option(
    name: .customLong("tokenizer-dir"), parsing: .unconditional,
    help: "The folder of the tokenizer; by default the model's.")
  var tokenizerDir: String?
  @Option(name: .customLong("run-root"), parsing: .unconditional, help: "The folder of the steps.")
  var runRoot: String
  @Option(
    name: .customLong("kv-dir"), parsing: .unconditional,
    help: "The folder of the cache; by default run-root/kv.")
  var kvDir: String?
  @Option(help: "Keep the cache in files or in memory; both round to f16.") var kv = Cache.files

  @Option(
    name: [.customLong("steps"), .customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: "Most tokens to draw.")
  var steps = 10
  @Option(
    name: .customLong("max-cache-len"), parsing: .unconditional,
    help: "Rows of the cache; by default, and only, what the model has.")
  var maxCacheLen: Int?
  @Option(
    name: .customLong("max-input-len"), parsing: .unconditional,
    help: "Tokens of a prefill call; by default, and only, what the model has.")
  var maxInputLen: Int?
  @Flag(name: .customLong("no-chunk"), help: "Refuse a prompt that is longer than a prefill call.")
  var noChunk = false
  @Flag(name: .customLong("ignore-eos"), help: "Go on past the tokens that end a text.")
  var ignoresEOS = false

  @Flag(help: "Remove what an earlier run left in run-root and kv-dir.") var clean = false
  @Flag(help: "Go on after the last whole step of the run in run-root.") var resume = false
  @Flag(name: .customLong("no-save-hidden"), help: "Do not keep hidden states and masks.")
  var dropsHidden = false
  @Option(help: "Print the answer as text or as ids.") var output = RunCommand.Form.text

  @OptionGroup(title: "Draw") var draw: DrawArguments
  @OptionGroup(title: "ONNX Runtime") var ort: OrtArguments

  mutating func run() throws {
    let (prefill, decode) = try sources()
    let text = try StageText(model: prefill.path, tokenizer: tokenizerDir)
    let pipeline = try Pipeline(
      prefill: prefill, decode: decode, text: text, prompt: try prompt.tokens(text), options: try options())
    var printer = AnswerPrinter(form: text.tokenizer == nil ? .ids : output)
    var detokenizer = text.tokenizer.map { IncrementalDetokenizer($0) }
    let result = try pipeline.run { id in
      printer.take(.token(id))
      if text.tokenizer?.token(of: id) != nil, let piece = try? detokenizer?.append(id) {
        printer.take(.text(piece))
      }
    }
    if let rest = try detokenizer?.finish() { printer.take(.text(rest)) }
    try printer.finish()
    let resumed = result.resumedSteps > 0 ? ", \(result.resumedSteps) of them by an earlier run" : ""
    standardError(
      "\(result.steps) steps\(resumed); \(result.ids.count) tokens, ended by \(result.reason.words)\n")
  }

  private func sources() throws(IngotError) -> (prefill: StageFolder, decode: StageFolder) {
    if onnxDir != nil && prefillDir != nil && decodeDir != nil {
      throw IngotError(.argument, "give --onnx-dir, or --prefill-onnx-dir and --decode-onnx-dir")
    }
    guard let prefillPath = prefillDir ?? onnxDir, let decodePath = decodeDir ?? onnxDir ?? prefillDir else {
      throw IngotError(
        .argument, "no folder of parts", hint: "give --onnx-dir, or --prefill-onnx-dir and --decode-onnx-dir")
    }
    let prefill = try ort.folder(prefillPath, phase: "prefill")
    let resolved = StageFolder.resolve(decodePath, phase: "decode")
    if resolved == prefill.path { return (prefill, prefill) }
    return (prefill, try ort.folder(decodePath, phase: "decode"))
  }

  private func options() throws(IngotError) -> PipelineOptions {
    if clean && resume { throw IngotError(.argument, "give either --clean or --resume") }
    if kv == .memory && kvDir != nil {
      throw IngotError(.argument, "--kv memory leaves nothing in a --kv-dir")
    }
    var options = PipelineOptions(runRoot: runRoot)
    switch kv {
    case .files: options.cacheFolder = kvDir ?? options.cacheFolder
    case .memory: options.cacheFolder = nil
    }
    (options.steps, options.cacheLength, options.inputLength) = (steps, maxCacheLen, maxInputLen)
    options.sampling = try draw.options()
    (options.chunks, options.ignoresEOS, options.savesHidden) = (!noChunk, ignoresEOS, !dropsHidden)
    options.start = clean ? .clean : resume ? .resume : .fresh
    return options
  }
}

extension PipelineResult.Reason {
  /// As a message says it.
  fileprivate var words: String {
    switch self {
    case .endOfText: "the end of the text"
    case .length: "--steps"
    }
  }
}
