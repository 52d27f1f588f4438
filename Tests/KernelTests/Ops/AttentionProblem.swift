import CKernels
import Foundation
import TestSupport

/// A ragged batch over a paged cache whose unused slots are NaN, and its exact answer.
final class AttentionProblem {
  struct Shape {
    var heads = 1
    var kvHeads = 1
    var headDim = 8
    var window = 0
    var softcap: Float = 0
    var type = INGOT_KV_F32
    /// Tokens already cached and new ones, per sequence.
    var sequences: [(cached: Int, new: Int)] = []
  }

  let shape: Shape
  let pages: UnsafeMutableRawPointer
  let blockTables: [Int32]
  let maxBlocks: Int
  /// Keys and values of each sequence as the cache holds them, `[length, kvHeads, headDim]`.
  private(set) var keys: [[Float]] = []
  private(set) var values: [[Float]] = []
  /// Queries of all positions, so that parts of a sequence can be asked for: `[length, heads, headDim]`.
  private(set) var queries: [[Float]] = []

  var scale: Float { 1 / Float(shape.headDim).squareRoot() }
  var width: Int { shape.heads * shape.headDim }

  /// - Parameter other: a problem of the same shape and seed, whose cached numbers are to be stored.
  init(_ shape: Shape, seed: Int, holding other: AttentionProblem? = nil) {
    self.shape = shape
    var random = SplitMix64(seed)
    let page = Int(INGOT_PAGE)
    let lengths = shape.sequences.map { $0.cached + $0.new }
    let blocks = lengths.map { ($0 + page - 1) / page }
    maxBlocks = max(blocks.max() ?? 0, 1)
    let free = (0..<(blocks.reduce(0, +) + 2)).map(Int32.init).shuffled(by: &random)
    let pageBytes = ingot_page_bytes(shape.type, Int64(shape.kvHeads), Int64(shape.headDim))
    pages = .allocate(byteCount: pageBytes * free.count, alignment: 64)
    memset(pages, 0xFF, pageBytes * free.count)  // NaN in f32, in f16 and in the scales of bytes
    var tables = [Int32](repeating: Int32.min, count: maxBlocks * lengths.count)
    var used = 0
    for (sequence, count) in blocks.enumerated() {
      for block in 0..<count {
        tables[sequence * maxBlocks + block] = free[used]
        used += 1
      }
    }
    blockTables = tables
    let rowWidth = shape.kvHeads * shape.headDim
    for (sequence, length) in lengths.enumerated() {
      let slots = (0..<length).map {
        tables[sequence * maxBlocks + $0 / page] * Int32(page) + Int32($0 % page)
      }
      var k = random.floats(length * rowWidth, -2...2)
      var v = random.floats(length * rowWidth, -2...2)
      if let other { (k, v) = (other.keys[sequence], other.values[sequence]) }
      slots.withUnsafeBufferPointer { slots in
        k.withUnsafeBufferPointer { k in
          v.withUnsafeBufferPointer { v in
            var arguments = ingot_cache_arguments()
            (arguments.tokens, arguments.kv_heads) = (Int64(length), Int64(shape.kvHeads))
            (arguments.head_dim, arguments.type) = (Int64(shape.headDim), shape.type)
            (arguments.slots, arguments.pages) = (slots.baseAddress, pages)
            (arguments.k, arguments.k_stride) = (k.baseAddress, Int64(rowWidth))
            (arguments.v, arguments.v_stride) = (v.baseAddress, Int64(rowWidth))
            Ops.withContext { ingot_cache_write($0, &arguments) }
          }
        }
      }
      (k, v) = (cached(slots, values: 0), cached(slots, values: 1))
      keys.append(k)
      values.append(v)
      queries.append(random.floats(length * width, -2...2))
    }
  }
  deinit { pages.deallocate() }

  /// What the cache holds at slots: `[slots, kvHeads, headDim]`. `CacheTests` compare it with what was stored.
  private func cached(_ slots: [Int32], values: Int32) -> [Float] {
    var rows = [Float](repeating: 0, count: slots.count * shape.kvHeads * shape.headDim)
    rows.withUnsafeMutableBufferPointer { rows in
      for (token, slot) in slots.enumerated() {
        for head in 0..<shape.kvHeads {
          ingot_cache_read(
            shape.type, pages, Int64(shape.kvHeads), Int64(shape.headDim), Int64(slot), Int64(head), values,
            rows.baseAddress! + (token * shape.kvHeads + head) * shape.headDim)
        }
      }
    }
    return rows
  }

  /// Attention of positions `parts[i].positions` of the sequences `parts[i].sequence`, as one batch.
  func run(
    _ parts: [(sequence: Int, positions: Range<Int>)], _ context: UnsafePointer<ingot_context>,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let positions = parts.flatMap { $0.positions.map(Int64.init) }
    let starts = parts.reduce(into: [Int32(0)]) { $0.append($0.last! + Int32($1.positions.count)) }
    let lengths = parts.map { Int32($0.positions.upperBound) }
    let owners = parts.indices.flatMap { [Int32](repeating: Int32($0), count: parts[$0].positions.count) }
    let tables = parts.flatMap { blockTables[($0.sequence * maxBlocks)..<(($0.sequence + 1) * maxBlocks)] }
    let q = parts.flatMap {
      queries[$0.sequence][($0.positions.lowerBound * width)..<($0.positions.upperBound * width)]
    }
    positions.withUnsafeBufferPointer { positions in
      starts.withUnsafeBufferPointer { starts in
        lengths.withUnsafeBufferPointer { lengths in
          owners.withUnsafeBufferPointer { owners in
            tables.withUnsafeBufferPointer { tables in
              q.withUnsafeBufferPointer { q in
                var batch = ingot_batch()
                (batch.tokens, batch.sequences) = (Int64(positions.count), Int64(parts.count))
                (batch.max_blocks, batch.positions) = (Int64(maxBlocks), positions.baseAddress)
                (batch.sequence_of, batch.q_start) = (owners.baseAddress, starts.baseAddress)
                (batch.seq_len, batch.block_tables) = (lengths.baseAddress, tables.baseAddress)
                withUnsafePointer(to: &batch) { batch in
                  var arguments = ingot_attention_arguments()
                  arguments.batch = batch
                  (arguments.heads, arguments.kv_heads) = (Int64(shape.heads), Int64(shape.kvHeads))
                  (arguments.head_dim, arguments.window) = (Int64(shape.headDim), Int64(shape.window))
                  (arguments.scale, arguments.softcap) = (scale, shape.softcap)
                  (arguments.type, arguments.pages) = (shape.type, UnsafeRawPointer(pages))
                  (arguments.q, arguments.q_stride) = (q.baseAddress, Int64(width))
                  (arguments.y, arguments.y_stride) = (y, Int64(width))
                  ingot_attention(context, &arguments)
                }
              }
            }
          }
        }
      }
    }
  }

  func scratchBytes(threads: Int) -> Int {
    ingot_attention_scratch_bytes(
      Int64(shape.heads), Int64(shape.kvHeads), Int64(shape.headDim), Int32(threads))
  }

  /// One row in double: `[heads, headDim]`.
  func reference(sequence: Int, position: Int) -> [Double] {
    let (d, group, kvHeads) = (shape.headDim, shape.heads / shape.kvHeads, shape.kvHeads)
    let first = shape.window > 0 ? max(0, position - shape.window + 1) : 0
    var y = [Double](repeating: 0, count: width)
    queries[sequence].withUnsafeBufferPointer { q in
      keys[sequence].withUnsafeBufferPointer { k in
        values[sequence].withUnsafeBufferPointer { v in
          for head in 0..<shape.heads {
            let query = q.baseAddress! + position * width + head * d
            var scores = (first...position).map { t -> Double in
              let key = k.baseAddress! + (t * kvHeads + head / group) * d
              var sum = 0.0
              for i in 0..<d { sum += Double(query[i]) * Double(key[i]) }
              let score = sum * Double(scale)
              let cap = Double(shape.softcap)
              return cap == 0 ? score : cap * tanh(score / cap)
            }
            let maximum = scores.max()!
            for i in scores.indices { scores[i] = exp(scores[i] - maximum) }
            let sum = scores.reduce(0, +)
            for (i, score) in scores.enumerated() {
              let value = v.baseAddress! + ((first + i) * kvHeads + head / group) * d
              for j in 0..<d { y[head * d + j] += score / sum * Double(value[j]) }
            }
          }
        }
      }
    }
    return y
  }
}
