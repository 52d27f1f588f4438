import CKernels
import TestSupport
import Testing

/// Unused slots hold NaN in all of these, so one that is looked at shows.
@Suite struct AttentionTests {
  typealias Shape = AttentionProblem.Shape

  static let shapes: [Shape] = [
    // Decode: alone and deep (several spans), many sequences, every size of group.
    Shape(heads: 3, kvHeads: 1, headDim: 64, sequences: [(1100, 1)]),
    Shape(heads: 2, kvHeads: 2, headDim: 16, type: INGOT_KV_F16, sequences: [(1300, 1), (3, 1)]),
    Shape(heads: 4, kvHeads: 2, headDim: 10, sequences: [(0, 1), (63, 1), (64, 1), (130, 1)]),
    Shape(heads: 8, kvHeads: 2, headDim: 48, type: INGOT_KV_F16, sequences: [(20, 1), (100, 1)]),
    Shape(heads: 5, kvHeads: 1, headDim: 6, type: INGOT_KV_F16, sequences: [(70, 1)]),
    Shape(heads: 7, kvHeads: 1, headDim: 32, sequences: [(90, 1)]),
    Shape(heads: 64, kvHeads: 1, headDim: 16, sequences: [(75, 1), (10, 1)]),
    // Prefill: whole, continued, mixed with decode, with an idle sequence.
    Shape(heads: 3, kvHeads: 1, headDim: 64, sequences: [(0, 90)]),
    Shape(heads: 6, kvHeads: 2, headDim: 80, type: INGOT_KV_F16, sequences: [(37, 30), (0, 1)]),
    Shape(heads: 2, kvHeads: 2, headDim: 96, sequences: [(0, 5), (64, 64), (7, 1)]),
    Shape(heads: 2, kvHeads: 1, headDim: 6, type: INGOT_KV_F16, sequences: [(12, 70), (5, 0), (0, 17)]),
    Shape(heads: 2, kvHeads: 1, headDim: 256, sequences: [(10, 20)]),
    // Windows, shorter and longer than a page and than the block of rows; soft caps.
    Shape(heads: 2, kvHeads: 1, headDim: 32, window: 1, sequences: [(0, 40), (99, 1)]),
    Shape(heads: 2, kvHeads: 2, headDim: 24, window: 20, type: INGOT_KV_F16, sequences: [(50, 100)]),
    Shape(heads: 3, kvHeads: 1, headDim: 16, window: 70, softcap: 2, sequences: [(30, 120), (1200, 1)]),
    Shape(heads: 2, kvHeads: 1, headDim: 16, window: 600, softcap: 5, sequences: [(1000, 6)]),
    // Bytes: every size of group and block, a row of several scales, parts of a four of tokens, windows.
    Shape(heads: 2, kvHeads: 1, headDim: 128, type: INGOT_KV_I8, sequences: [(1100, 1)]),
    Shape(heads: 3, kvHeads: 3, headDim: 10, type: INGOT_KV_I8, sequences: [(1300, 1), (2, 1), (64, 1)]),
    Shape(heads: 6, kvHeads: 2, headDim: 80, type: INGOT_KV_I8, sequences: [(37, 30), (0, 1), (5, 0)]),
    Shape(heads: 7, kvHeads: 1, headDim: 64, type: INGOT_KV_I8, sequences: [(90, 1), (62, 5)]),
    Shape(heads: 9, kvHeads: 1, headDim: 36, type: INGOT_KV_I8, sequences: [(75, 1), (10, 3)]),
    Shape(heads: 5, kvHeads: 1, headDim: 48, type: INGOT_KV_I8, sequences: [(0, 90)]),
    Shape(heads: 4, kvHeads: 1, headDim: 32, window: 7, type: INGOT_KV_I8, sequences: [(0, 40), (99, 1)]),
    Shape(
      heads: 2, kvHeads: 2, headDim: 256, window: 70, softcap: 2, type: INGOT_KV_I8,
      sequences: [(30, 120), (601, 1)]),
  ]

  private static func batch(_ shape: Shape) -> [(sequence: Int, positions: Range<Int>)] {
    shape.sequences.enumerated().map { ($0, $1.cached..<($1.cached + $1.new)) }
  }

  /// Errors of the scores enter through exp, so a few more roundings than a sum has: still below f32Tolerance
  /// times ten at scores of this size.
  @Test(arguments: shapes.indices) func attentionEqualsDouble(_ index: Int) {
    let shape = Self.shapes[index]
    let problem = AttentionProblem(shape, seed: index)
    let parts = Self.batch(shape)
    let count = parts.reduce(0) { $0 + $1.positions.count } * problem.width
    let y = Ops.everyWay(count, scratchBytes: problem.scratchBytes(threads:)) { problem.run(parts, $0, $1) }
    let wanted = parts.flatMap { part in
      part.positions.flatMap { problem.reference(sequence: part.sequence, position: $0) }
    }
    #expect(nmse(y, wanted) < 10 * f32Tolerance)
  }

  @Test(arguments: shapes.indices) func aRowDoesNotDependOnItsBatch(_ index: Int) {
    let shape = Self.shapes[index]
    let problem = AttentionProblem(shape, seed: index)
    func run(_ parts: [(sequence: Int, positions: Range<Int>)]) -> [Float] {
      let y = GuardedFloats(parts.reduce(0) { $0 + $1.positions.count } * problem.width)
      Ops.withContext(threads: 2, scratchBytes: problem.scratchBytes(threads: 2)) {
        problem.run(parts, $0, y.pointer)
      }
      #expect(y.guardsIntact)
      return y.values
    }
    var random = SplitMix64(index)
    let whole = run(Self.batch(shape))
    var offset = 0
    for (sequence, part) in Self.batch(shape) {
      // The same rows by themselves in pieces of random length.
      var pieces: [Float] = []
      var position = part.lowerBound
      while position < part.upperBound {
        let end = min(part.upperBound, position + random.integer(1...30))
        pieces += run([(sequence, position..<end)])
        position = end
      }
      #expect(Ops.sameBits(pieces, Array(whole[offset..<(offset + pieces.count)])))
      offset += pieces.count
    }
    #expect(offset == whole.count)
  }

  /// Bytes are widened without loss, so a cache of the same numbers in f32 gives the same bits.
  @Test(arguments: shapes.indices.filter { shapes[$0].type == INGOT_KV_I8 })
  func bytesEqualTheirFloats(_ index: Int) {
    var shape = Self.shapes[index]
    let bytes = AttentionProblem(shape, seed: index)
    shape.type = INGOT_KV_F32
    let floats = AttentionProblem(shape, seed: index, holding: bytes)
    let parts = Self.batch(shape)
    func run(_ problem: AttentionProblem) -> [Float] {
      let y = GuardedFloats(parts.reduce(0) { $0 + $1.positions.count } * problem.width)
      Ops.withContext(scratchBytes: problem.scratchBytes(threads: 1)) { problem.run(parts, $0, y.pointer) }
      return y.values
    }
    #expect(Ops.sameBits(run(bytes), run(floats)))
  }

  /// Later tokens of the same page are written before an earlier row is computed: even infinities there must
  /// not reach it.
  @Test func laterTokensDoNotReachARow() {
    let shape = Shape(heads: 2, kvHeads: 1, headDim: 16, sequences: [(0, 64)])
    let problem = AttentionProblem(shape, seed: 1)
    func run() -> [Float] {
      Ops.everyWay(64 * problem.width, scratchBytes: problem.scratchBytes(threads:)) {
        problem.run([(0, 0..<64)], $0, $1)
      }
    }
    let before = run()
    let slot = Int32(problem.blockTables[0]) * Int32(INGOT_PAGE) + 40
    let poison = [Float](repeating: .infinity, count: 16)
    withUnsafePointer(to: slot) { slot in
      poison.withUnsafeBufferPointer { poison in
        var arguments = ingot_cache_arguments()
        (arguments.tokens, arguments.kv_heads, arguments.head_dim) = (1, 1, 16)
        (arguments.slots, arguments.pages) = (slot, problem.pages)
        (arguments.k, arguments.v) = (poison.baseAddress, poison.baseAddress)
        (arguments.k_stride, arguments.v_stride) = (16, 16)
        Ops.withContext { ingot_cache_write($0, &arguments) }
      }
    }
    let after = run()
    #expect(Ops.sameBits(Array(before[..<(40 * problem.width)]), Array(after[..<(40 * problem.width)])))
    #expect(after[40 * problem.width].isNaN)
  }
}
