import CKernels
import Foundation
import Testing

/// What a job of the tests counts: chunks run, and threads found busy on entry.
private final class Tally: @unchecked Sendable {
  let counts: UnsafeMutablePointer<Int32>, busy: UnsafeMutablePointer<Int32>
  var clashes: Int32 = 0, pool: OpaquePointer?
  let chunks: Int, threads: Int

  init(chunks: Int, threads: Int) {
    (self.chunks, self.threads) = (chunks, threads)
    counts = .allocate(capacity: max(chunks, 1))
    busy = .allocate(capacity: threads)
    counts.initialize(repeating: 0, count: max(chunks, 1))
    busy.initialize(repeating: 0, count: threads)
  }
  deinit {
    counts.deallocate()
    busy.deallocate()
  }

  /// Each chunk this often, no thread number out of range or in use twice.
  func isExactly(_ times: Int) -> Bool {
    (0..<chunks).allSatisfy { counts[$0] == Int32(times) } && clashes == 0
  }

  func run(_ pool: OpaquePointer?, threads: Int? = nil, _ job: ingot_job = countChunk) {
    self.pool = pool
    let argument = Unmanaged.passUnretained(self).toOpaque()
    ingot_pool_run(pool, Int32(threads ?? self.threads), job, argument, Int64(chunks))
  }
}

private let countChunk: ingot_job = { argument, chunk, thread in
  let tally = Unmanaged<Tally>.fromOpaque(argument!).takeUnretainedValue()
  guard Int(thread) < tally.threads, tally.busy[Int(thread)] == 0 else {
    tally.clashes += 1
    return
  }
  tally.busy[Int(thread)] = 1
  tally.counts[Int(chunk)] += 1
  tally.busy[Int(thread)] = 0
}

/// A job that runs a job of its own on the same pool.
private let nested: ingot_job = { argument, chunk, thread in
  let outer = Unmanaged<Tally>.fromOpaque(argument!).takeUnretainedValue()
  let inner = Tally(chunks: 9, threads: 4)
  inner.run(outer.pool)
  outer.counts[Int(chunk)] += inner.isExactly(1) ? 1 : 100
}

@Suite struct PoolTests {
  @Test(arguments: [0, 10, 2000], 1...4) func everyChunkRunsOnce(spins: Int, threads: Int) {
    let pool = ingot_pool_create(Int32(threads), Int32(spins))
    defer { ingot_pool_destroy(pool) }
    #expect(ingot_pool_threads(pool) == Int32(threads))
    for chunks in [0, 1, 2, 3, 7, 64, 1000] {
      let tally = Tally(chunks: chunks, threads: threads)
      for round in 1...50 {
        tally.run(pool)
        #expect(tally.isExactly(round))
      }
    }
  }

  @Test func fewerThreadsThanThePoolHas() {
    let pool = ingot_pool_create(4, 100)
    defer { ingot_pool_destroy(pool) }
    let tally = Tally(chunks: 40, threads: 2)
    for _ in 0..<200 { tally.run(pool, threads: 2) }
    #expect(tally.isExactly(200))
  }

  @Test func callersBesideEachOtherRunInline() async {
    let pool = ingot_pool_create(3, 50)
    defer { ingot_pool_destroy(pool) }
    nonisolated(unsafe) let shared = pool
    await withTaskGroup(of: Bool.self) { group in
      for caller in 0..<4 {
        group.addTask {
          let tally = Tally(chunks: 20 + caller, threads: 3)
          for _ in 0..<500 { tally.run(shared) }
          return tally.isExactly(500)
        }
      }
      for await exact in group { #expect(exact) }
    }
  }

  @Test func jobsWithinJobsRunInline() {
    let pool = ingot_pool_create(4, 100)
    defer { ingot_pool_destroy(pool) }
    let tally = Tally(chunks: 30, threads: 4)
    tally.run(pool, nested)
    #expect(tally.isExactly(1))
  }

  @Test func sleepersWake() {
    let pool = ingot_pool_create(3, 0)
    defer { ingot_pool_destroy(pool) }
    let tally = Tally(chunks: 50, threads: 3)
    for round in 1...20 {
      usleep(500)
      if round % 2 == 0 { ingot_pool_wake(pool) }
      tally.run(pool)
      #expect(tally.isExactly(round))
    }
  }

  @Test func noPoolIsOneThread() {
    let tally = Tally(chunks: 5, threads: 1)
    tally.run(nil)
    #expect(tally.isExactly(1))
    #expect(ingot_pool_threads(nil) == 1)
    ingot_pool_wake(nil)
    ingot_pool_destroy(nil)
    #expect(ingot_pool_create(0, 0) == nil)
  }

  @Test func instructionSetsHaveNames() {
    let sets = (0..<UInt32(INGOT_ISA_COUNT)).map { ingot_isa(rawValue: $0) }
    #expect(
      sets.map { String(cString: ingot_isa_name($0)) }
        == ["portable", "neon", "i8mm", "avx2", "avxvnni", "avx512vnni"])
  }

  @Test func thePortableAndTheBestSetAreAvailable() {
    #expect(ingot_isa_available(INGOT_ISA_PORTABLE))
    #expect(ingot_isa_available(ingot_isa_best()))
    #expect(!ingot_isa_available(INGOT_ISA_AVX2) || !ingot_isa_available(INGOT_ISA_NEON))
  }
}
