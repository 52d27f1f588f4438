public import Artifact
public import Checkpoints
public import Engine
public import IngotCore
public import Tokenizers

/// A model ready to write: its engine, and its tokenizer if it has one.
public final class TextModel: Sendable {
  /// What a model is opened with.
  public struct Options: Sendable {
    /// Most tokens of one sequence; nil for the model's own length, at most `defaultContextLength`.
    public var contextLength: Int?
    /// Threads, at most one per processor; nil for that many.
    public var threads: Int?
    /// Element type of the cache; nil for that of a compiled file, else f16.
    public var kvType: KVType?
    /// A folder in which packed weights are kept, so that the next start maps them; nil for none.
    public var packedFolder: String?
    /// Most tokens of a prompt that are computed together; nil for the engine's own number.
    public var chunkTokens: Int?
    /// Keeps the values between layers, so that a dump can show them; costs their memory.
    public var observesLayers = false
    /// Sequences of full length the cache has room for.
    public var sequences = 1
    /// Most tokens that a drafter will guess at once; a forward has memory for the logits of one more.
    public var draftTokens = 0
    /// Asked for the key of an encrypted file.
    public var keys: any KeyProvider = DefaultKeys()
    /// Who must have signed an `.ingot` file, which is then checked whole; nil for anybody.
    public var verifyKey: VerifyKey?
    /// ONNX Runtime's library, for exports in ONNX; nil to look for it.
    public var ortLibrary: String?

    /// The defaults.
    public init() {}
  }

  /// The longest context nobody asked for: a cache for all that a model can do may take many gigabytes.
  public static let defaultContextLength = 4096
  /// The longest context that can be asked for.
  public static let maximumContextLength = 1 << 22
  /// The most threads that can be asked for.
  public static let maximumThreads = 1024

  /// The path it was opened by.
  public let path: String
  /// What a compiled file says of its stages; nil for other models.
  public let manifest: ArtifactManifest?
  /// Engine, tokenizer and the tokens that end a text.
  public let generator: Generator
  /// Why there is no tokenizer.
  private let tokenizerError: IngotError?
  private let thread = Locked<EngineThread?>(nil)

  /// Opens a checkpoint and packs its weights, or loads an export in ONNX. A missing tokenizer shows when it is
  /// needed.
  /// - Throws: errors of the files; `.argument` for options out of range; `.memory`.
  public convenience init(_ path: String, options: Options = Options()) throws(IngotError) {
    if isONNXExport(path) {
      let model = try openModel(path, options: options)
      self.init(path, model) { () throws(IngotError) in try openTokenizer(path) }
    } else {
      try self.init(openWeights(path, keys: options.keys, verifyKey: options.verifyKey), options: options)
    }
  }

  /// Packs the weights of a checkpoint; see above.
  /// - Throws: as above.
  public convenience init(_ checkpoint: any Checkpoint, options: Options = Options()) throws(IngotError) {
    let model = try CPUModel(checkpoint, options: try options.engineOptions(for: checkpoint))
    self.init(checkpoint.path, model, manifest: (checkpoint as? ArtifactCheckpoint)?.manifest) {
      () throws(IngotError) in try openTokenizer(of: checkpoint)
    }
  }

  private init(
    _ path: String, _ model: any LanguageModel, manifest: ArtifactManifest? = nil,
    tokenizer open: () throws(IngotError) -> Tokenizer
  ) {
    (self.path, self.manifest) = (path, manifest)
    var tokenizer: Tokenizer?
    var failure: IngotError?
    do throws(IngotError) { tokenizer = try open() } catch { failure = error }
    generator = Generator(model, tokenizer: tokenizer)
    tokenizerError = failure
  }

  /// Pairs a model of any back end with its tokenizer.
  public convenience init(_ model: any LanguageModel, tokenizer: Tokenizer?, path: String = "") {
    self.init(model, tokenizer: tokenizer, path: path, manifest: nil)
  }

  /// The same, with what a compiled file would say of its stages.
  package init(
    _ model: any LanguageModel, tokenizer: Tokenizer?, path: String = "", manifest: ArtifactManifest?
  ) {
    (self.path, self.manifest, tokenizerError) = (path, manifest, nil)
    generator = Generator(model, tokenizer: tokenizer)
  }

  /// The tokenizer.
  /// - Throws: why there is none.
  public func tokenizer() throws(IngotError) -> Tokenizer {
    if let tokenizer = generator.tokenizer { return tokenizer }
    throw tokenizerError ?? IngotError(.io, "the model has no tokenizer", at: .init(file: path))
  }

  /// Most tokens of one sequence.
  public var contextLength: Int { generator.model.contextLength }

  /// The thread that streams of this model run on, started on first need.
  /// - Throws: `.memory`.
  public func engineThread() throws(IngotError) -> EngineThread {
    try thread.withLock { (thread) throws(IngotError) in
      if let thread { return thread }
      let started = try EngineThread()
      thread = started
      return started
    }
  }
}

extension TextModel.Options {
  /// The engine's options for a model.
  /// - Throws: `.argument` for numbers out of range.
  public func engineOptions(for checkpoint: any Checkpoint) throws(IngotError) -> DecoderEngine.Options {
    let compiled = (checkpoint as? ArtifactCheckpoint)?.manifest
    let context =
      try compiled.map { (manifest) throws(IngotError) in
        try length(in: manifest, path: checkpoint.path)
      } ?? contextLength ?? min(checkpoint.config.maxPositions, TextModel.defaultContextLength)
    try check()
    try check("context length", context, 1...TextModel.maximumContextLength)
    var options = DecoderEngine.Options(contextLength: context)
    // More threads than processors take turns, and each turn lost is waited for at every step.
    options.engine = EngineOptions(threads: threads.map { min($0, Machine.current.threads) })
    options.kvType = try cacheType(compiled, path: checkpoint.path)
    options.observesLayers = observesLayers
    options.sequences = sequences
    options.packedFolder = packedFolder
    options.fixedPlannedLength = compiled?.maxPositions
    options.chunkTokens = chunkTokens ?? compiled?.prefillChunk ?? options.chunkTokens
    options.logitRows = max(options.logitRows, min(draftTokens, DraftOptions.longest) + 1)
    return options
  }

  private func cacheType(_ compiled: ArtifactManifest?, path: String) throws(IngotError) -> KVType {
    if let kvType { return kvType }
    guard let compiled else { return .f16 }
    if let type = KVType(named: compiled.kvType) { return type }
    throw IngotError(
      .format, "the file is compiled for a cache of \(compiled.kvType), which is not known",
      at: .init(file: path, key: "kv_type"), hint: "give another with --kv-type")
  }

  /// The context of a compiled file: of the smallest set of stages that holds what was asked for, else the longest.
  private func length(in manifest: ArtifactManifest, path: String) throws(IngotError) -> Int {
    guard let contextLength else { return manifest.longest.total }
    guard let set = StageSet.smallest(of: manifest.sets, share: 0, total: contextLength) else {
      throw IngotError(
        .limit,
        "a context of \(contextLength) tokens was asked for, and the file is compiled for at most \(manifest.longest.total)",
        at: .init(file: path), hint: "compile it again with --max-context \(contextLength)")
    }
    return manifest.isDynamic ? contextLength : set.total
  }

  /// - Throws: `.argument` for numbers out of range.
  func check() throws(IngotError) {
    if let contextLength { try check("context length", contextLength, 1...TextModel.maximumContextLength) }
    if let threads { try check("number of threads", threads, 1...TextModel.maximumThreads) }
    if let chunkTokens { try check("number of tokens computed together", chunkTokens, 1...65_536) }
  }

  private func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(IngotError) {
    guard range.contains(value) else {
      throw IngotError(
        .argument, "the \(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
