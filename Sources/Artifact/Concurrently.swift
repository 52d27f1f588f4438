internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Work on 0..<count that threads take from a counter.
private final class SharedWork: Sendable {
  private struct State {
    var next = 0
    var failure: (index: Int, error: IngotError)?
  }
  private let count: Int
  private let body: @Sendable (Int) throws(IngotError) -> Void
  private let state = Locked(State())

  init(_ count: Int, _ body: @escaping @Sendable (Int) throws(IngotError) -> Void) {
    (self.count, self.body) = (count, body)
  }

  func run() {
    while let index = take() {
      do throws(IngotError) { try body(index) } catch {
        // Indices are taken in order and those begun are finished, so the first failure is the same in every run.
        state.withLock { if index < $0.failure?.index ?? .max { $0.failure = (index, error) } }
      }
    }
  }

  private func take() -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.next < count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  var failure: IngotError? { state.withLock { $0.failure?.error } }
}

/// Calls `body` with every number below `count`, on up to eight threads, the caller's among them.
/// - Throws: the error of the smallest number that failed.
func forEachConcurrently(
  _ count: Int, _ body: @escaping @Sendable (Int) throws(IngotError) -> Void
) throws(IngotError) {
  let work = SharedWork(count, body)
  let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  // More threads than the system grants are no loss.
  let threads = (0..<max(0, min(count, processors, 8) - 1)).compactMap { _ in startThread(work) }
  work.run()
  for thread in threads { pthread_join(thread, nil) }
  if let failure = work.failure { throw failure }
}

private func startThread(_ work: SharedWork) -> pthread_t? {
  #if canImport(Darwin)
    var thread: pthread_t?
  #else
    var thread = pthread_t()
  #endif
  let argument = Unmanaged.passRetained(work)
  guard pthread_create(&thread, nil, runWork, argument.toOpaque()) == 0 else {
    argument.release()
    return nil
  }
  return thread
}

// At file scope: a closure would inherit the isolation of where it stands, and the thread has none.
#if canImport(Darwin)
  private func runWork(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<SharedWork>.fromOpaque(argument).takeRetainedValue().run()
    return nil
  }
#else
  private func runWork(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<SharedWork>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
  }
#endif
