#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Zeroed, 64-byte-aligned memory with one owner, freed when the last reference goes.
///
/// A class so that views can share it. Access goes through raw pointers that are valid as long as the
/// buffer is referenced; whoever keeps a pointer keeps the buffer.
public final class AlignedBuffer: @unchecked Sendable {
  /// Start of the memory; never null, even for zero bytes.
  public let base: UnsafeMutableRawPointer
  /// Size in bytes.
  public let byteCount: Int

  /// Allocates zeroed memory.
  /// - Throws: `.memory` when the system refuses.
  public init(byteCount: Int, alignment: Int = 64) throws(IngotError) {
    var pointer: UnsafeMutableRawPointer?
    let rounded = (max(byteCount, 1) + alignment - 1) / alignment * alignment
    guard byteCount >= 0, posix_memalign(&pointer, alignment, rounded) == 0, let pointer else {
      throw IngotError(
        .memory, "could not allocate \(byteCount) bytes",
        hint: "use a smaller context (-c) or a smaller model")
    }
    memset(pointer, 0, rounded)
    (base, self.byteCount) = (pointer, byteCount)
  }

  deinit { free(base) }

  /// The memory as mutable bytes.
  public var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }
}
