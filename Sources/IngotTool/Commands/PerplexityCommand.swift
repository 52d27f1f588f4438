import ArgumentParser
import Ingot

/// `ingot perplexity`: how surprised a model is by a text, and how far its opinions are from another's.
struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Measures a model on a text: perplexity, and divergence from a base.",
    discussion: """
      The text is cut into windows; each is read alone, and its second half is scored, as llama-perplexity does. \
      Without -f a built-in text is used.

      To compare a quantised model with its original, first save what the original thinks, then read it:

        ingot perplexity ORIGINAL -f TEXT --kl-divergence-base FILE
        ingot perplexity QUANTISED --kl-divergence-base FILE --kl-divergence

      The file is llama-perplexity's, and goes both ways; it takes 2 bytes for each scored token and each token of the \
      vocabulary. With --kl-divergence text and windows come from it.
      """)

  @OptionGroup var model: ModelArgument

  @Option(name: [.customShort("f"), .customLong("file")], help: "The text, in UTF-8; - for stdin.")
  var file: String?

  @Option(
    name: [.customShort("c"), .customLong("context")], parsing: .unconditional, help: "Tokens of a window.")
  var window = EvaluationWindows.defaultLength

  @Option(parsing: .unconditional, help: "Most windows; by default all.")
  var chunks: Int?

  @Option(name: .customLong("kl-divergence-base"), help: "The file with the log-probabilities of the base.")
  var base: String?

  @Flag(name: .customLong("kl-divergence"), help: "Compare with the base's file instead of writing it.")
  var compares = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Engine") var engine: EngineArguments

  /// Rows of logits computed together; more need memory and save little.
  private static let logitRows = 64

  mutating func run() throws {
    try engine.tuning.placeThreads()
    if let chunks, chunks < 1 {
      throw IngotError(.argument, "--chunks is \(chunks); it must be at least 1")
    }
    let checkpoint = isONNXExport(model.model) ? nil : try model.open()
    let tokenizer = try checkpoint.map { try openTokenizer(of: $0) } ?? openTokenizer(model.model)
    if compares {
      guard let base else { throw IngotError(.argument, "--kl-divergence needs --kl-divergence-base FILE") }
      try compare(checkpoint, tokenizer, with: LogitsBaseFile(path: base))
    } else {
      try measure(checkpoint, tokenizer)
    }
  }

  private func measure(_ checkpoint: (any Checkpoint)?, _ tokenizer: Tokenizer) throws {
    var text = try file.map { try InputFile(path: $0).readText(most: 1 << 30) } ?? BuiltInText.evaluation
    // As llama-perplexity reads files.
    if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
    let windows = try EvaluationWindows(text: text, tokenizer, length: window, limit: chunks)
    let opened = try open(checkpoint, contextLength: windows.length)
    let run = try PerplexityRun(opened, windows)
    let writer = try base.map { try LogitsBaseWriter(path: $0, windows, vocabSize: opened.config.vocabSize) }
    let status = StatusLine()
    let result = try run.run(saving: writer) { done, estimate in
      status.show("window \(done) of \(windows.count), PPL \(FixedPoint.text(estimate.value, 4))")
    }
    status.clear()
    try writer?.commit()
    try report(text: result.text, json: result.json)
  }

  private func compare(
    _ checkpoint: (any Checkpoint)?, _ tokenizer: Tokenizer, with base: LogitsBaseFile
  ) throws {
    let opened = try open(checkpoint, contextLength: base.windowLength)
    let count = min(base.windowCount, chunks ?? base.windowCount)
    let status = StatusLine()
    let result = try QualityComparison.run(
      opened, base: base, bosID: try EvaluationWindows.beginning(tokenizer), limit: chunks
    ) { done, divergence in
      status.show("window \(done) of \(count), mean KL \(FixedPoint.text(divergence, 6))")
    }
    status.clear()
    try report(text: result.text, json: result.json)
  }

  private func open(
    _ checkpoint: (any Checkpoint)?, contextLength: Int
  ) throws -> any LanguageModel {
    let options = try engine.options(contextLength: contextLength, keys: model.keys)
    guard let checkpoint else { return try openModel(model.model, options: options) }
    var engineOptions = try options.engineOptions(for: checkpoint)
    engineOptions.logitRows = Self.logitRows
    return try CPUModel(checkpoint, options: engineOptions)
  }

  private func report(text: String, json value: JSONValue) throws {
    var output = Output()
    try output.write(json ? value.indented + "\n" : text)
    try output.flush()
  }
}
