public import ArgumentParser
public import Ingot

extension ExportOptions.Preset: ExpressibleByArgument {}
extension ExportOptions.Split: ExpressibleByArgument {}
extension ExportOptions.Cache: ExpressibleByArgument {}
extension ExportOptions.Operators: ExpressibleByArgument {}
extension ExportOptions.ExternalData: ExpressibleByArgument {}
extension ExportOptions.Head: ExpressibleByArgument {}
extension NamingScheme: ExpressibleByArgument {}
extension KVLayout: ExpressibleByArgument {}

/// `ingot export`: a checkpoint as ONNX models.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a model as ONNX: whole or in parts, static or dynamic.",
    discussion: """
      A preset is a choice of --split, --cache and --names, each of which can be given by itself. Weights stream \
      through a few buffers; an export that was interrupted goes on where it stopped. At its end the export is \
      compared with our own engine, if ONNX Runtime is found.
      """)

  /// Element types of weights.
  enum Precision: String, ExpressibleByArgument, CaseIterable { case f32, f16, bf16 }
  /// Integer weights.
  enum Integers: String, ExpressibleByArgument, CaseIterable { case int8, int4 }

  @OptionGroup var model: ModelArgument

  @Option(name: [.customShort("o"), .customLong("output")], help: "The folder to write.")
  var output: String

  @Option(help: "What expects the models.") var preset = ExportOptions.Preset.genai
  @Option(help: "How the decoder is cut; by default the preset's.") var split: ExportOptions.Split?
  @Option(help: "How its cache works; by default the preset's.") var cache: ExportOptions.Cache?
  @Option(help: "What ports are called; by default the preset's.") var names: NamingScheme?
  @Option(help: "Export only the models of these names (without .onnx), separated by commas.")
  var only: String?

  @Option(help: "Element type of weights; with bf16 operators compute in f32.") var dtype = Precision.f32
  @Option(help: "Quantise linear layers.") var quant: Integers?
  @Option(
    name: .customLong("group-size"), parsing: .unconditional,
    help:
      "Inputs that share a scale: 32, 64 or 128; by default 32, or all for int8 with --ops standard below opset 21."
  )
  var groupSize: Int?
  @Flag(help: "Quantise around zero, without zero points.") var symmetric = false
  @Option(parsing: .unconditional, help: "Version of the standard operators, 13 to 23; by default 17.")
  var opset: Int?
  @Option(help: "Operators: standard, or ONNX Runtime's own.") var ops: ExportOptions.Operators?
  @Option(name: .customLong("external-data"), help: "Which weights lie in files of their own.")
  var externalData = ExportOptions.ExternalData.auto
  @Option(name: .customLong("kv-layout"), help: "Order of the axes of caches; by default the preset's.")
  var kvLayout: KVLayout?
  @Option(
    name: .customLong("max-length"), parsing: .unconditional,
    help: "The length that rotary angles are planned for, where they depend on it.")
  var maxLength: Int?

  @OptionGroup(title: "Fixed shapes and parts") var shapes: ShapeArguments
  @OptionGroup(title: "Part of a larger model") var part: SubmodelArguments

  @Flag(name: .customLong("no-verify"), help: "Do not compare the export with our own engine.")
  var noVerify = false
  @Option(
    name: .customLong("tolerance"), parsing: .unconditional,
    help: "Largest difference of a logit, times max(1, largest logit); by default what the dtype explains.")
  var tolerance: Double?
  @Option(name: .customLong("ort-library"), help: "ONNX Runtime's shared library.")
  var ortLibrary: String?

  @Flag(name: .customLong("dry-run"), help: "Show files, sizes, inputs and outputs; write nothing.")
  var dryRun = false
  @Flag(help: "Print JSON.") var json = false
  @Option(
    name: [.customShort("j"), .customLong("jobs")], parsing: .unconditional,
    help: "Threads that read, convert and write; by default one per processor.")
  var jobs: Int?

  mutating func run() throws {
    let export = try ModelExport(try open(), options: options())
    var printer = Output()
    guard !dryRun else {
      let report = ExportReport(export, folder: output)
      try printer.write(json ? report.json.indented + "\n" : report.text)
      return try printer.flush()
    }
    let jobs = jobs ?? EngineOptions().threads
    guard (1...1024).contains(jobs) else {
      throw IngotError(.argument, "--jobs is \(jobs); it must be from 1 to 1024")
    }
    let bounds = try bounds(for: export)
    // A library that was asked for and is not there is better known before the work.
    if ortLibrary != nil && !noVerify { _ = try OrtRuntime.load(library: ortLibrary) }
    var progress = Progress("exporting", total: export.plan.byteCount)
    let written = try export.write(to: output, jobs: jobs) { progress.update($0) }
    progress.finish()
    let report = ExportReport(export, folder: output)
    let verification = try verify(export)
    try printer.write(
      json
        ? report.json(written, verification, bounds).indented + "\n" : report.summary(written, verification))
    try printer.flush()
    let violations = verification?.check(bounds) ?? []
    guard violations.isEmpty else {
      for violation in violations { standardError("\(violation.place): \(violation.description)\n") }
      let name = try ModelExport.markFailed(output)
      throw IngotError(
        .format, "the export differs from the engine by more than \(export.precision.rawValue) explains",
        at: .init(file: name), hint: "the files are kept under this name; 'ingot verify' shows more")
    }
  }

  /// - Returns: nil where there is nothing to compare, or nothing to compare with.
  private func verify(_ export: ModelExport) throws(IngotError) -> VerificationReport? {
    if noVerify { return nil }
    if let reason = export.reasonNotToVerify {
      standardError("not verified: \(reason)\n")
      return nil
    }
    let runtime: OrtRuntime
    do throws(IngotError) {
      runtime = try OrtRuntime.load(library: ortLibrary)
    } catch {
      if ortLibrary != nil { throw error }
      standardError("not verified: \(error)\n")
      return nil
    }
    var progress: Progress?
    defer { progress?.finish() }
    return try export.verify(output, runtime: runtime, threads: nil) { done, total in
      if progress == nil { progress = Progress("verifying", total: total) }
      progress?.update(done)
    }
  }

  private func bounds(for export: ModelExport) throws(IngotError) -> Tolerance {
    guard let tolerance else { return Tolerance(for: export.precision) }
    guard tolerance >= 0 else {
      throw IngotError(.argument, "--tolerance is \(tolerance); it must be at least 0")
    }
    return Tolerance(maxScaled: tolerance)
  }

  private func open() throws(IngotError) -> any Checkpoint {
    guard let prefix = part.submodel else { return try model.open() }
    let submodel = Submodel(prefix: prefix, configPath: part.config, modelType: part.modelType)
    return try openCheckpoint(
      model.model, submodel: submodel, families: ModelRegistry.standard.modelTypes)
  }

  /// - Throws: `.argument` naming the option.
  private func options() throws(IngotError) -> ExportOptions {
    var options = ExportOptions(preset)
    options.split = split ?? options.split
    options.cache = cache ?? options.cache
    options.names = names ?? options.names
    options.kvLayout = kvLayout ?? options.kvLayout
    options.only = only?.split(separator: ",").map(String.init) ?? []
    options.dtype =
      switch dtype {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
    (options.opset, options.operators, options.externalData) = (opset, ops, externalData)
    options.plannedLength = maxLength
    options.isSubmodel = part.submodel != nil
    if let quant {
      let isPerChannel = quant == .int8 && ops == .standard && groupSize == nil && (opset ?? 17) < 21
      options.quantization = try BlockQuantization(
        bits: quant == .int8 ? 8 : 4, groupSize: isPerChannel ? nil : groupSize ?? 32, isSymmetric: symmetric)
    } else if groupSize != nil || symmetric {
      throw IngotError(
        .argument, "--group-size and --symmetric are for quantised weights", hint: "add --quant")
    }
    shapes.apply(to: &options)
    return options
  }
}

/// Extents of exports with fixed shapes.
struct ShapeArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "staged: blocks that the layers are cut into; by default 4, or one per layer.")
  var blocks: Int?
  @Option(name: .customLong("seq-len"), parsing: .unconditional, help: "staged: tokens of a prefill call.")
  var seqLen: Int?
  @Option(name: .customLong("max-cache-len"), parsing: .unconditional, help: "staged: slots of the cache.")
  var maxCacheLen: Int?
  @Option(
    name: .customLong("decoder-pack-size"), parsing: .unconditional,
    help: "packed: layers of a pack; by default all in one.")
  var decoderPackSize: Int?
  @Option(
    name: .customLong("top-k"), parsing: .unconditional,
    help: "packed: let the head give so many logits and their ids.")
  var topK: Int?
  @Option(
    name: .customLong("share-length"), parsing: .unconditional, help: "device: tokens of the shared prefix.")
  var shareLength: Int?
  @Option(
    name: .customLong("unshare-length"), parsing: .unconditional, help: "device: tokens of what follows it.")
  var unshareLength: Int?
  @Option(name: .customLong("seq-length"), parsing: .unconditional, help: "device: slots of the cache.")
  var seqLength: Int?
  @Option(
    name: .customLong("max-pos-len"), parsing: .unconditional,
    help: "device: rows of the rotary tables in the weights.")
  var maxPosLen: Int?
  @Option(help: "device: what the head gives.") var head: ExportOptions.Head?

  func apply(to options: inout ExportOptions) {
    options.blocks = blocks ?? options.blocks
    options.sequenceLength = seqLen ?? options.sequenceLength
    options.cacheLength = maxCacheLen ?? options.cacheLength
    (options.packSize, options.topK) = (decoderPackSize, topK)
    options.shareLength = shareLength ?? options.shareLength
    options.unshareLength = unshareLength ?? options.unshareLength
    options.totalLength = seqLength ?? options.totalLength
    options.rotaryRows = maxPosLen ?? max(options.rotaryRows, options.totalLength)
    options.head = head ?? options.head
  }
}

/// Which part of a larger model.
struct SubmodelArguments: ParsableArguments {
  @Option(help: "What the tensors' names of the part begin with, as tts.model.") var submodel: String?
  @Option(name: .customLong("submodel-config"), help: "Its object in config.json, as tts_config.")
  var config: String?
  @Option(name: .customLong("model-type"), help: "Its family, as llama.") var modelType: String?
}
