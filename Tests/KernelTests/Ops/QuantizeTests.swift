import CKernels
import Foundation
import TestSupport
import Testing

/// Rounding to integers, against the definition in double precision and against itself without vectors.
@Suite struct QuantizeTests {
  struct Quantized: Equatable {
    var codes: [UInt8], scales: [Float], zeros: [UInt8]
  }

  private func quantize(
    _ x: [Float], bits: Int32, symmetric: Bool, scale: ingot_scale, group: Int, isa: ingot_isa,
    location: SourceLocation = #_sourceLocation
  ) -> (status: ingot_quantized, result: Quantized) {
    var quantizer = ingot_quantizer(bits: bits, symmetric: symmetric ? 1 : 0, scale: scale)
    let groups = (x.count + group - 1) / group
    // Guards behind each result.
    var result = Quantized(
      codes: .init(repeating: 0xEE, count: x.count + 16), scales: .init(repeating: 777, count: groups + 1),
      zeros: .init(repeating: 0xEE, count: groups + 1))
    let status = ingot_quantize_groups(
      isa, &quantizer, x, Int64(x.count), Int64(group), &result.codes, &result.scales, &result.zeros)
    #expect(result.codes.suffix(16).allSatisfy { $0 == 0xEE }, sourceLocation: location)
    #expect(result.scales.last == 777 && result.zeros.last == 0xEE, sourceLocation: location)
    result.codes.removeLast(16)
    result.scales.removeLast()
    result.zeros.removeLast()
    return (status, result)
  }

  @Test(arguments: [Int32(4), 8], [true, false])
  func weightsComeBackWithinHalfAStep(bits: Int32, symmetric: Bool) {
    var random = SplitMix64(Int(bits))
    for count in [1, 5, 31, 32, 33, 80, 256, 259] {
      for group in [32, 64, 4096] {
        // Some groups of one sign, some tiny.
        let size = Float(random.integer(0...20) - 10)
        let x = random.floats(count, random.integer(0...1) == 0 ? 0.5...2 : -2...2).map { $0 * exp2(size) }
        for scale in [INGOT_SCALE_F32, INGOT_SCALE_F16, INGOT_SCALE_BF16] {
          let plain = quantize(
            x, bits: bits, symmetric: symmetric, scale: scale, group: group, isa: INGOT_ISA_PORTABLE)
          #expect(plain.status == INGOT_QUANTIZED)
          for isa in Ops.instructionSets {
            let other = quantize(x, bits: bits, symmetric: symmetric, scale: scale, group: group, isa: isa)
            #expect(other.result == plain.result)
          }
          let highest = Double((1 << bits) - 1)
          for (index, weight) in x.enumerated() {
            let step = Double(plain.result.scales[index / group])
            let code = Double(plain.result.codes[index]), zero = Double(plain.result.zeros[index / group])
            if symmetric { #expect(zero == Double(1 << (bits - 1))) }
            // To the nearest code there is, give or take what f32 makes of the quotient.
            let lowest = symmetric && bits == 8 ? 1.0 : 0
            let exact = min(max(Double(weight) / step + zero, lowest), highest)
            #expect(abs(exact - code) <= 0.5 + 1e-4, "\(weight) \(step) \(code) \(zero)")
            // No weight is further outside than the rounding of its scale puts it.
            let beyond = abs(Double(weight) / step + zero - exact)
            let rounding = max(0x1p-9, scale == INGOT_SCALE_F16 ? 0x1p-25 / abs(step) : 0)
            let isTopOfSigned = symmetric && bits == 4
            #expect(beyond <= (isTopOfSigned ? 1.1 : 0.6) + highest * rounding)
          }
        }
      }
    }
  }

  @Test func zerosNeedNoScale() {
    for bits in [Int32(4), 8] {
      for symmetric in [true, false] {
        for tiny in [Float(0), -0.0, 1e-12, .leastNonzeroMagnitude] {
          let (status, result) = quantize(
            [Float](repeating: tiny, count: 40), bits: bits, symmetric: symmetric, scale: INGOT_SCALE_F16,
            group: 32,
            isa: ingot_isa_best())
          #expect(status == INGOT_QUANTIZED)
          #expect(result.scales == [1, 1])
          #expect(result.codes.allSatisfy { $0 == result.zeros[0] })
        }
      }
    }
  }

  @Test func whatIsNotFiniteIsRefusedWhereverItIs() {
    for isa in Ops.instructionSets {
      for value in [Float.nan, -.nan, .infinity, -.infinity, Float(bitPattern: 0xFFFF_FFFF)] {
        for place in [0, 7, 31, 32, 38] {
          var x = [Float](repeating: 1, count: 39)
          x[place] = value
          for symmetric in [true, false] {
            let status = quantize(
              x, bits: 4, symmetric: symmetric, scale: INGOT_SCALE_F32, group: 32, isa: isa
            ).status
            #expect(status == INGOT_NOT_FINITE)
          }
        }
      }
    }
    let large = quantize(
      [1e9], bits: 8, symmetric: true, scale: INGOT_SCALE_F16, group: 32, isa: ingot_isa_best())
    #expect(large.status == INGOT_SCALE_TOO_LARGE)
    let wide = quantize(
      [3e38, -3e38], bits: 8, symmetric: false, scale: INGOT_SCALE_F32, group: 32, isa: ingot_isa_best())
    #expect(wide.status == INGOT_SCALE_TOO_LARGE)
  }

  /// Blocks as ggml makes them hold an integer at the end of the range, from which the scale is found again.
  @Test(arguments: [Int32(4), 8]) func integersWithAScaleAreFoundAgain(bits: Int32) {
    var random = SplitMix64(3)
    for _ in 0..<300 {
      let half = UInt16(random.integer(1...0x6BFF)) | (bits == 4 && random.integer(0...1) == 1 ? 0x8000 : 0)
      var scale: Float = 0
      ingot_f16_to_f32([half], &scale, 1)
      var integers = (0..<32).map { _ in bits == 4 ? random.integer(-8...7) : random.integer(-127...127) }
      integers[random.integer(0...31)] = bits == 4 ? -8 : 127
      let (status, result) = quantize(
        integers.map { Float($0) * scale }, bits: bits, symmetric: true, scale: INGOT_SCALE_F16, group: 32,
        isa: ingot_isa_best())
      #expect(status == INGOT_QUANTIZED)
      #expect(result.scales == [scale])
      #expect(result.codes.map { Int($0) - (bits == 4 ? 8 : 128) } == integers)
    }
  }

  @Test func nibblesPackInPlaceAndApart() {
    for count in [0, 1, 2, 5, 511, 512, 513, 1500] {
      let codes = (0..<count).map { UInt8(($0 * 7) % 16) }
      let wanted = stride(from: 0, to: count, by: 2).map {
        codes[$0] | ($0 + 1 < count ? codes[$0 + 1] << 4 : 0)
      }
      var apart = [UInt8](repeating: 0xEE, count: wanted.count + 1)
      ingot_pack_nibbles(codes, &apart, Int64(count))
      #expect(apart == wanted + [0xEE])
      var place = codes
      place.withUnsafeMutableBufferPointer {
        ingot_pack_nibbles($0.baseAddress, $0.baseAddress, Int64(count))
      }
      #expect(Array(place.prefix(wanted.count)) == wanted)
      #expect(Array(place.dropFirst(wanted.count)) == Array(codes.dropFirst(wanted.count)))
    }
  }

  @Test func theErrorIsTheSumOfSquares() {
    var error = 1.0, energy = 2.0
    ingot_quantization_error([1, 2, -3], 3, 2, [9, 9, 6], [1, 2], [8, 8], &error, &energy)
    #expect(error == 1 + 0 + 1 + 1)
    #expect(energy == 2 + 1 + 4 + 9)
  }
}
