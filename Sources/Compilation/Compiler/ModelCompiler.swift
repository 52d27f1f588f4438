internal import Artifact
public import Checkpoints
internal import Engine
internal import Generation
internal import Graph
public import IngotCore
public import Inspection
public import Models
internal import Quantization

/// Makes one `.ingot` file of a checkpoint: weights in the tiles the kernels read, tokenizer, chat template, lengths.
///
///     let compiler = try ModelCompiler(openWeights("Qwen3-0.6B"), options: options)
///     try compiler.compile(to: "qwen3.ingot")
///
/// Weights pass through memory one at a time. Compiling an `.ingot` file again copies its weights as they are.
public struct ModelCompiler: Sendable {
  /// What is compiled: the source with its matrices stored by the recipe.
  public let checkpoint: any Checkpoint
  /// What was decided against the recipe, for people.
  public let notes: [String]
  private let options: CompileOptions
  private let graph: Graph
  private let source: any Checkpoint
  private let registry: ModelRegistry

  /// Plans; nothing is read but headers.
  /// - Throws: `.argument` for options that contradict each other; `.unsupported` for an unknown family; errors of the
  ///   checkpoint's tensors.
  public init(
    _ source: any Checkpoint, options: CompileOptions, registry: ModelRegistry = .standard
  ) throws(IngotError) {
    try options.check()
    (self.source, self.options, self.registry) = (source, options, registry)
    let quantized = try QuantizedCheckpoint(source, options.recipe, registry: registry)
    // Packed weights of an artefact are seen only through itself.
    checkpoint = options.recipe == QuantizationRecipe(.keep) ? source : quantized
    notes = quantized.notes
    graph = try registry.graph(for: source.config)
  }

  /// What the file is called when nobody says: `{model}_{mode}_share{S}_unshare{U}_seq{N}.ingot`.
  public var defaultFileName: String {
    let mode = quantizationName.prefix { $0.isLetter || $0.isNumber }
    let longest = options.sets.max { $0.total < $1.total } ?? options.sets[0]
    return "\(modelName)_\(mode)_\(longest).ingot"
  }

  private var modelName: String {
    if let name = options.name { return name }
    if let artifact = source as? ArtifactCheckpoint { return artifact.manifest.name }
    var last = source.path.split(separator: "/").last.map(String.init) ?? "model"
    if last == "." || last == ".." { last = "model" }
    for suffix in [".gguf", ".ingot"] where last.hasSuffix(suffix) {
      return String(last.dropLast(suffix.count))
    }
    return last
  }

  private var quantizationName: String {
    if options.recipe.mode != .keep || !options.recipe.overrides.isEmpty {
      let overrides = options.recipe.overrides.map { " \($0.pattern)=\($0.mode)" }
      return options.recipe.mode.description + overrides.joined()
    }
    if let artifact = source as? ArtifactCheckpoint { return artifact.manifest.quantization }
    return "keep"
  }

  /// Writes the file, and gives it its name when it is whole.
  /// - Throws: `.io`, for example when the disk is full; errors of tensors. Nothing is left then.
  /// - Returns: what was written.
  @discardableResult
  public func compile(to path: String) throws(IngotError) -> CompileResult {
    let draft = try write(to: path)
    try draft.writer.finish(manifest: draft.manifest.json)
    return draft.result
  }

  /// Writes the file, and gives it its name when its quality has been measured and is good enough.
  ///
  /// What is measured is what was written: the segments are read back from the file that has no name yet. Then the
  /// manifest is written, with the figures, and the file gets its name. Of a plain file no more than a layer is in memory
  /// meanwhile; the weights of an encrypted one are decrypted whole, as whenever it is opened.
  /// - Parameters:
  ///   - original: what it is compared with; nil for the source.
  ///   - threads: of the measurement, at most one per processor; nil for the engine's own number.
  /// - Throws: as `compile(to:)` and `QualityGate.check`. Nothing is left then.
  public func compile(
    to path: String, gate: QualityGate, against original: (any Checkpoint)? = nil, threads: Int? = nil
  ) throws(IngotError) -> (result: CompileResult, report: QualityReport) {
    var draft = try write(to: path)
    let written = try ArtifactCheckpoint(draft.writer.draft(manifest: draft.manifest.json))
    let report = try gate.check(written, source: original ?? source, threads: threads, registry: registry)
    draft.manifest.quality = report.json
    try draft.writer.finish(manifest: draft.manifest.json)
    return (draft.result, report)
  }

  /// A file whose segments are written, and the manifest it is to have.
  private struct Draft {
    let writer: ArtifactWriter
    var manifest: ArtifactManifest
    let result: CompileResult
  }

  private func write(to path: String) throws(IngotError) -> Draft {
    let writer = try ArtifactWriter(path: path, key: options.key, signer: options.signer)
    let (weights, index) = try writeWeights(writer)
    try writer.write(ArtifactCheckpoint.SegmentName.index, Array(index.utf8))
    try writeFiles(writer)
    var manifest = ArtifactManifest(
      sets: options.sets, maxPositions: options.maxPositions ?? options.sets.map(\.total).max() ?? 0,
      prefillChunk: options.prefillChunk, kvType: options.kvType.rawValue, isDynamic: options.isDynamic,
      quantization: quantizationName, name: modelName, modelType: source.config.modelType)
    if let artifact = source as? ArtifactCheckpoint {
      // The same weights, made and measured as they were.
      (manifest.quality, manifest.awq) = (artifact.manifest.quality, artifact.manifest.awq)
    } else if source is AWQCheckpoint {
      manifest.awq = options.recipe.mode.description
    }
    manifest.stages = .array(
      try options.sets.map { (set) throws(IngotError) in
        try StagePlan(set, graph: graph, checkpoint: checkpoint, options: options, weights: weights.byteCount)
          .json
      })
    return Draft(
      writer: writer, manifest: manifest,
      result: CompileResult(path: path, weightDigest: weights.sha256, weightBytes: weights.byteCount))
  }

  private func writeWeights(_ writer: ArtifactWriter) throws(IngotError) -> (ArtifactSegment, index: String) {
    if let artifact = checkpoint as? ArtifactCheckpoint {
      let content = try artifact.artifact.content(of: ArtifactCheckpoint.SegmentName.weights)
      let index = try artifact.artifact.content(of: ArtifactCheckpoint.SegmentName.index)
        .withBytes { String(decoding: $0, as: UTF8.self) }
      let segment = try writer.write(
        ArtifactCheckpoint.SegmentName.weights, byteCount: content.byteCount
      ) { (sink) throws(IngotError) in
        try content.withBytes { (bytes) throws(IngotError) in try sink(bytes) }
      }
      guard segment.sha256 == artifact.weightDigest else {
        throw IngotError(
          .format, "the weights are not what was written: their SHA-256 differs",
          at: .init(file: artifact.path), hint: "fetch or compile the file again")
      }
      return (segment, index)
    }
    let fused = try DecoderEngine.fused(graph, for: checkpoint)
    var index = WeightIndex()
    let uses = fused.weightUses
    let segment = try writer.write(ArtifactCheckpoint.SegmentName.weights) { (sink) throws(IngotError) in
      var output = WeightOutput(checkpoint, options.engine)
      var progress = Progress("compiling weights", total: uses.count)
      for (count, use) in uses.enumerated() {
        try output.write(use.parameter, use.uses, to: sink)
        progress.update(count)
      }
      for name in checkpoint.tensorNames where configurationTensorNames.contains(name) {
        try output.writeRows(try checkpoint.required(name), to: sink)
      }
      progress.finish()
      index = output.index
    }
    return (segment, index.json.description)
  }

  private func writeFiles(_ writer: ArtifactWriter) throws(IngotError) {
    let artifact = source as? ArtifactCheckpoint
    if let metadata = try artifact == nil ? metadataAlone(of: source) : artifact?.metadataSegment() {
      try writer.write(ArtifactCheckpoint.SegmentName.gguf, metadata)
      return
    }
    let files = try source.files()
    guard files.names.contains("config.json") else {
      throw IngotError(.io, "no config.json beside the weights", at: .init(file: files.path))
    }
    for name in tokenizerFiles(in: files) + ["config.json"] {
      let file = try files.file(name)
      try writer.write(
        ArtifactCheckpoint.SegmentName.filePrefix + name, byteCount: file.byteCount
      ) { (sink) throws(IngotError) in
        try withExtendedLifetime(file) { () throws(IngotError) in try sink(file.bytes) }
      }
    }
  }
}

/// What a compilation wrote.
public struct CompileResult: Sendable {
  /// The file.
  public let path: String
  /// SHA-256 of its weights.
  public let weightDigest: String
  /// Bytes of its weights.
  public let weightBytes: Int
}
