import ArgumentParser
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `ingot compile`: one file with everything a model needs to run.
struct CompileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile",
    abstract: "Quantises a model and packs it, with its tokenizer, into one .ingot file.",
    discussion: """
      The file starts by mapping and holds any number of stage sets over one block of weights: a shared prefix, \
      questions after it, and decoding. Its quality is measured against the source before it gets its name. Compiling an \
      .ingot file again changes lengths and keeps the weights as they are.
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "The new file; by default {model}_{mode}_share{S}_unshare{U}_seq{N}.ingot in this folder.")
  var output: String?

  @OptionGroup(title: "Weights") var weights: RecipeArguments
  @OptionGroup(title: "Scales") var awq: AWQArguments
  @OptionGroup(title: "Stages") var lengths: LengthArguments
  @OptionGroup(title: "Quality") var gate: GateArguments

  @OptionGroup(title: "Encryption") var encryption: EncryptionArguments

  @Option(name: .customLong("sign-with"), help: "Sign with a key that 'ingot keygen --signing' made.")
  var signingKeyFile: String?

  @Option(help: "What the model is called; by default after its file or folder.")
  var name: String?

  @Option(
    name: [.customShort("t"), .customLong("threads")], parsing: .unconditional,
    help: "Threads; by default one per core.")
  var threads: Int?

  @Flag(help: "Print JSON.")
  var json = false

  mutating func run() throws {
    let source = try model.open()
    let recipe = try weights.recipe(isCompiled: source is ArtifactCheckpoint)
    var options = CompileOptions(sets: try lengths.sets(model: source.config))
    options.recipe = recipe
    (options.maxPositions, options.prefillChunk) = (lengths.maxPositions, lengths.prefillChunk)
    (options.isDynamic, options.kvType, options.name) = (lengths.dynamic, lengths.kvType, name)
    options.signer = try signingKeyFile.map { (path) throws(IngotError) in try SigningKey(path: path) }
    options.engine = EngineOptions(threads: threads.map { max(1, min($0, Machine.current.threads)) })
    let artifact = source as? ArtifactCheckpoint
    if let artifact, artifact.artifact.isEncrypted, !encryption.isOn {
      throw IngotError(
        .argument, "the source is encrypted, and the new file would not be", at: .init(file: source.path),
        hint: "give --encrypt-with, --encrypt or --passphrase, or 'ingot decrypt' it first")
    }
    if artifact?.artifact.header.signature != nil, options.signer == nil {
      standardError("note: the new file is not signed; --sign-with FILE signs it\n")
    }
    let gate = try gate.gate()
    let path = try output ?? ModelCompiler(source, options: options).defaultFileName
    guard !ArtifactFile.isSameFile(source.path, path) else {
      throw IngotError(
        .argument, "the output is the model itself", at: .init(file: path), hint: "name another file")
    }
    options.key = try encryption.key(for: path)
    let scaled = try awq.scaled(source, recipe, for: path)
    let compiler = try ModelCompiler(scaled, options: options)
    for note in compiler.notes { standardError("note: \(note)\n") }
    // Weights that are copied were measured when they were made.
    let isCopy = source is ArtifactCheckpoint && recipe == QuantizationRecipe(.keep)
    let result: CompileResult
    var report: QualityReport?
    if let gate, !isCopy || gate.maximumDivergence != nil {
      let checked = try compiler.compile(to: path, gate: gate, against: source, threads: threads)
      (result, report) = (checked.result, checked.report)
    } else {
      result = try compiler.compile(to: path)
    }
    if awq.isOn { _ = unlink(awq.journal(for: path)) }
    var printer = Output()
    try printer.write(
      json
        ? json(result, report).indented + "\n" : text(result, report, try ArtifactSummary(path, options.key)))
    try printer.flush()
  }

  private func json(_ result: CompileResult, _ report: QualityReport?) -> JSONValue {
    var object = JSONObject([
      .init("path", .string(result.path)), .init("weight_sha256", .string(result.weightDigest)),
      .init("weight_bytes", .int(result.weightBytes)),
    ])
    object["quality"] = report?.json
    return .object(object)
  }

  private func text(
    _ result: CompileResult, _ report: QualityReport?, _ summary: ArtifactSummary
  ) -> String {
    var text = "\(result.path)\n" + summary.stageText
    text += "weights \(bytes(result.weightBytes)), sha256 \(result.weightDigest)\n"
    if let report { text += qualityLine(report.json) }
    return text
  }
}
