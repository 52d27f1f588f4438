import CKernels
import TestSupport
import Testing

/// What the search for scales and limits of weights computes.
@Suite struct SearchTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var bits: Int32, group: Int32, minimum: Int32, isScaled: Bool
    var testDescription: String {
      "int\(bits) g\(group) \(minimum == 0 ? "sym" : "asym")\(isScaled ? " scaled" : "")"
    }
    var grouped: ingot_grouped { ingot_grouped(bits: bits, group: group, minimum: minimum) }
    static let all = [4, 8].flatMap { bits in
      [32, 64, 128].flatMap { group in
        [(Int32(0), true), (1, false), (1, true)].map {
          Case(bits: bits, group: group, minimum: $0.0, isScaled: $0.1)
        }
      }
    }
  }

  /// Rows that fill no whole chunk.
  private let rows = 37, width = 256

  private func weights(_ random: inout SplitMix64) -> [Float] {
    // Some far from the others, which are worth clipping.
    (0..<rows * width).map { _ in random.float() * (random.integer(0...30) == 0 ? 0.3 : 0.05) }
  }

  private func rounded(_ x: [Float], _ grouped: ingot_grouped) -> [Float] {
    let groups = x.count / Int(grouped.group)
    var bytes = [UInt8](repeating: 0, count: groups * ingot_grouped_bytes(grouped))
    #expect(
      ingot_quantize_grouped(INGOT_ISA_PORTABLE, grouped, x, Int64(groups), &bytes) == INGOT_QUANTIZED)
    var result = [Float](repeating: 0, count: x.count)
    ingot_dequantize_grouped(grouped, bytes, Int64(groups), &result)
    return result
  }

  private func withRows<Result>(
    _ test: Case, _ weights: [Float], _ scales: [Float], _ body: (UnsafePointer<ingot_weight_rows>) -> Result
  ) -> Result {
    weights.withUnsafeBufferPointer { weights in
      scales.withUnsafeBufferPointer { scales in
        var rows = ingot_weight_rows(
          grouped: test.grouped, rows: Int64(rows), width: Int64(width), weights: weights.baseAddress,
          scales: test.isScaled ? scales.baseAddress : nil)
        return body(&rows)
      }
    }
  }

  @Test(arguments: Case.all) func differencesAreWhatRoundingChanges(_ test: Case) {
    var random = SplitMix64(3)
    let (weights, scales) = (weights(&random), random.floats(width, 0.25...4))
    let y = Ops.everyWay(weights.count) { context, y in
      let status = withRows(test, weights, scales) { ingot_rounding_differences(context, $0, y) }
      #expect(status == INGOT_QUANTIZED)
    }
    let factors = weights.indices.map { test.isScaled ? scales[$0 % width] : 1 }
    let expected = zip(rounded(zip(weights, factors).map { $0 * $1 }, test.grouped), factors).map { $0 / $1 }
    #expect(Ops.sameBits(y, zip(expected, weights).map { $0 - $1 }))
  }

  @Test(arguments: Case.all) func limitsAreThoseThatLoseLeast(_ test: Case) {
    var random = SplitMix64(4)
    let (weights, scales) = (weights(&random), random.floats(width, 0.25...4))
    let (size, steps, candidates) = (Int(test.group), 20, 13)
    let groups = width / size
    // Products of vectors with themselves, as moments are.
    var moments = [Float](repeating: 0, count: groups * size * size)
    for group in 0..<groups {
      for _ in 0..<4 {
        let v = random.floats(size)
        for i in 0..<size { for j in 0..<size { moments[(group * size + i) * size + j] += v[i] * v[j] } }
      }
    }
    var found: [UInt8]?
    for isa in Ops.instructionSets {
      for threads in [1, 3] {
        var shrinks = [UInt8](repeating: 0xEE, count: rows * groups + 8)
        Ops.withContext(isa, threads: threads) { context in
          let status = withRows(test, weights, scales) {
            ingot_search_limits(context, $0, moments, Int32(steps), Int32(candidates), &shrinks)
          }
          #expect(status == INGOT_QUANTIZED)
        }
        #expect(shrinks[(rows * groups)...].allSatisfy { $0 == 0xEE }, "wrote outside its result")
        #expect(
          found == nil || found == shrinks, "\(String(cString: ingot_isa_name(isa))), \(threads) threads")
        found = shrinks
      }
    }
    // By the definition, in double.
    var differences = 0
    for row in 0..<rows {
      for group in 0..<groups {
        let x = (0..<size).map { column in
          let place = group * size + column
          return weights[row * width + place] * (test.isScaled ? scales[place] : 1)
        }
        let largest = x.map(abs).max() ?? 0
        let losses = (0..<candidates).map { shrink -> Double in
          let limit = largest * (1 - Float(shrink) / Float(steps))
          let d = zip(rounded(x.map { max(-limit, min(limit, $0)) }, test.grouped), x).map { Double($0 - $1) }
          var sum = 0.0
          for i in 0..<size {
            for j in 0..<size { sum += d[i] * d[j] * Double(moments[(group * size + i) * size + j]) }
          }
          return sum
        }
        let choice = Int(found?[row * groups + group] ?? 0)
        let least = losses.min() ?? 0
        // Equal within what sums of 32-bit floats leave open.
        #expect(losses[choice] <= least + 1e-4 * (losses[0] + least), "row \(row) group \(group): \(choice)")
        if choice != 0 { differences += 1 }
      }
    }
    #expect(test.bits == 8 || differences > 0)
  }

  @Test func whatIntegersCannotStandForIsSaid() {
    let test = Case(bits: 4, group: 32, minimum: 1, isScaled: true)
    var random = SplitMix64(5)
    let (good, scales) = (weights(&random), random.floats(width, 0.25...4))
    let moments = random.floats(width * 32)
    for (bad, expected) in [
      (Float.nan, INGOT_NOT_FINITE), (.infinity, INGOT_NOT_FINITE), (3e7, INGOT_SCALE_TOO_LARGE),
    ] {
      var weights = good
      weights[rows * width - 7] = bad
      for threads in [1, 3] {
        var (differences, shrinks) = (weights, [UInt8](repeating: 0, count: rows * 8))
        Ops.withContext(threads: threads) { context in
          withRows(test, weights, scales) {
            #expect(ingot_rounding_differences(context, $0, &differences) == expected)
            #expect(ingot_search_limits(context, $0, moments, 20, 10, &shrinks) == expected)
          }
        }
      }
    }
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 7), (40, 37, 96), (64, 100, 256)])
  func energyIsTheSumOfSquares(_ count: Int, _ rows: Int, _ width: Int) {
    var random = SplitMix64(6)
    let (x, d) = (random.floats(count * width), random.floats(rows * width))
    var expected = 0.0
    for i in 0..<count {
      for j in 0..<rows {
        let sum = (0..<width).reduce(0.0) { $0 + Double(x[i * width + $1]) * Double(d[j * width + $1]) }
        expected += sum * sum
      }
    }
    var found: Double?
    for isa in Ops.instructionSets {
      for threads in [1, 3] {
        let bytes = ingot_product_energy_bytes(Int64(count), Int64(rows), Int64(width), Int32(threads))
        Ops.withContext(isa, threads: threads, scratchBytes: bytes) { context in
          let energy = ingot_product_energy(context, x, Int64(count), d, Int64(rows), Int64(width))
          #expect(abs(energy - expected) <= 1e-5 * expected)
          #expect(found == nil || found == energy)
          found = energy
        }
      }
    }
  }
}
