import CKernels
import TestSupport
import Testing

/// GGUF blocks in the engine's packed formats: what comes out again against the blocks dequantised.
@Suite struct RepackTests {
  static let lossless = [
    INGOT_BLOCK_Q4_0, INGOT_BLOCK_Q4_1, INGOT_BLOCK_Q5_0, INGOT_BLOCK_Q5_1, INGOT_BLOCK_Q8_0,
  ]
  static let lossy = [INGOT_BLOCK_Q4_K, INGOT_BLOCK_Q5_K, INGOT_BLOCK_Q6_K]

  /// Random blocks with scales of a model's size, packed, and read back.
  private func roundTrip(_ type: ingot_block, rows: Int, columns: Int, seed: UInt64) -> (
    packed: [Float], blocks: [Float]
  ) {
    var random = SplitMix64(seed)
    let (weights, bytes) = (ingot_block_weights(type), ingot_block_bytes(type))
    let blocks = rows * columns / weights
    var source = (0..<blocks * bytes).map { _ in UInt8.random(in: 0...255, using: &random) }
    for block in 0..<blocks {
      // Every half in a block is a scale: near the front, or at the end for Q6_K.
      let scales =
        type == INGOT_BLOCK_Q6_K ? [208] : weights == 256 || [3, 7].contains(type.rawValue) ? [0, 2] : [0]
      for at in scales {
        var value = random.floats(1, -0.02...0.02)[0]
        var half: UInt16 = 0
        ingot_f32_to_f16(&value, &half, 1)
        source[block * bytes + at] = UInt8(truncatingIfNeeded: half)
        source[block * bytes + at + 1] = UInt8(half >> 8)
      }
    }
    var reference = [Float](repeating: 0, count: rows * columns)
    #expect(ingot_dequantize(type, source, &reference, blocks) == 0)

    var q = [Int8](repeating: 0, count: rows * columns)
    var scales = [UInt16](repeating: 0, count: rows * columns / 32)
    var minimums = scales
    #expect(ingot_split_blocks(type, source, blocks, &q, &scales, &minimums) == 0)
    let format = ingot_repacked_format(type)
    let hasMinimum = format == INGOT_I4M || format == INGOT_I8M
    let tile = UnsafeMutableRawPointer.allocate(
      byteCount: ingot_tile_bytes(format, Int64(columns), 32), alignment: 64)
    defer { tile.deallocate() }
    minimums.withUnsafeBufferPointer {
      ingot_pack_integer_tile(
        format, Int64(columns), 32, q, scales, hasMinimum ? $0.baseAddress : nil, Int32(rows), tile)
    }
    var packed = [Float](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      packed.withUnsafeMutableBufferPointer {
        ingot_unpack_row(format, Int64(columns), 32, tile, Int32(row), $0.baseAddress! + row * columns)
      }
    }
    return (packed, reference)
  }

  @Test(arguments: lossless, [1, 7, 16]) func packingLosesNothing(_ type: ingot_block, rows: Int) {
    let (packed, blocks) = roundTrip(type, rows: rows, columns: 512, seed: UInt64(type.rawValue))
    #expect(packed == blocks)
  }

  /// Q4_K, Q5_K: products of scales round to f16, 2⁻¹¹ of each term. Q6_K: half a step of 1/127 of the largest
  /// of 32, and the rounding of that step.
  @Test(arguments: lossy) func packingLosesWhatItSays(_ type: ingot_block) {
    let (packed, blocks) = roundTrip(type, rows: 16, columns: 512, seed: UInt64(type.rawValue))
    for group in stride(from: 0, to: blocks.count, by: 32) {
      let largest = blocks[group..<group + 32].reduce(0) { max($0, abs($1)) }
      // The two terms of a K-block can cancel: 63 · 0.02 bounds the minimum's size.
      let bound = type == INGOT_BLOCK_Q6_K ? largest / 250 : (largest + 2 * 63 * 0.02) / 2048
      for index in group..<group + 32 { #expect(abs(packed[index] - blocks[index]) <= bound) }
    }
  }
}
