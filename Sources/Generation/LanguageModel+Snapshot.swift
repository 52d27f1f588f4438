public import Engine
public import IngotCore

/// A model whose sequences can be taken out of its cache and put back, bit for bit: into files, and into other models
/// of the same weights. Back ends that cannot do this do not conform.
public protocol SnapshottingModel: LanguageModel {
  /// What the weights are. May have to read all of them, once.
  /// - Throws: errors of the files.
  func identity() throws(IngotError) -> ModelIdentity

  /// What the cache's bytes mean for sequences of a planned length.
  /// - Throws: `.config`.
  func layout(plannedLength: Int) throws(IngotError) -> CacheLayout

  /// What the bytes of a sequence mean.
  /// - Throws: `.argument` for one of another model.
  func layout(of sequence: any ModelSequence) throws(IngotError) -> CacheLayout

  /// Copies the first rows of a sequence.
  /// - Throws: `.argument` for a sequence of another model or more tokens than it has; `.memory`.
  func snapshot(of sequence: any ModelSequence, tokens: Int) throws(IngotError) -> KVSnapshot

  /// Begins a sequence with rows that a model of the same identity has computed.
  /// - Throws: `.argument` for another layout, `.limit` beyond the context or the cache, `.memory`.
  func restore(_ snapshot: KVSnapshot, plannedLength: Int) throws(IngotError) -> any ModelSequence
}

extension CPUModel: SnapshottingModel {
  /// A digest of configuration and weights, unless it was given; see `SnapshottingModel`.
  public func identity() throws(IngotError) -> ModelIdentity {
    try knownIdentity.withLock { (known) throws(IngotError) in
      if let known { return known }
      let identity = try ModelIdentity(of: checkpoint)
      known = identity
      return identity
    }
  }

  /// See `SnapshottingModel`.
  public func layout(plannedLength: Int) throws(IngotError) -> CacheLayout {
    try engine.layout(plannedLength: plannedLength)
  }

  /// See `SnapshottingModel`.
  public func layout(of sequence: any ModelSequence) throws(IngotError) -> CacheLayout {
    try engine.layout(of: own(sequence).paged)
  }

  /// See `SnapshottingModel`.
  public func snapshot(of sequence: any ModelSequence, tokens: Int) throws(IngotError) -> KVSnapshot {
    try engine.snapshot(of: own(sequence).paged, tokens: tokens)
  }

  /// See `SnapshottingModel`.
  public func restore(_ snapshot: KVSnapshot, plannedLength: Int) throws(IngotError) -> any ModelSequence {
    makeRoom(pages: snapshot.layout.pageCount(tokens: snapshot.tokens))
    return CPUSequence(try engine.restore(snapshot, plannedLength: plannedLength))
  }

  private func own(_ sequence: any ModelSequence) throws(IngotError) -> CPUSequence {
    guard let sequence = sequence as? CPUSequence else {
      throw IngotError(.argument, "the sequence belongs to another model")
    }
    return sequence
  }
}

/// Keeps sequences that may be of use later, and gives them up when their pages are needed.
package protocol PageKeeper: AnyObject, Sendable {
  /// Gives up the sequence least likely to be of use.
  /// - Returns: false when it has none.
  func giveUpOne() -> Bool
}

/// A model whose sequences hold pages of one pool.
package protocol PagedModel: LanguageModel {
  /// Asks `keeper`, which is not kept alive, for pages before a forward fails for lack of them.
  func addPageKeeper(_ keeper: any PageKeeper)
  /// The pages a sequence holds.
  func pages(of sequence: any ModelSequence) -> [Int32]
}

extension CPUModel: PagedModel {
  package func addPageKeeper(_ keeper: any PageKeeper) {
    pageKeepers.withLock { keepers in
      keepers.removeAll { $0.keeper == nil }
      keepers.append(WeakKeeper(keeper))
    }
  }

  package func pages(of sequence: any ModelSequence) -> [Int32] {
    (sequence as? CPUSequence)?.paged.pages ?? []
  }

  /// Has others give up pages until a forward finds all it needs.
  func makeRoom(for items: [ForwardItem]) {
    askKeepers { engine.missingPages(for: items) > 0 }
  }

  private func makeRoom(pages: Int) { askKeepers { engine.freePages < pages } }

  private func askKeepers(while isShort: () -> Bool) {
    for keeper in pageKeepers.withLock({ $0 }).compactMap(\.keeper) {
      while isShort(), keeper.giveUpOne() {}
    }
  }
}

/// A reference that keeps nobody alive.
struct WeakKeeper: Sendable {
  weak let keeper: (any PageKeeper)?
  init(_ keeper: any PageKeeper) { self.keeper = keeper }
}
