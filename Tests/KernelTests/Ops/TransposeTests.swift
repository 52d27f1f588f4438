import CKernels
import Foundation
import TestSupport
import Testing

@Suite struct TransposeTests {
  /// Extents below, at and above the squares and lines that vectors move.
  static let extents = [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130]

  @Test(arguments: [1, 2, 4]) func everyExtentTurnsAndNothingElseIsTouched(size: Int) {
    var random = SplitMix64(size)
    for rows in Self.extents {
      for columns in Self.extents {
        let (xStride, yStride) = (columns + 3, rows + 5)
        let x = (0..<rows * xStride * size + 1).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let before = (0..<columns * yStride * size + 65).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var y = before
        x.withUnsafeBytes { x in
          y.withUnsafeMutableBytes { y in
            // One byte in: neither side is aligned.
            ingot_transpose(
              Int32(size), x.baseAddress! + 1, Int64(xStride), Int64(rows), Int64(columns),
              y.baseAddress! + 1,
              Int64(yStride))
          }
        }
        var wanted = before
        for row in 0..<rows {
          for column in 0..<columns {
            for byte in 0..<size {
              wanted[1 + (column * yStride + row) * size + byte] =
                x[1 + (row * xStride + column) * size + byte]
            }
          }
        }
        #expect(y == wanted, "\(rows) x \(columns)")
      }
    }
  }
}

@Suite struct NarrowingTests {
  @Test func everyBFloatBecomesTheHalfThatItsFloatBecomes() {
    let all = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: all.count)
    ingot_bf16_to_f32(all, &floats, all.count)
    var wanted = [UInt16](repeating: 0, count: all.count)
    ingot_f32_to_f16(floats, &wanted, all.count)
    var halves = [UInt16](repeating: 0, count: all.count)
    #expect(ingot_bf16_to_f16(all, &halves, all.count) == 1)
    #expect(halves == wanted)
    // One by one: without the vectors.
    for (index, bfloat) in all.enumerated() {
      var half: UInt16 = 0
      let overflows = ingot_bf16_to_f16([bfloat], &half, 1)
      #expect(half == wanted[index])
      let isLost = floats[index].isFinite && half & 0x7FFF == 0x7C00
      #expect(overflows == (isLost ? 1 : 0))
    }
  }

  @Test func overflowIsFoundAtEveryPlaceAndOnlyThere() {
    for count in [1, 7, 8, 9, 16, 33] {
      for place in 0..<count {
        var bfloats = [UInt16](repeating: 0x477F, count: count)
        var floats = [Float](repeating: 65519.996, count: count)
        var halves = [UInt16](repeating: 0, count: count + 1)
        halves[count] = 0xABCD
        bfloats[place] = 0xFF80  // infinite before
        floats[place] = -.infinity
        #expect(ingot_bf16_to_f16(bfloats, &halves, count) == 0)
        #expect(ingot_f32_overflows(floats, count, 65520) == 0)
        bfloats[place] = 0xC780
        floats[place] = -65520
        #expect(ingot_bf16_to_f16(bfloats, &halves, count) == 1)
        #expect(ingot_f32_overflows(floats, count, 65520) == 1)
        #expect(halves[count] == 0xABCD)
      }
    }
  }
}
