import CKernels
import Checkpoints
import TestSupport
import Testing

func blockSizes(_ type: GGUFBlockType) -> [Int] {
  let block = ingot_block(rawValue: type.rawValue)
  return [ingot_block_weights(block), ingot_block_bytes(block)]
}

/// The conversions of `convert.c` against definitions of the formats.
@Suite struct ConvertTests {
  /// The value of a half by its definition.
  func value(half: UInt16) -> Double {
    let sign = half & 0x8000 == 0 ? 1.0 : -1.0
    let exponent = Int(half >> 10 & 31), mantissa = Double(half & 1023)
    if exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * mantissa * 0x1p-24 }
    return sign * (1 + mantissa / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
  }

  func halves(_ floats: [Float]) -> [UInt16] {
    [UInt16](unsafeUninitializedCapacity: floats.count) { buffer, count in
      ingot_f32_to_f16(floats, buffer.baseAddress, floats.count)
      count = floats.count
    }
  }

  func floats(_ halves: [UInt16]) -> [Float] {
    [Float](unsafeUninitializedCapacity: halves.count) { buffer, count in
      ingot_f16_to_f32(halves, buffer.baseAddress, halves.count)
      count = halves.count
    }
  }

  @Test func everyHalfHasItsValueAndComesBack() {
    let all = (0...UInt16.max).map { $0 }
    let values = floats(all)
    for (half, float) in zip(all, values) {
      let expected = value(half: half)
      #expect(expected.isNaN ? float.isNaN : Double(float) == expected, "\(half)")
      #expect(expected.isNaN || (float.sign == .minus) == (half >= 0x8000))
    }
    for (half, back) in zip(all, halves(values)) {
      // A signalling NaN comes back quiet.
      #expect(back == (value(half: half).isNaN ? half | 0x200 : half), "\(half)")
    }
  }

  @Test func floatsRoundToTheNearestHalfTiesToEven() {
    // Between each half and the next: just below, at and just above the middle.
    let lower = (0..<UInt16(0x7BFF)).map { $0 }
    let middles = lower.map { Float((value(half: $0) + value(half: $0 + 1)) / 2) }
    #expect(halves(middles) == lower.map { $0 % 2 == 0 ? $0 : $0 + 1 })
    #expect(halves(middles.map(\.nextDown)) == lower)
    #expect(halves(middles.map(\.nextUp)) == lower.map { $0 + 1 })
    #expect(halves(middles.map { -$0 }) == lower.map { ($0 % 2 == 0 ? $0 : $0 + 1) | 0x8000 })
    #expect(halves([65_519.996, 65_520, .infinity, -.infinity]) == [0x7BFF, 0x7C00, 0x7C00, 0xFC00])
  }

  @Test func tailsConvertAsVectorsDo() {
    var random = SplitMix64(1)
    let floats = (0..<64).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
    let whole = halves(floats)
    for start in 0..<floats.count {
      #expect(halves(Array(floats[start..<min(start + 3, 64)])) == Array(whole[start..<min(start + 3, 64)]))
    }
  }

  @Test func bfloatsRoundToEvenAndKeepNaN() {
    let cases: [(UInt32, UInt16)] = [
      (0x3F80_0000, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81), (0x3F81_8000, 0x3F82),
      (0x7F7F_FFFF, 0x7F80), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x7F80_0001, 0x7FC0),
      (0xFFFF_FFFF, 0xFFFF), (0x0000_8001, 0x0001), (0x8000_0000, 0x8000),
    ]
    var results = [UInt16](repeating: 0, count: cases.count)
    ingot_f32_to_bf16(cases.map { Float(bitPattern: $0.0) }, &results, cases.count)
    #expect(results == cases.map(\.1))
    var back = [Float](repeating: 0, count: cases.count)
    ingot_bf16_to_f32(results, &back, cases.count)
    #expect(back.map(\.bitPattern) == results.map { UInt32($0) << 16 })
  }

  @Test(arguments: GGUFBlockType.allCases) func dequantizingWritesNoFurther(type: GGUFBlockType) {
    let block = [UInt8](repeating: 0x3C, count: type.blockBytes * 3)
    var target = [Float](repeating: -7, count: type.blockWeights * 3 + 4)
    #expect(ingot_dequantize(ingot_block(rawValue: type.rawValue), block, &target, 3) == 0)
    #expect(target.suffix(4) == [-7, -7, -7, -7])
    #expect(!target.dropLast(4).contains(-7))
  }
}
