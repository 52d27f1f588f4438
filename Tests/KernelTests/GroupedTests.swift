import CKernels
import Testing

/// Rows of grouped integers.
@Suite struct GroupedTests {
  struct Format: CustomTestStringConvertible, Sendable {
    var bits: Int32, group: Int32, minimum: Int32
    var kernel: ingot_grouped { ingot_grouped(bits: bits, group: group, minimum: minimum) }
    var testDescription: String { "int\(bits) g\(group) \(minimum == 0 ? "sym" : "asym")" }
    static let all = [4, 8].flatMap { bits in
      [32, 64, 128].flatMap { group in [0, 1].map { Format(bits: bits, group: group, minimum: $0) } }
    }
  }

  private func weights(_ count: Int, seed: UInt64, offset: Float = 0) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      // The sum of four uniform numbers: a middle and tails.
      (0..<4).reduce(offset) { sum, _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return sum + Float(Int32(truncatingIfNeeded: state >> 33)) / 2_147_483_648 * 0.05 - 0.0125
      }
    }
  }

  private func quantized(_ values: [Float], _ format: Format, _ isa: ingot_isa) -> [UInt8] {
    let groups = values.count / Int(format.group)
    var bytes = [UInt8](repeating: 0xAA, count: groups * ingot_grouped_bytes(format.kernel))
    let status = ingot_quantize_grouped(isa, format.kernel, values, Int64(groups), &bytes)
    #expect(status == INGOT_QUANTIZED)
    return bytes
  }

  private func floats(_ bytes: [UInt8], _ format: Format, count: Int) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    ingot_dequantize_grouped(format.kernel, bytes, Int64(count / Int(format.group)), &values)
    return values
  }

  private func error(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
  }

  @Test("Instruction sets agree, and the search loses less than the plain range", arguments: Format.all)
  func quantizes(format: Format) {
    let values = weights(128 * 64, seed: 7, offset: format.minimum == 0 ? 0 : 0.02)
    let bytes = quantized(values, format, INGOT_ISA_PORTABLE)
    #expect(bytes == quantized(values, format, ingot_isa_best()))
    // The plain range: the largest weight at the end of the integers, without a search.
    var plain: [Float] = []
    for start in stride(from: 0, to: values.count, by: Int(format.group)) {
      let part = values[start..<start + Int(format.group)]
      let (low, high) = (part.min()!, part.max()!)
      let levels: Float = format.bits == 4 ? 15 : 255
      for value in part {
        if format.minimum == 1 {
          let scale = (high - low) / levels
          plain.append(((value - low) / scale).rounded() * scale + low)
        } else {
          let largest = -low > high ? low : high
          let scale = format.bits == 4 ? largest / -8 : abs(largest) / 127
          let most: Float = format.bits == 4 ? 7 : 127
          plain.append(min(most, (value / scale).rounded()) * scale)
        }
      }
    }
    let (searched, unsearched) = (
      error(values, floats(bytes, format, count: values.count)), error(values, plain)
    )
    // Scales of 8 bits are not searched, only rounded to f16.
    #expect(searched < unsearched * (format.bits == 4 ? 0.97 : 1.05))
  }

  @Test("A channel's groups share the scale that its largest weight gives", arguments: Format.all)
  func channels(format: Format) {
    guard format.minimum == 0 else { return }
    // Groups of unlike size, whose own scales would differ.
    let values = (0..<8).flatMap { group in
      weights(Int(format.group), seed: UInt64(group)).map { $0 * Float(1 + group) }
    }
    let groupBytes = ingot_grouped_bytes(format.kernel)
    var made: [[UInt8]] = []
    for isa in [INGOT_ISA_PORTABLE, ingot_isa_best()] {
      var bytes = [UInt8](repeating: 0xAA, count: 8 * groupBytes)
      #expect(ingot_quantize_channel(isa, format.kernel, values, 8, &bytes) == INGOT_QUANTIZED)
      made.append(bytes)
    }
    #expect(made[0] == made[1])
    let scales = (0..<8).map { [made[0][$0 * groupBytes], made[0][$0 * groupBytes + 1]] }
    #expect(scales.allSatisfy { $0 == scales[0] })
    let largest = values.map(abs).max() ?? 0
    let rounded = floats(made[0], format, count: values.count)
    if format.bits == 8 {
      // Half a step, and what f16 leaves of the scale.
      let step = largest / 127
      #expect(zip(values, rounded).allSatisfy { abs($0 - $1) <= step * 0.5 + abs($0) * 0x1p-11 })
    } else {
      let plain = values.map { min(7, max(-8, ($0 / (largest / 8)).rounded())) * (largest / 8) }
      #expect(error(values, rounded) < error(values, plain))
    }
    var bytes = made[0]
    for bad in [Float.nan, .infinity, 1e30] {
      var values = values
      values[values.count - 1] = bad
      #expect(ingot_quantize_channel(INGOT_ISA_PORTABLE, format.kernel, values, 8, &bytes) != INGOT_QUANTIZED)
    }
    let zeros = [Float](repeating: 0, count: values.count)
    #expect(ingot_quantize_channel(INGOT_ISA_PORTABLE, format.kernel, zeros, 8, &bytes) == INGOT_QUANTIZED)
    #expect(floats(bytes, format, count: values.count).allSatisfy { $0 == 0 })
  }

  @Test("Any number of groups, whatever lies beside them", arguments: Format.all)
  func counts(format: Format) {
    let size = Int(format.group)
    let values = weights(19 * size, seed: 11)
    let whole = quantized(values, format, ingot_isa_best())
    for count in [1, 3, 8, 9, 15] {
      #expect(
        quantized(Array(values[..<(count * size)]), format, ingot_isa_best())
          == Array(whole[..<(count * ingot_grouped_bytes(format.kernel))]))
    }
  }

  @Test("Integers survive rows, tiles and rows again", arguments: Format.all) func roundTrip(format: Format) {
    let (k, groups) = (256, 256 / Int(format.group))
    let rowBytes = groups * ingot_grouped_bytes(format.kernel)
    let rows = (0..<16).map { quantized(weights(k, seed: UInt64($0) + 1), format, INGOT_ISA_PORTABLE) }
    var q = [Int8](repeating: 0, count: 16 * k)
    var scales = [UInt16](repeating: 0, count: 16 * groups)
    var minimums = scales
    for (row, bytes) in rows.enumerated() {
      var (rowQ, rowScales, rowMinimums) = (
        [Int8](repeating: 0, count: k), [UInt16](repeating: 0, count: groups),
        [UInt16](repeating: 0, count: groups)
      )
      ingot_split_grouped(format.kernel, bytes, Int64(groups), &rowQ, &rowScales, &rowMinimums)
      q.replaceSubrange(row * k..<(row + 1) * k, with: rowQ)
      scales.replaceSubrange(row * groups..<(row + 1) * groups, with: rowScales)
      minimums.replaceSubrange(row * groups..<(row + 1) * groups, with: rowMinimums)
    }
    let packed = ingot_grouped_format(format.kernel)
    var tile = [UInt8](repeating: 0, count: ingot_tile_bytes(packed, Int64(k), format.group))
    ingot_pack_integer_tile(packed, Int64(k), format.group, q, scales, minimums, 16, &tile)
    for (row, bytes) in rows.enumerated() {
      var (laneQ, laneScales, laneMinimums) = (
        [Int8](repeating: 0, count: k), [UInt16](repeating: 0, count: groups),
        [UInt16](repeating: 0, count: groups)
      )
      ingot_unpack_integers(
        packed, Int64(k), format.group, tile, Int32(row), &laneQ, &laneScales, &laneMinimums)
      var again = [UInt8](repeating: 0, count: rowBytes)
      ingot_join_grouped(format.kernel, laneQ, laneScales, laneMinimums, Int64(groups), &again)
      #expect(again == bytes)
      var unpacked = [Float](repeating: 0, count: k)
      ingot_unpack_row(packed, Int64(k), format.group, tile, Int32(row), &unpacked)
      #expect(unpacked.map(\.bitPattern) == floats(bytes, format, count: k).map(\.bitPattern))
    }
  }

  @Test(
    "Weights that integers cannot stand for are refused; zeros and tiny ones are not", arguments: Format.all)
  func edges(format: Format) {
    let count = Int(format.group)
    var bytes = [UInt8](repeating: 0, count: ingot_grouped_bytes(format.kernel))
    for bad in [Float.nan, .infinity, -.infinity] {
      var values = weights(count, seed: 3)
      values[count / 2] = bad
      #expect(
        ingot_quantize_grouped(INGOT_ISA_PORTABLE, format.kernel, values, 1, &bytes) == INGOT_NOT_FINITE)
    }
    let large = weights(count, seed: 3).map { $0 * 1e9 }
    #expect(
      ingot_quantize_grouped(INGOT_ISA_PORTABLE, format.kernel, large, 1, &bytes) == INGOT_SCALE_TOO_LARGE)
    for value in [Float(0), 0.25, 1e-30, -0.5] {
      let values = [Float](repeating: value, count: count)
      let made = floats(quantized(values, format, INGOT_ISA_PORTABLE), format, count: count)
      #expect(made.allSatisfy { abs($0 - value) <= abs(value) * 0.01 + 1e-7 }, "\(value)")
    }
  }
}
