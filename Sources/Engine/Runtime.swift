internal import CKernels
internal import Checkpoints
internal import IngotCore

/// What the steps of a plan share while it runs: threads, the ragged batch, rotary tables and the cache.
final class Runtime: @unchecked Sendable {
  let threads: Int
  let kvType: KVType
  private let pool: ThreadPool
  /// Takes the times of steps; guarded as the forwards are.
  var profiler: Profiler?
  /// Handed to every kernel; `scratch` is set when the plan is made.
  var context: ingot_context
  /// The batch of the running forward. Its address does not change: attention arguments point to it.
  let batch: UnsafeMutablePointer<ingot_batch>
  let rotary: RotaryTables
  /// The cache of each layer; nil for graphs without paged attention.
  let cache: KVCache?
  /// A batch of one sequence for attention without a cache; its arrays are in `ownArrays`.
  private(set) var ownBatch: ingot_batch?
  private var ownArrays: AlignedBuffer?
  private(set) var ownCapacity = 0

  init(options: EngineOptions, kvType: KVType, rotary: RotaryTables, cache: KVCache?) {
    threads = options.threads
    self.kvType = kvType
    self.rotary = rotary
    self.cache = cache
    pool = ThreadPool.shared(threads: options.threads, spins: options.spins)
    context = ingot_context(
      pool: pool.handle, threads: Int32(options.threads), isa: options.instructionSet.kernelValue,
      scratch: nil,
      scratch_bytes: 0)
    batch = .allocate(capacity: 1)
    batch.initialize(to: ingot_batch())
  }

  deinit { batch.deallocate() }

  /// The table of a name, made known to `rotary` if it is new.
  func tableIndex(_ name: String, rotaryDim: Int, place: String) throws(IngotError) -> Int {
    try rotary.index(of: name, rotaryDim: rotaryDim, place: place)
  }

  /// Room for a single sequence of `tokens` tokens at positions and slots 0, 1, ….
  func reserveOwnSequence(tokens: Int) throws(IngotError) {
    guard tokens > ownCapacity else { return }
    let pages = (tokens + Int(INGOT_PAGE) - 1) / Int(INGOT_PAGE)
    // positions, then slots, sequence_of and the block table, then q_start (2) and seq_len.
    let buffer = try AlignedBuffer(byteCount: tokens * 16 + pages * 4 + 16)
    let positions = buffer.base.bindMemory(to: Int64.self, capacity: tokens)
    let slots = (buffer.base + tokens * 8).bindMemory(to: Int32.self, capacity: tokens)
    let sequenceOf = (buffer.base + tokens * 12).bindMemory(to: Int32.self, capacity: tokens)
    let blocks = (buffer.base + tokens * 16).bindMemory(to: Int32.self, capacity: pages)
    let lengths = (buffer.base + tokens * 16 + pages * 4).bindMemory(to: Int32.self, capacity: 4)
    for token in 0..<tokens {
      (positions[token], slots[token], sequenceOf[token]) = (Int64(token), Int32(token), 0)
    }
    for page in 0..<pages { blocks[page] = Int32(page) }
    ownBatch = ingot_batch(
      tokens: 0, sequences: 1, max_blocks: Int64(pages), positions: positions, slots: slots,
      sequence_of: sequenceOf, q_start: lengths, seq_len: lengths + 2, block_tables: blocks)
    ownArrays = buffer
    ownCapacity = tokens
  }

  /// The batch of one sequence whose tokens are all new.
  func ownBatch(tokens: Int) -> ingot_batch {
    guard var batch = ownBatch else { preconditionFailure("no room was reserved") }
    batch.tokens = Int64(tokens)
    let lengths = UnsafeMutablePointer(mutating: batch.q_start!)
    (lengths[0], lengths[1], lengths[2]) = (0, Int32(tokens), Int32(tokens))
    return batch
  }
}
