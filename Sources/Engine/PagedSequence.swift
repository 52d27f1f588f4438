internal import CKernels
internal import IngotCore

/// A sequence in the cache of an engine: its pages, in order, and how many tokens they hold.
///
/// Pages go back to the engine when the sequence is released. Not to be used from two threads at once.
public final class PagedSequence: @unchecked Sendable {
  /// Tokens in the cache.
  public private(set) var count = 0
  let cache: KVCache
  private(set) var blocks: [Int32] = []
  /// Which rotary tables the sequence reads, fixed when it began.
  let tableIndex: Int
  private let rotary: RotaryTables
  private let lock: Locked<Void>

  init(cache: KVCache, rotary: RotaryTables, tableIndex: Int, lock: Locked<Void>) {
    (self.cache, self.rotary, self.tableIndex, self.lock) = (cache, rotary, tableIndex, lock)
  }

  deinit {
    lock.withLock { _ in
      for block in blocks { cache.releasePage(block) }
      rotary.release(tableIndex)
    }
  }

  /// Another sequence with the same tokens. Full pages are shared; a page is copied when either writes to it.
  public func fork() -> PagedSequence {
    lock.withLock { _ in
      rotary.retain(tableIndex)
      let copy = PagedSequence(cache: cache, rotary: rotary, tableIndex: tableIndex, lock: lock)
      copy.count = count
      copy.blocks = blocks
      for block in blocks { cache.retainPage(block) }
      return copy
    }
  }

  /// Forgets all tokens from position `count` on.
  /// - Precondition: the sequence has at least so many.
  public func truncate(to count: Int) {
    precondition(count >= 0 && count <= self.count)
    lock.withLock { _ in
      let kept = (count + KVCache.pageTokens - 1) / KVCache.pageTokens
      for block in blocks[kept...] { cache.releasePage(block) }
      blocks.removeLast(blocks.count - kept)
      self.count = count
    }
  }

  // MARK: For the engine, which holds the lock

  /// Pages that `tokens` more tokens need beyond those held, copies of shared ones counted in.
  func pagesNeeded(for tokens: Int) -> Int {
    let total = (count + tokens + KVCache.pageTokens - 1) / KVCache.pageTokens
    let copies = writesToSharedPage(tokens) ? 1 : 0
    return total - blocks.count + copies
  }

  private func writesToSharedPage(_ tokens: Int) -> Bool {
    tokens > 0 && count % KVCache.pageTokens != 0 && cache.isShared(blocks[count / KVCache.pageTokens])
  }

  /// Makes room for more tokens; they count from now on.
  func extend(by tokens: Int) throws(IngotError) {
    if writesToSharedPage(tokens) {
      let shared = blocks[count / KVCache.pageTokens]
      let own = try cache.allocatePage()
      cache.copyPage(shared, to: own)
      cache.releasePage(shared)
      blocks[count / KVCache.pageTokens] = own
    }
    while blocks.count * KVCache.pageTokens < count + tokens { blocks.append(try cache.allocatePage()) }
    count += tokens
  }

  /// The cache slot of a position.
  func slot(_ position: Int) -> Int32 {
    blocks[position / KVCache.pageTokens] * Int32(KVCache.pageTokens) + Int32(position % KVCache.pageTokens)
  }

  /// Keys or values of a layer, f32 [kvHeads, count, headDim].
  /// - Throws: `.memory`.
  func rows(layer: Int, values: Bool) throws(IngotError) -> HostTensor {
    let (heads, width) = (cache.layers[layer].kvHeads, cache.layers[layer].headDim)
    let buffer = try AlignedBuffer(byteCount: heads * count * width * MemoryLayout<Float>.stride)
    var target = buffer.base.bindMemory(to: Float.self, capacity: heads * count * width)
    for head in 0..<heads {
      for position in 0..<count {
        ingot_cache_read(
          cache.type.kernelType, cache.base(layer: layer), Int64(heads), Int64(width), Int64(slot(position)),
          Int64(head), values ? 1 : 0, target)
        target += width
      }
    }
    return try HostTensor(
      dtype: .f32, shape: [heads, count, width], bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }
}
