import ArgumentParser
import Ingot

/// `ingot stage`: one part of a staged model, from files to files.
struct StageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage", abstract: "Runs one part of a staged ONNX export, from files to files.",
    discussion: """
      A step goes through embed, block 0, block 1, …, output. Each reads NumPy files of the step's folder and \
      writes others, so each may run on another machine, or be replaced by something else.
      """,
    subcommands: [EmbedStage.self, BlockStage.self, OutputStage.self])
}

extension StageCommand {
  /// `ingot stage embed`.
  struct EmbedStage: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "embed", abstract: "Tokens to hidden_block0.npy, mask, positions and meta.json.")

    @OptionGroup var prompt: StagePromptArguments

    @Option(name: .customLong("onnx-dir"), parsing: .unconditional, help: "The folder with embed.onnx.")
    var onnxDir: String
    @Option(
      name: .customLong("tokenizer-dir"), parsing: .unconditional,
      help: "The folder of the tokenizer; by default the model's.")
    var tokenizerDir: String?
    @Option(
      name: [.customLong("output-dir"), .customShort("o")], parsing: .unconditional,
      help: "The step's folder, as run/step_0000.")
    var outputDir: String
    @Option(name: .customLong("past-len"), parsing: .unconditional, help: "Tokens before this step.")
    var pastLen = 0
    @Option(
      name: .customLong("max-cache-len"), parsing: .unconditional,
      help: "Rows of the cache; by default what the blocks have, or 1024 where there are none.")
    var maxCacheLen: Int?
    @Option(
      name: .customLong("max-input-len"), parsing: .unconditional,
      help: "Tokens of a call; by default what the model has.")
    var maxInputLen: Int?
    @Flag(name: .customLong("write-tokens"), inversion: .prefixedNo, help: "Write tokens.npy.")
    var writesTokens = true

    @OptionGroup(title: "ONNX Runtime") var ort: OrtArguments

    mutating func run() throws {
      let source = try ort.folder(onnxDir, phase: pastLen == 0 ? "prefill" : "decode")
      let text = try StageText(model: source.path, tokenizer: tokenizerDir)
      var options = SingleStage.EmbedOptions(tokens: try prompt.tokens(text))
      (options.pastLength, options.cacheLength, options.inputLength) = (pastLen, maxCacheLen, maxInputLen)
      options.writesTokens = writesTokens
      try SingleStage.embed(source, text, options, to: StepFolder(outputDir))
    }
  }

  /// `ingot stage block`.
  struct BlockStage: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "block", abstract: "hidden_block{i}.npy and the cache to hidden_block{i+1}.npy.",
      discussion: """
        Of the cache, past_key_block{i}.npy and past_value_block{i}.npy, only the rows of the step's tokens are \
        written; kv_block{i}.json beside them says which rows are whole.
        """)

    @Option(parsing: .unconditional, help: "Which block, from 0.") var index: Int
    @Option(name: .customLong("onnx-dir"), parsing: .unconditional, help: "The folder with block{i}.onnx.")
    var onnxDir: String
    @OptionGroup var folders: StepArguments
    @Option(
      name: .customLong("kv-dir"), parsing: .unconditional,
      help: "The cache's folder; made where it is missing.")
    var kvDir: String

    @OptionGroup(title: "ONNX Runtime") var ort: OrtArguments

    mutating func run() throws {
      let meta = try StepMeta(path: folders.input.meta)
      let source = try ort.folder(onnxDir, phase: meta.inputLength > 1 ? "prefill" : "decode")
      try SingleStage.block(
        source, index: index, from: folders.input, to: folders.output, cacheFolder: kvDir)
    }
  }

  /// `ingot stage output`.
  struct OutputStage: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "output", abstract: "The last hidden_block{i}.npy to logits.npy and the next token.")

    @Option(name: .customLong("onnx-dir"), parsing: .unconditional, help: "The folder with output.onnx.")
    var onnxDir: String
    @Option(
      name: .customLong("tokenizer-dir"), parsing: .unconditional,
      help: "The folder of the tokenizer; by default the model's.")
    var tokenizerDir: String?
    @OptionGroup var folders: StepArguments
    @OptionGroup(title: "Draw") var draw: DrawArguments
    @OptionGroup(title: "ONNX Runtime") var ort: OrtArguments

    mutating func run() throws {
      let draw = try TokenDraw(draw.options())
      let meta = try StepMeta(path: folders.input.meta)
      let source = try ort.folder(onnxDir, phase: meta.inputLength > 1 ? "prefill" : "decode")
      let text = try StageText(model: source.path, tokenizer: tokenizerDir)
      let id = try SingleStage.output(source, text, draw, from: folders.input, to: folders.output)
      var output = Output()
      try output.write("\(id)\n")
      try output.flush()
    }
  }

  /// Where a step's files are, and where new ones go.
  struct StepArguments: ParsableArguments {
    @Option(name: .customLong("input-dir"), parsing: .unconditional, help: "The step's folder.")
    var inputDir: String
    @Option(
      name: [.customLong("output-dir"), .customShort("o")], parsing: .unconditional,
      help: "Where results go; by default the step's folder.")
    var outputDir: String?

    var input: StepFolder { StepFolder(inputDir) }
    var output: StepFolder { StepFolder(outputDir ?? inputDir) }
  }
}
