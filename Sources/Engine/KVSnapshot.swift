internal import CKernels
public import IngotCore

/// The rows of a sequence as a cache holds them, bit for bit: to keep in a file, or to go on in another engine.
///
/// A view: `storage` keeps the bytes alive.
public struct KVSnapshot: @unchecked Sendable {
  /// What the bytes mean.
  public let layout: CacheLayout
  /// Tokens whose rows it has, from position 0.
  public let tokens: Int
  /// The pages in order, each with all its layers; rows behind the last token are zero.
  public let bytes: UnsafeRawBufferPointer
  private let storage: AnyObject

  /// Views bytes that `storage` keeps alive.
  /// - Throws: `.shape` when their number is not that of the tokens' pages.
  public init(
    layout: CacheLayout, tokens: Int, bytes: UnsafeRawBufferPointer, storage: AnyObject
  ) throws(IngotError) {
    guard let wanted = Self.byteCount(layout, tokens: tokens), bytes.count == wanted else {
      throw IngotError(
        .shape, "the cache of \(tokens) tokens is not \(bytes.count) bytes, in pages of \(layout.pageBytes)")
    }
    (self.layout, self.tokens, self.bytes, self.storage) = (layout, tokens, bytes, storage)
  }

  /// Bytes of the pages of so many tokens; nil for a number that no memory holds.
  public static func byteCount(_ layout: CacheLayout, tokens: Int) -> Int? {
    guard tokens >= 0, tokens <= DecoderEngine.Options.mostTokens else { return nil }
    let (count, overflow) = layout.pageCount(tokens: tokens).multipliedReportingOverflow(by: layout.pageBytes)
    return overflow ? nil : count
  }
}

extension DecoderEngine {
  /// What the cache's bytes mean for sequences of a planned length.
  /// - Throws: `.config` for angles that are no numbers.
  public func layout(plannedLength: Int) throws(IngotError) -> CacheLayout {
    try lock.withLock { (_) throws(IngotError) in
      layout(angles: try runtime.rotary.digest(plannedLength: options.planned(plannedLength)))
    }
  }

  /// What the bytes of a sequence mean.
  /// - Throws: `.argument` for one of another engine.
  public func layout(of sequence: PagedSequence) throws(IngotError) -> CacheLayout {
    try checkOwn(sequence)
    return lock.withLock { _ in layout(angles: runtime.rotary.digest(sequence.tableIndex)) }
  }

  /// Copies the rows of a sequence.
  /// - Parameter tokens: how many, from position 0; nil for all.
  /// - Throws: `.argument` for a sequence of another engine or more tokens than it has; `.memory`.
  public func snapshot(of sequence: PagedSequence, tokens: Int? = nil) throws(IngotError) -> KVSnapshot {
    try checkOwn(sequence)
    let count = tokens ?? sequence.count
    guard count >= 0, count <= sequence.count else {
      throw IngotError(.argument, "a snapshot of \(count) tokens of a sequence that has \(sequence.count)")
    }
    let layout = try layout(of: sequence)
    let buffer = try AlignedBuffer(byteCount: layout.pageCount(tokens: count) * layout.pageBytes)
    lock.withLock { _ in
      var target = buffer.base
      for (index, page) in sequence.blocks.prefix(layout.pageCount(tokens: count)).enumerated() {
        let rows = min(KVCache.pageTokens, count - index * KVCache.pageTokens)
        for layer in cache.layers.indices {
          let bytes = cache.bytes(page: page, layer: layer)
          target.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
          // What other texts have left there is nobody's business.
          if rows < KVCache.pageTokens { clearRows(rows..<KVCache.pageTokens, layer: layer, page: target) }
          target += bytes.count
        }
      }
    }
    return try KVSnapshot(
      layout: layout, tokens: count, bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }

  /// Begins a sequence with rows that an engine of the same weights has computed; whether the weights are the same is
  /// for the caller to know.
  /// - Parameter plannedLength: as `makeSequence`; it must lead to the rotary tables of the snapshot.
  /// - Throws: `.argument` for another layout, `.limit` beyond the context or the cache, `.memory`.
  public func restore(_ snapshot: KVSnapshot, plannedLength: Int) throws(IngotError) -> PagedSequence {
    if let mismatch = snapshot.layout.mismatch(wanted: try layout(plannedLength: plannedLength)) {
      throw IngotError(.argument, "the saved cache does not fit: \(mismatch)")
    }
    guard snapshot.tokens <= options.contextLength else {
      throw IngotError(
        .limit, "\(snapshot.tokens) saved tokens do not fit in the context of \(options.contextLength)",
        hint: "use a larger context (-c)")
    }
    let sequence = try makeSequence(plannedLength: plannedLength)
    try lock.withLock { (_) throws(IngotError) in
      let pages = snapshot.layout.pageCount(tokens: snapshot.tokens)
      guard pages <= cache.pages.freeCount else { throw cacheIsFull(pages: pages) }
      try sequence.extend(by: snapshot.tokens)
      guard var source = snapshot.bytes.baseAddress else { return }
      for page in sequence.blocks {
        for layer in cache.layers.indices {
          let target = cache.bytes(page: page, layer: layer)
          target.copyMemory(from: UnsafeRawBufferPointer(start: source, count: target.count))
          source += target.count
        }
      }
    }
    return sequence
  }

  private func layout(angles: String) -> CacheLayout {
    CacheLayout(
      kvType: cache.type,
      layers: cache.layers.map { CacheLayout.Layer(kvHeads: $0.kvHeads, headDim: $0.headDim) },
      pageTokens: KVCache.pageTokens, roundsActivations: !options.dequantizesWeights, angles: angles)
  }

  private func checkOwn(_ sequence: PagedSequence) throws(IngotError) {
    guard sequence.cache === cache else {
      throw IngotError(.argument, "the sequence belongs to another engine")
    }
  }

  /// Sets rows of one page of a layer to zero.
  private func clearRows(_ rows: Range<Int>, layer: Int, page: UnsafeMutableRawPointer) {
    let (heads, width) = (cache.layers[layer].kvHeads, cache.layers[layer].headDim)
    let zeros = [Float](repeating: 0, count: heads * width)
    let slots = rows.map { Int32($0) }
    zeros.withUnsafeBufferPointer { zeros in
      slots.withUnsafeBufferPointer { slots in
        // A stride of 0: every token is the same.
        var arguments = ingot_cache_arguments(
          tokens: Int64(rows.count), kv_heads: Int64(heads), head_dim: Int64(width),
          type: cache.type.kernelType, slots: slots.baseAddress, k: zeros.baseAddress, k_stride: 0,
          v: zeros.baseAddress, v_stride: 0, pages: page)
        withUnsafePointer(to: &runtime.context) { ingot_cache_write($0, &arguments) }
      }
    }
  }
}

/// The pool of pages, for those who keep sequences for later and can give them up.
extension DecoderEngine {
  /// Pages of the cache in all.
  package var pageCount: Int { cache.pageCount }
  /// Pages that nobody holds.
  package var freePages: Int { lock.withLock { _ in cache.pages.freeCount } }
  /// Tokens of a page.
  package static var pageTokens: Int { KVCache.pageTokens }

  /// Pages that a forward of these items lacks; 0 when it can run, or cannot for other reasons.
  package func missingPages(for items: [ForwardItem]) -> Int {
    lock.withLock { _ in
      let pages = items.reduce(0) { $0 + $1.sequence.pagesNeeded(for: $1.tokens.count) }
      return max(0, pages - cache.pages.freeCount)
    }
  }

  func cacheIsFull(pages: Int) -> IngotError {
    IngotError(
      .limit,
      "the key/value cache is full: \(pages) pages needed, \(cache.pages.freeCount) of \(cache.pageCount) free",
      hint: "use a larger context (-c) or fewer sequences")
  }
}

extension PagedSequence {
  /// The pages of the cache it holds, in order; others may hold them too.
  package var pages: [Int32] { blocks }
}
