import CKernels
import TestSupport
import Testing

@Suite struct EmbeddingTests {
  private func gather<T>(
    _ table: [T], kind: ingot_table, block: Int32 = 0, rowBytes: Int, width: Int, ids: [Int64]
  ) -> [Float] {
    Ops.everyWay(ids.count * width) { context, y in
      table.withUnsafeBytes {
        ingot_embedding(
          context, kind, block, $0.baseAddress, Int64(rowBytes), Int64(width), ids, Int64(ids.count), y,
          Int64(width))
      }
    }
  }

  @Test(arguments: [(1, 1), (5, 17), (40, 576), (0, 8)]) func rowsAreGathered(count: Int, width: Int) {
    var random = SplitMix64(count + width)
    let rows = 30
    let ids = (0..<count).map { _ in Int64(random.integer(0...(rows - 1))) }
    func rowsOf(_ table: [Float]) -> [Float] {
      ids.flatMap { table[(Int($0) * width)..<((Int($0) + 1) * width)] }
    }
    let floats = random.floats(rows * width, -2...2)
    let asFloat = gather(floats, kind: INGOT_TABLE_F32, rowBytes: 4 * width, width: width, ids: ids)
    #expect(Ops.sameBits(asFloat, rowsOf(floats)))

    let halves = floats.map { Float16($0) }
    let asHalf = gather(halves, kind: INGOT_TABLE_F16, rowBytes: 2 * width, width: width, ids: ids)
    #expect(Ops.sameBits(asHalf, rowsOf(halves.map { Float($0) })))

    let brains = floats.map { UInt16($0.bitPattern >> 16) }
    let asBrain = gather(brains, kind: INGOT_TABLE_BF16, rowBytes: 2 * width, width: width, ids: ids)
    #expect(Ops.sameBits(asBrain, rowsOf(brains.map { Float(bitPattern: UInt32($0) << 16) })))
  }

  @Test func rowsOfBlocksAreDequantised() {
    let (rows, width) = (7, 64)
    var random = SplitMix64(3)
    // Q8_0: per 32 weights an f16 scale, then 32 signed bytes.
    let table = (0..<rows).flatMap { _ in
      (0..<(width / 32)).flatMap { _ -> [UInt8] in
        let scale = Float16(random.float(0.1...1)).bitPattern
        return [UInt8(scale & 0xFF), UInt8(scale >> 8)] + (0..<32).map { _ in UInt8(random.integer(0...255)) }
      }
    }
    let ids: [Int64] = [6, 0, 3, 3]
    let y = gather(
      table, kind: INGOT_TABLE_BLOCKS, block: Int32(INGOT_BLOCK_Q8_0.rawValue), rowBytes: width / 32 * 34,
      width: width, ids: ids)
    let wanted = ids.flatMap { id in
      (0..<width).map { i -> Float in
        let block = Int(id) * (width / 32) * 34 + i / 32 * 34
        let scale = Float16(bitPattern: UInt16(table[block]) | UInt16(table[block + 1]) << 8)
        return Float(scale) * Float(Int8(bitPattern: table[block + 2 + i % 32]))
      }
    }
    #expect(Ops.sameBits(y, wanted))
  }
}
