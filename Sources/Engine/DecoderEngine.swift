internal import CKernels
public import Checkpoints
public import Graph
public import IngotCore
internal import Quantization

/// Runs a decoder's graph on the processor: any number of sequences, prompts and single tokens mixed, in one
/// ragged forward over a paged cache.
///
/// Logits depend on a sequence's tokens alone: they are the same bit for bit whatever the number of threads, the
/// length of the pieces a prompt is fed in, and the sequences that share a forward.
public final class DecoderEngine: @unchecked Sendable {
  /// Sizes an engine is built for.
  public struct Options: Sendable {
    /// Threads and instruction set.
    public var engine = EngineOptions()
    /// Element type of the cache.
    public var kvType = KVType.f16
    /// Most tokens of one sequence.
    public var contextLength: Int
    /// Sequences of full length the cache has room for; shorter ones may be more.
    public var sequences = 1
    /// Most tokens of one forward; longer work is cut into pieces of this.
    public var chunkTokens = 512
    /// Most rows of logits of one forward.
    public var logitRows = 16
    /// Whether quantised weights are unpacked to 32-bit floats: slow and large, but activations are not rounded to
    /// 8 bits. For references.
    public var dequantizesWeights = false
    /// What rotary tables that depend on the length are chosen by, whatever sequences plan: compiled files that share
    /// prefixes fix it. Nil: each sequence's own planned length.
    public var fixedPlannedLength: Int?
    /// A folder in which packed weights are kept, so that the next start maps them: nil packs them every time.
    public var packedFolder: String?
    /// Keeps the values between layers, so that `forward` can show them; costs their memory.
    public var observesLayers = false

    /// Options for a context length.
    public init(contextLength: Int) { self.contextLength = contextLength }

    /// Slots of the cache are 32-bit numbers.
    static let mostTokens = 1 << 30

    func planned(_ length: Int) -> Int { fixedPlannedLength ?? min(length, contextLength) }

    func validate() throws(IngotError) {
      let (tokens, overflow) = contextLength.multipliedReportingOverflow(by: sequences)
      guard contextLength > 0, sequences > 0, !overflow, tokens <= Self.mostTokens,
        sequences <= Self.mostTokens / KVCache.pageTokens
      else {
        throw IngotError(
          .argument,
          "\(sequences) sequences of \(contextLength) tokens; together they must have from 1 to \(Self.mostTokens)"
        )
      }
    }
  }

  /// Bytes in memory of our own; weights kept in `packedFolder` are mapped.
  public struct Memory: Sendable {
    /// Packed weights, norms and rotary tables.
    public var weights: Int
    /// The key/value cache when full.
    public var cache: Int
    /// Activations and scratch.
    public var workspace: Int
    /// The steps of the plan.
    public var instructions = 0
    /// All of it.
    public var total: Int { weights + cache + workspace + instructions }
  }

  /// What the engine was built for.
  public let options: Options
  /// Width of a row of logits.
  public let vocabSize: Int
  let plan: Plan
  let symbols: SymbolTable
  let runtime: Runtime
  let cache: KVCache
  private let inputs: DecoderInputs
  /// Held while a forward runs and while sequences take or give back pages.
  let lock = Locked(())

  /// Packs the weights and plans the memory of a graph as `ModelRegistry.graph(for:)` makes it.
  /// - Throws: errors of the checkpoint's tensors, `.argument` for options out of range, `.unsupported`;
  ///   `.memory`, also for a cache that the machine could never fill.
  public convenience init(
    _ graph: Graph, _ checkpoint: any Checkpoint, options: Options
  ) throws(IngotError) {
    try self.init(graph, checkpoint, options: options, readsWeights: true)
  }

  /// - Parameter readsWeights: false for an engine that knows its sizes but cannot run.
  init(
    _ graph: Graph, _ checkpoint: any Checkpoint, options: Options, readsWeights: Bool
  ) throws(IngotError) {
    try options.validate()
    let packer = try WeightPacker(
      checkpoint, sizesOnly: !readsWeights, dequantizes: options.dequantizesWeights,
      packedFolder: options.packedFolder)
    // Before memory is planned for sizes that only the configuration claims.
    for parameter in graph.parameters { _ = try packer.tensors(of: parameter) }
    // Marked before operators are fused, so that the values stay.
    let marked = options.observesLayers ? try graph.markingHiddenStates() : graph
    let fused = try Self.fused(marked, for: checkpoint)
    var options = options
    options.chunkTokens = max(1, min(options.chunkTokens, options.contextLength * options.sequences))
    options.logitRows = max(1, min(options.logitRows, options.chunkTokens))
    self.options = options
    let blocks = (options.contextLength + KVCache.pageTokens - 1) / KVCache.pageTokens
    cache = try KVCache(
      layers: fused.cacheLayers, type: options.kvType, pageCount: blocks * options.sequences)
    if readsWeights { try cache.checkFits() }
    let config = checkpoint.config
    runtime = Runtime(
      options: options.engine, kvType: options.kvType,
      rotary: RotaryTables(
        maximumPositions: options.contextLength, sources: config.rotarySources), cache: cache)
    symbols = try SymbolTable(fused)
    let batch = min(options.chunkTokens, max(options.sequences, 1) * 64)
    plan = try Lowering.plan(
      fused,
      maxima: ["tokens": options.chunkTokens, "rows": options.logitRows, "batch": batch, "blocks": blocks],
      runtime: runtime, weights: packer)
    vocabSize = config.vocabSize
    inputs = try DecoderInputs(plan, tokens: options.chunkTokens, sequences: batch, blocks: blocks)
  }

  /// Memory the engine holds or will hold.
  public var memory: Memory {
    Memory(
      weights: plan.weightBytes + runtime.rotary.byteCount, cache: cache.byteCount,
      workspace: plan.workspaceBytes, instructions: plan.steps.count * MemoryLayout<Step>.stride)
  }

  /// Begins an empty sequence.
  /// - Parameter plannedLength: the most tokens it is meant to have. Rotary tables that depend on the length
  ///   (dynamic, longrope) are chosen by it, once.
  /// - Throws: `.limit`, `.memory`.
  public func makeSequence(plannedLength: Int) throws(IngotError) -> PagedSequence {
    try lock.withLock { (_) throws(IngotError) in
      let table = try runtime.rotary.acquire(plannedLength: options.planned(plannedLength))
      return PagedSequence(cache: cache, rotary: runtime.rotary, tableIndex: table, lock: lock)
    }
  }

  /// Appends tokens to sequences and computes the logits asked for.
  /// - Parameters:
  ///   - items: which tokens go to which sequence; a sequence occurs once.
  ///   - onLogits: called in order with the item, the position within its tokens and a row `[vocab]` of
  ///     logits, valid during the call. It must not use the engine or its sequences: the engine is locked.
  /// - Throws: `.argument` for ids outside the vocabulary and sequences given twice or of another engine, `.limit` beyond the context or the cache; then no
  ///   sequence has changed.
  public func forward(
    _ items: [ForwardItem],
    onLogits: (_ item: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    try forward(items, observing: [], onRows: { _, _, _, _ in }, onLogits: onLogits)
  }

  /// Appends tokens, computes logits, and shows values between layers.
  /// - Parameters:
  ///   - names: of `observations`.
  ///   - onRows: called, before the logits of the same tokens, with the item, the position within its tokens of
  ///     the first row, the name, and rows `[tokens, hidden]` end to end, valid during the call. Long items come
  ///     in pieces.
  /// - Throws: `.argument` for an unknown name; else as above.
  public func forward(
    _ items: [ForwardItem], observing names: Set<String>,
    onRows: (_ item: Int, _ position: Int, _ name: String, _ rows: UnsafeBufferPointer<Float>) -> Void,
    onLogits: (_ item: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    if let name = names.subtracting(observations).sorted().first { throw unknown(name) }
    try lock.withLock { (_) throws(IngotError) in
      try check(items)
      var work = ForwardQueue(items)
      runtime.context.pool.map { ingot_pool_wake($0) }
      while let pieces = nextPieces(&work) {
        try run(pieces, items)
        if !names.isEmpty { show(pieces, names, onRows) }
        showLogits(pieces, onLogits)
      }
    }
  }

  /// What of the work fits the plan at once.
  func nextPieces(_ work: inout ForwardQueue) -> [ForwardQueue.Piece]? {
    work.next(tokens: options.chunkTokens, rows: options.logitRows, sequences: inputs.sequences)
  }

  private func check(_ items: [ForwardItem]) throws(IngotError) {
    var pages = 0
    var seen: Set<ObjectIdentifier> = []
    for item in items {
      guard item.sequence.cache === cache else {
        throw IngotError(.argument, "the sequence belongs to another engine")
      }
      guard seen.insert(ObjectIdentifier(item.sequence)).inserted else {
        throw IngotError(.argument, "a sequence occurs twice in one forward")
      }
      for id in item.tokens where id < 0 || id >= vocabSize {
        throw IngotError(.argument, "token id \(id) is outside the vocabulary of \(vocabSize)")
      }
      let total = item.sequence.count + item.tokens.count
      guard total <= options.contextLength else {
        throw IngotError(
          .limit, "\(total) tokens do not fit in the context of \(options.contextLength)",
          hint: "use a larger context (-c) or a shorter prompt")
      }
      pages += item.sequence.pagesNeeded(for: item.tokens.count)
    }
    guard pages <= cache.pages.freeCount else { throw cacheIsFull(pages: pages) }
  }

  private func run(_ pieces: [ForwardQueue.Piece], _ items: [ForwardItem]) throws(IngotError) {
    for piece in pieces {
      let sequence = items[piece.item].sequence
      try sequence.extend(by: piece.range.count)
      runtime.rotary.cover(sequence.count)
    }
    let filled = inputs.fill(pieces, items, batch: runtime.batch)
    let sizes = try symbols.sizes([
      "tokens": filled.tokens, "rows": filled.rows, "batch": pieces.count, "blocks": filled.blocks,
    ])
    plan.run(sizes, runtime, tableOf: UnsafePointer(inputs.tableOf))
  }

  private func showLogits(
    _ pieces: [ForwardQueue.Piece], _ onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) {
    let logits = plan.outputs[0].address.assumingMemoryBound(to: Float.self)
    var row = 0
    for piece in pieces {
      for position in piece.logitPositions {
        onLogits(piece.item, position, UnsafeBufferPointer(start: logits + row * vocabSize, count: vocabSize))
        row += 1
      }
    }
  }
}

/// New tokens of one sequence.
public struct ForwardItem: Sendable {
  /// Which of the tokens' logits are wanted.
  public enum LogitRows: Sendable {
    case none, last, all
  }
  /// The sequence they go to.
  public var sequence: PagedSequence
  /// Their ids.
  public var tokens: [Int]
  /// Which logits are wanted.
  public var logits: LogitRows

  /// Pairs tokens with their sequence.
  public init(_ sequence: PagedSequence, _ tokens: [Int], logits: LogitRows = .last) {
    (self.sequence, self.tokens, self.logits) = (sequence, tokens, logits)
  }
}

extension Graph {
  /// The cache of each layer, from the attention nodes.
  var cacheLayers: [KVCache.Layer] {
    var layers: [Int: KVCache.Layer] = [:]
    for node in nodes {
      guard case .attention(let attention) = node.op, case .paged(let layer) = attention.cache else {
        continue
      }
      let key = type(of: node.inputs[1])
      layers[layer] = KVCache.Layer(kvHeads: key.dims[1].value ?? 0, headDim: key.dims[2].value ?? 0)
    }
    return (0..<(layers.keys.max() ?? -1) + 1).map { layers[$0] ?? KVCache.Layer(kvHeads: 0, headDim: 0) }
  }
}

extension DecoderConfig {
  /// The angles of each rotary table for a planned length.
  var rotarySources: [String: RotaryTables.Source] {
    var sources: [String: RotaryTables.Source] = [:]
    for layer in 0..<layerCount {
      sources[ropeTable(layer: layer).rawValue] = .init(
        parameters: rope(layer: layer), headDim: headDim, maxPositions: maxPositions)
    }
    return sources
  }
}
