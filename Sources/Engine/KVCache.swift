internal import CKernels
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Keys and values of all layers, in pages of 64 tokens that sequences share by reference.
final class KVCache: @unchecked Sendable {
  /// Heads and head width of one layer's cache.
  struct Layer: Hashable {
    var kvHeads: Int
    var headDim: Int
  }

  let layers: [Layer]
  let type: KVType
  let pageCount: Int
  private let memory: [AlignedBuffer]
  private(set) var pages: PageAllocator

  /// Tokens of one page.
  static let pageTokens = Int(INGOT_PAGE)

  /// Reserves the cache; the system hands out its memory as pages are first written.
  /// - Throws: `.memory`.
  init(layers: [Layer], type: KVType, pageCount: Int) throws(IngotError) {
    (self.layers, self.type, self.pageCount) = (layers, type, pageCount)
    var memory: [AlignedBuffer] = []
    for layer in layers {
      let (bytes, overflow) = Self.pageBytes(layer, type).multipliedReportingOverflow(by: pageCount)
      guard !overflow else { throw IngotError(.memory, "a cache of \(pageCount) pages is beyond any memory") }
      memory.append(try AlignedBuffer(byteCount: bytes))
    }
    self.memory = memory
    pages = PageAllocator(pageCount: pageCount)
  }

  /// Start of a layer's pages.
  func base(layer: Int) -> UnsafeMutableRawPointer { memory[layer].base }

  /// The bytes of a page of a layer.
  func bytes(page: Int32, layer: Int) -> UnsafeMutableRawBufferPointer {
    let count = Self.pageBytes(layers[layer], type)
    return UnsafeMutableRawBufferPointer(start: memory[layer].base + Int(page) * count, count: count)
  }

  /// Bytes reserved for all layers.
  var byteCount: Int { memory.reduce(0) { $0 + $1.byteCount } }

  /// Refuses a cache larger than the machine's memory: the system would promise it, and end the process later.
  /// - Throws: `.memory`.
  func checkFits() throws(IngotError) {
    guard let memory = physicalMemory, byteCount > memory else { return }
    throw IngotError(
      .memory,
      "a key/value cache for \(pageCount * Self.pageTokens) tokens takes \(byteCount >> 20) MiB; the machine has \(memory >> 20)",
      hint: "use a smaller context (-c), or --kv-type f16 or i8")
  }

  static func pageBytes(_ layer: Layer, _ type: KVType) -> Int {
    ingot_page_bytes(type.kernelType, Int64(layer.kvHeads), Int64(layer.headDim))
  }

  /// A page for new tokens.
  /// - Throws: `.limit` when all are in use.
  func allocatePage() throws(IngotError) -> Int32 { try pages.allocate() }
  func retainPage(_ page: Int32) { pages.retain(page) }
  func releasePage(_ page: Int32) { pages.release(page) }
  func isShared(_ page: Int32) -> Bool { pages.users(of: page) > 1 }

  /// Copies a page of every layer, so that a sequence can write to what it shared.
  func copyPage(_ source: Int32, to target: Int32) {
    for (layer, buffer) in zip(layers, memory) {
      let bytes = Self.pageBytes(layer, type)
      (buffer.base + Int(target) * bytes).copyMemory(
        from: buffer.base + Int(source) * bytes, byteCount: bytes)
    }
  }
}
