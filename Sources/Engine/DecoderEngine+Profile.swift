public import IngotCore

/// What an engine tells of its own speed.
extension DecoderEngine {
  /// Takes the times of steps from now on; nil for none.
  public var profiler: Profiler? {
    get { lock.withLock { _ in runtime.profiler } }
    set { lock.withLock { _ in runtime.profiler = newValue } }
  }

  /// New tokens of a sequence, whose cache holds others already.
  public struct PlannedItem: Sendable {
    /// Tokens in the cache.
    public var past: Int
    /// Tokens to append.
    public var new: Int
    /// Whose logits are wanted.
    public var logits: ForwardItem.LogitRows

    /// Plans tokens.
    public init(past: Int, new: Int, logits: ForwardItem.LogitRows = .last) {
      (self.past, self.new, self.logits) = (past, new, logits)
    }
  }

  /// What a `forward` of such lengths would read and compute, counted and not run.
  /// - Throws: `.argument` for lengths that no forward takes.
  public func work(of items: [PlannedItem]) throws(IngotError) -> StepWork {
    var work = StepWork()
    var queue = ForwardQueue(items.map { ($0.new, $0.logits) })
    while let pieces = nextPieces(&queue) {
      let lengths = ForwardLengths(
        pieces.map { .init(new: $0.range.count, total: items[$0.item].past + $0.range.upperBound) })
      let rows = pieces.reduce(0) { $0 + $1.logitPositions.count }
      let blocks = lengths.sequences.map { ($0.total + KVCache.pageTokens - 1) / KVCache.pageTokens }
      let sizes = try symbols.sizes([
        "tokens": lengths.sequences.reduce(0) { $0 + $1.new }, "rows": rows, "batch": pieces.count,
        "blocks": blocks.max() ?? 0,
      ])
      for step in plan.steps { work += step.work(sizes, lengths) }
    }
    return work
  }
}
