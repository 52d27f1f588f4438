public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A long-lived thread that runs jobs in the order they come.
///
/// Forward calls belong on one: the threads of Swift's tasks and of Dispatch come and go, and kernel threads
/// spread over the processors only around a caller that stays.
public final class EngineThread: Sendable {
  private let queue = JobQueue()

  /// Starts the thread.
  /// - Throws: `.memory` when the system has none to give.
  public init() throws(IngotError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 8 << 20)
    defer { pthread_attr_destroy(&attributes) }
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let argument = Unmanaged.passRetained(queue)
    guard pthread_create(&thread, &attributes, runJobs, argument.toOpaque()) == 0 else {
      argument.release()
      throw IngotError(.memory, "the system could not start a thread")
    }
  }

  /// The thread ends once the jobs it has are done.
  deinit { queue.close() }

  /// Has the thread run a job after those it has.
  public func run(_ job: @escaping @Sendable () -> Void) { queue.push(job) }
}

/// Jobs waiting for their thread.
private final class JobQueue: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [@Sendable () -> Void] = []
  private var isClosed = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  func push(_ job: @escaping @Sendable () -> Void) {
    pthread_mutex_lock(mutex)
    jobs.append(job)
    pthread_cond_signal(changed)
    pthread_mutex_unlock(mutex)
  }

  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(changed)
    pthread_mutex_unlock(mutex)
  }

  /// The next job, as soon as there is one; nil when there will be none.
  func next() -> (@Sendable () -> Void)? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while jobs.isEmpty {
      if isClosed { return nil }
      pthread_cond_wait(changed, mutex)
    }
    return jobs.removeFirst()
  }
}

// At file scope: a closure would inherit the isolation of where it stands, and the thread has none.
#if canImport(Darwin)
  private func runJobs(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    drain(argument)
    return nil
  }
#else
  private func runJobs(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { drain(argument) }
    return nil
  }
#endif

private func drain(_ argument: UnsafeMutableRawPointer) {
  let queue = Unmanaged<JobQueue>.fromOpaque(argument).takeRetainedValue()
  while let job = queue.next() { job() }
}
