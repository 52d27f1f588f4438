import Crypto
import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Makes segments on several threads, writes each where it belongs, and digests them in order.
///
/// Every thread does whatever can be done next: digest the next segment that is made, which comes first since everything
/// waits for it in the end; write the next, by one thread at a time, since the system lets no more into a file; or make
/// the next. The segments made and not yet digested and written are bounded, and so is the memory.
final class WritePipeline: @unchecked Sendable {
  private let segments: [WeightSegment]
  private let places: FilePlaces
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  // All below is behind the mutex; the digest is whose thread set `isDigesting`.
  private var next = 0
  private var digested = 0
  private var isDigesting = false
  private var written = 0
  private var isWriting = false
  private var made: [Int: AlignedBuffer] = [:]
  private var spare: [AlignedBuffer] = []
  private var bytesInFlight = 0
  private var failure: IngotError?
  private var digest = SHA256()
  private var position = 0

  /// Bytes that may be made and not yet done with, unless a single segment is longer.
  private static let budget = 8 << 20

  init(_ segments: [WeightSegment], to places: FilePlaces) {
    (self.segments, self.places) = (segments, places)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Runs to the end on `jobs` threads, the caller's among them.
  /// - Returns: the SHA-256 of the file of `byteCount` bytes, in hexadecimal digits.
  func run(jobs: Int, byteCount: Int, onProgress: (Int) -> Void) throws(IngotError) -> String {
    // More threads than the system grants are no loss.
    let threads = (1..<max(1, min(jobs, 64))).compactMap { _ in startThread(self) }
    work(onProgress)
    for thread in threads { pthread_join(thread, nil) }
    if let failure { throw failure }
    advance(to: byteCount)
    onProgress(byteCount)
    return digest.finalize().hexadecimal
  }

  /// Works until there is nothing left; runs on each of the threads.
  fileprivate func work(_ onProgress: (Int) -> Void) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while failure == nil, min(digested, written) < segments.count {
      if !isDigesting, let buffer = made[digested] {
        digestNext(buffer)
        let done = position
        pthread_mutex_unlock(mutex)
        onProgress(done)
        pthread_mutex_lock(mutex)
      } else if !isWriting, let buffer = made[written] {
        writeNext(buffer)
      } else if canMake {
        makeNext()
      } else {
        pthread_cond_wait(changed, mutex)
      }
    }
    pthread_cond_broadcast(changed)
  }

  private var canMake: Bool {
    guard next < segments.count else { return false }
    let segment = segments[next]
    guard segment.waits.map({ $0.left == 0 }) ?? true else { return false }
    return bytesInFlight == 0 || bytesInFlight + segment.byteCount <= Self.budget
  }

  /// With the mutex held, which it gives up meanwhile.
  private func makeNext() {
    let index = next, segment = segments[index]
    next += 1
    bytesInFlight += segment.byteCount
    let kept = spare.lastIndex { $0.byteCount >= segment.byteCount }.map { spare.remove(at: $0) }
    if kept == nil, spare.count > 1 { spare.removeFirst() }
    pthread_mutex_unlock(mutex)
    let result: Result<AlignedBuffer, IngotError>
    do throws(IngotError) {
      let buffer: AlignedBuffer
      if let kept { buffer = kept } else { buffer = try AlignedBuffer(byteCount: segment.byteCount) }
      let bytes = UnsafeMutableRawBufferPointer(start: buffer.base, count: segment.byteCount)
      try segment.work.fill(bytes)
      result = .success(buffer)
    } catch {
      result = .failure(error)
    }
    pthread_mutex_lock(mutex)
    switch result {
    case .success(let buffer): made[index] = buffer
    case .failure(let error): failure = failure ?? error
    }
    segment.completes?.finish()
    pthread_cond_broadcast(changed)
  }

  /// With the mutex held, which it gives up meanwhile.
  private func digestNext(_ buffer: AlignedBuffer) {
    let segment = segments[digested]
    isDigesting = true
    pthread_mutex_unlock(mutex)
    if segment.byteCount > 0 {
      advance(to: segment.offset)
      digest.update(bufferPointer: UnsafeRawBufferPointer(start: buffer.base, count: segment.byteCount))
      position += segment.byteCount
    }
    pthread_mutex_lock(mutex)
    isDigesting = false
    digested += 1
    if written >= digested { recycle(digested - 1, buffer) }
    pthread_cond_broadcast(changed)
  }

  /// With the mutex held, which it gives up meanwhile.
  private func writeNext(_ buffer: AlignedBuffer) {
    let segment = segments[written]
    isWriting = true
    pthread_mutex_unlock(mutex)
    var refused: IngotError?
    do throws(IngotError) {
      try places.write(
        UnsafeRawBufferPointer(start: buffer.base, count: segment.byteCount), at: segment.offset)
    } catch {
      refused = error
    }
    pthread_mutex_lock(mutex)
    isWriting = false
    failure = failure ?? refused
    written += 1
    if digested >= written { recycle(written - 1, buffer) }
    pthread_cond_broadcast(changed)
  }

  /// Takes back the memory of a segment that is digested and written; with the mutex held.
  private func recycle(_ index: Int, _ buffer: AlignedBuffer) {
    made[index] = nil
    spare.append(buffer)
    bytesInFlight -= segments[index].byteCount
  }

  /// Digests the zeros between segments; in the file they are what nobody wrote.
  private func advance(to offset: Int) {
    let zeros = [UInt8](repeating: 0, count: 4096)
    while position < offset {
      let count = min(zeros.count, offset - position)
      zeros.withUnsafeBytes { digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      position += count
    }
  }
}

/// Starts a thread that works for a pipeline; nil when the system has none to give.
private func startThread(_ pipeline: WritePipeline) -> pthread_t? {
  #if canImport(Darwin)
    var thread: pthread_t?
  #else
    var thread = pthread_t()
  #endif
  let argument = Unmanaged.passRetained(pipeline)
  guard pthread_create(&thread, nil, runPipeline, argument.toOpaque()) == 0 else {
    argument.release()
    return nil
  }
  return thread
}

// At file scope: a closure would inherit the isolation of where it stands, and the thread has none.
#if canImport(Darwin)
  private func runPipeline(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<WritePipeline>.fromOpaque(argument).takeRetainedValue().work { _ in }
    return nil
  }
#else
  private func runPipeline(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<WritePipeline>.fromOpaque(argument).takeRetainedValue().work { _ in } }
    return nil
  }
#endif
