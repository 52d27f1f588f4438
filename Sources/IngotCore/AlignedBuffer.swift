internal import CKernels

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
  private let isMapped: Bool
  /// From this size on memory comes straight from the system, which zeroes a page when it is first touched: a
  /// cache for a long context costs nothing until it fills.
  private static let mappingThreshold = 1 << 20

  /// From this size on, huge pages are asked for, spread over the machine's memory nodes.
  private static let largeThreshold = 8 << 20

  /// Allocates zeroed memory.
  /// - Throws: `.memory` when the system refuses.
  public init(byteCount: Int, alignment: Int = 64) throws(IngotError) {
    let refused = IngotError(
      .memory, "could not allocate \(byteCount) bytes", hint: "use a smaller context (-c) or a smaller model")
    guard byteCount >= 0, byteCount < Int.max / 2 else { throw refused }
    self.byteCount = byteCount
    isMapped = byteCount >= Self.mappingThreshold
    if isMapped {
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
      guard let pointer = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), pointer != MAP_FAILED
      else { throw refused }
      if byteCount >= Self.largeThreshold {
        // Fewer, larger pages: streams of weights are cut at page borders, and look-ups of addresses cost time.
        #if canImport(Glibc)
          madvise(pointer, byteCount, MADV_HUGEPAGE)
        #endif
        _ = ingot_interleave(pointer, byteCount)
      }
      base = pointer
    } else {
      var pointer: UnsafeMutableRawPointer?
      let rounded = (max(byteCount, 1) + alignment - 1) / alignment * alignment
      guard posix_memalign(&pointer, alignment, rounded) == 0, let pointer else { throw refused }
      memset(pointer, 0, rounded)
      base = pointer
    }
  }

  deinit {
    if isMapped { munmap(base, byteCount) } else { free(base) }
  }

  /// The memory as mutable bytes.
  public var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }
}
