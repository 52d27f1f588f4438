internal import CKernels
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The process's pool of kernel threads.
///
/// One for all engines: several spinning pools on the same cores slow each other down by orders of magnitude.
/// Two engines that run at once share it; whoever finds it taken computes alone, with the same result.
package final class ThreadPool: @unchecked Sendable {
  package let handle: OpaquePointer?
  package let threadCount: Int

  private init(threads: Int, spins: Int) {
    handle = threads > 1 ? ingot_pool_create(Int32(threads), Int32(spins)) : nil
    threadCount = handle == nil ? 1 : threads
  }

  deinit { if let handle { ingot_pool_destroy(handle) } }

  private struct Registry {
    private var pool: ThreadPool?
    mutating func pool(threads: Int, spins: Int) -> ThreadPool {
      if let pool, pool.threadCount >= threads { return pool }
      let made = ThreadPool(threads: threads, spins: spins)
      pool = made
      return made
    }
  }

  private static let registry = Locked(Registry())

  /// The pool, made or enlarged on first need.
  package static func shared(threads: Int, spins: Int) -> ThreadPool {
    registry.withLock { $0.pool(threads: threads, spins: spins) }
  }

  /// Processors this process may run on.
  package static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
