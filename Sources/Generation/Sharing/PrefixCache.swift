internal import Checkpoints
internal import Engine
public import IngotCore

/// Sequences of one model kept for texts that begin alike, whoever computed them.
///
/// A radix tree over tokens, one for each way of computing them: adapter, element type and shape of the cache, rotary
/// tables. The cache belongs to one model object, whose weights do not change, so a hit is always of the same weights.
/// What is handed out is a fork: pages are shared by reference, and nobody's tokens touch another's.
///
/// Within its budget the least recently used go first; and all of them, one by one, before a forward of the model
/// fails for lack of pages. Safe to use from several threads.
public final class PrefixCache: Sendable {
  /// How much may be kept.
  public enum Budget: Sendable, Hashable {
    /// Pages of 64 tokens, those that several sequences share counted once.
    case pages(Int)
    /// Bytes of such pages.
    case bytes(Int)
  }

  /// What came of the look-ups so far.
  public struct Counts: Sendable, Hashable {
    /// Look-ups, and those that found something.
    public var lookUps = 0, hits = 0
    /// Tokens looked up, and those found.
    public var tokens = 0, hitTokens = 0
    /// Sequences given up.
    public var evictions = 0
  }

  /// The model.
  public let model: any LanguageModel
  /// Most pages that are kept.
  public let pageBudget: Int
  private let state: Locked<State>

  /// An empty cache for a model.
  /// - Throws: `.argument` for a budget below 0; `.config`.
  public init(_ model: any LanguageModel, budget: Budget) throws(IngotError) {
    self.model = model
    switch budget {
    case .pages(let pages): pageBudget = pages
    case .bytes(let bytes): pageBudget = bytes / max(1, try Self.pageBytes(model))
    }
    guard pageBudget >= 0 else {
      throw IngotError(.argument, "a prefix cache of \(pageBudget) pages; it must be at least 0")
    }
    state = Locked(State(pages: PageCounts(model)))
    (model as? any PagedModel)?.addPageKeeper(self)
  }

  /// Bytes of a page of all layers; as 32-bit floats where the model does not tell.
  private static func pageBytes(_ model: any LanguageModel) throws(IngotError) -> Int {
    if let model = model as? any SnapshottingModel {
      return try model.layout(plannedLength: model.contextLength).pageBytes
    }
    let config = model.config
    return 8 * PageCounts.pageTokens * config.layerCount * config.kvHeadCount * config.headDim
  }

  /// Looks for the longest beginning of a text.
  /// - Parameters:
  ///   - adapter: a name for what is added to the weights; empty for nothing.
  ///   - plannedLength: as `LanguageModel.makeSequence`: what was computed for other rotary tables is not found.
  /// - Returns: a sequence of the caller's own with as many of the tokens as are known; nil for none.
  /// - Throws: `.config`.
  public func lookUp(
    _ tokens: [Int], adapter: String = "", plannedLength: Int
  ) throws(IngotError) -> CachedSequence? {
    let key = try key(adapter, plannedLength)
    return state.withLock { $0.lookUp(tokens, key) }
  }

  /// Keeps a fork of a sequence.
  /// - Parameters: as of `lookUp`; the sequence must have been made for that planned length.
  /// - Throws: `.argument` for a sequence of another model or rotary table; `.config`.
  public func insert(
    _ sequence: CachedSequence, adapter: String = "", plannedLength: Int
  ) throws(IngotError) {
    let key = try key(adapter, plannedLength)
    if let model = model as? any SnapshottingModel, case .layout(let layout) = key.form {
      let own = try model.layout(of: sequence.sequence)
      if let mismatch = own.mismatch(wanted: layout) {
        throw IngotError(.argument, "the sequence does not belong here: \(mismatch)")
      }
    }
    guard !sequence.ids.isEmpty, pageBudget > 0 else { return }
    let evicted = state.withLock { state in
      state.insert(sequence, key)
      var evicted: [any ModelSequence] = []
      while state.pages.count > pageBudget, let one = state.evict() { evicted.append(one) }
      return evicted
    }
    withExtendedLifetime(evicted) {}
  }

  /// Forgets everything.
  public func removeAll() { while giveUpOne() {} }

  /// What came of the look-ups so far.
  public var counts: Counts { state.withLock { $0.counts } }
  /// Pages held now.
  public var pageCount: Int { state.withLock { $0.pages.count } }
  /// The texts held now, in no particular order.
  package var texts: [[Int]] {
    state.withLock { $0.trees.values.flatMap { $0.valued.compactMap(\.value?.cache.ids) } }
  }

  private func key(_ adapter: String, _ plannedLength: Int) throws(IngotError) -> Key {
    guard let model = model as? any SnapshottingModel else {
      return Key(adapter: adapter, form: .plannedLength(plannedLength))
    }
    return Key(adapter: adapter, form: .layout(try model.layout(plannedLength: plannedLength)))
  }
}

extension PrefixCache: PageKeeper {
  package func giveUpOne() -> Bool {
    let evicted = state.withLock { $0.evict() }
    return evicted != nil
  }
}

extension PrefixCache {
  /// What besides tokens decides about rows.
  private struct Key: Hashable {
    enum Form: Hashable {
      case layout(CacheLayout)
      /// Where a back end does not tell more.
      case plannedLength(Int)
    }
    var adapter: String
    var form: Form
  }

  private struct Entry {
    let cache: CachedSequence
    let pages: [Int32]
    var lastUse: Int
  }

  private struct State {
    var trees: [Key: RadixTree<Entry>] = [:]
    var pages: PageCounts
    var counts = Counts()
    private var time = 0

    init(pages: PageCounts) { self.pages = pages }

    mutating func lookUp(_ tokens: [Int], _ key: Key) -> CachedSequence? {
      counts.lookUps += 1
      counts.tokens += tokens.count
      guard let (count, node) = trees[key]?.longestPrefix(of: tokens), count > 0,
        let best = node.valued.max(by: { $0.value!.lastUse < $1.value!.lastUse })
      else { return nil }
      counts.hits += 1
      counts.hitTokens += count
      touch(best)
      return best.value?.cache.fork(prefix: count, capacity: nil)
    }

    mutating func insert(_ sequence: CachedSequence, _ key: Key) {
      let tree = trees[key] ?? RadixTree()
      trees[key] = tree
      let ids = sequence.ids
      // A longer text that is known lends its pages: there is one copy of each.
      let (count, below) = tree.longestPrefix(of: ids)
      let source = count == ids.count ? below.valued.first?.value?.cache ?? sequence : sequence
      let node = tree.node(for: ids)
      if node.value == nil {
        let fork = source.fork(prefix: ids.count, capacity: nil)
        node.value = Entry(cache: fork, pages: pages.add(fork.sequence), lastUse: 0)
      }
      touch(node)
    }

    /// Marks a text as used, and those it begins with a little later: they go after it.
    private mutating func touch(_ node: RadixTree<Entry>.Node) {
      for node in node.valuedPath {
        time += 1
        node.value?.lastUse = time
      }
    }

    /// Takes out the text that has not been used for longest.
    /// - Returns: its sequence.
    mutating func evict() -> (any ModelSequence)? {
      var oldest: (key: Key, node: RadixTree<Entry>.Node, entry: Entry)?
      for (key, tree) in trees {
        for node in tree.valued {
          guard let entry = node.value, entry.lastUse < oldest?.entry.lastUse ?? .max else { continue }
          oldest = (key, node, entry)
        }
      }
      guard let oldest else { return nil }
      trees[oldest.key]?.removeValue(of: oldest.node)
      if trees[oldest.key]?.valued.isEmpty ?? false { trees[oldest.key] = nil }
      pages.remove(oldest.entry.pages)
      counts.evictions += 1
      return oldest.entry.cache.sequence
    }
  }
}

/// How many of the sequences kept hold each page.
private struct PageCounts {
  static let pageTokens = DecoderEngine.pageTokens
  private let model: (any PagedModel)?
  private var holders: [Int32: Int] = [:]
  private var next: Int32 = 0

  init(_ model: any LanguageModel) { self.model = model as? any PagedModel }

  /// Different pages.
  var count: Int { holders.count }

  /// Counts a sequence in; where a back end has no pages, it counts as if it shared none.
  /// - Returns: its pages.
  mutating func add(_ sequence: any ModelSequence) -> [Int32] {
    let pages: [Int32]
    if let model {
      pages = model.pages(of: sequence)
    } else {
      let count = Int32((sequence.count + Self.pageTokens - 1) / Self.pageTokens)
      pages = (0..<count).map { next &+ $0 }
      next &+= count
    }
    for page in pages { holders[page, default: 0] += 1 }
    return pages
  }

  mutating func remove(_ pages: [Int32]) {
    for page in pages {
      if let count = holders[page], count > 1 { holders[page] = count - 1 } else { holders[page] = nil }
    }
  }
}
