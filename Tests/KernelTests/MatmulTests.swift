import CKernels
import Testing

@Suite struct MatmulTests {
  /// Odd shapes: below, at and beyond a tile, a group, four rows and a block of rows.
  static let shapes = [
    (n: 1, k: 33, m: 1), (n: 16, k: 64, m: 4), (n: 17, k: 100, m: 2), (n: 100, k: 299, m: 1),
    (n: 71, k: 161, m: 3), (n: 50, k: 200, m: 7), (n: 33, k: 130, m: 37), (n: 40, k: 290, m: 50),
    (n: 90, k: 45, m: 11), (n: 5, k: 641, m: 9),
  ]

  @Test(arguments: WeightKind.all) func everyInstructionSetEqualsPortable(kind: WeightKind) {
    for (seed, shape) in Self.shapes.enumerated() {
      let matrix = PackedMatrix(kind, n: shape.n, k: shape.k, seed: seed)
      let product = Product(matrix, m: shape.m, seed: seed + 100, extras: seed % 2 == 0)
      let portable = product.run(INGOT_ISA_PORTABLE)
      #expect(portable != nil)
      for isa in instructionSets.dropFirst() {
        #expect(sameBits(product.run(isa), portable), "\(isa) \(shape)")
      }
    }
  }

  /// Against double sums of the activations as they are quantised. What is left is the rounding of f32 sums:
  /// at most ~700 of them, each within 2⁻²⁴, a random walk to an NMSE of 700 · 2⁻⁴⁸ / 3 ≈ 1e-12.
  @Test(arguments: WeightKind.all) func portableEqualsDoubleSums(kind: WeightKind) {
    for (seed, shape) in Self.shapes.enumerated() where shape.m < 12 {
      let matrix = PackedMatrix(kind, n: shape.n, k: shape.k, seed: seed)
      let product = Product(matrix, m: shape.m, seed: seed + 100)
      guard let y = product.run(INGOT_ISA_PORTABLE) else { return #expect(Bool(false), "guards \(shape)") }
      var error = 0.0, energy = 0.0
      for row in 0..<shape.m {
        let x = Quantized(Array(product.x[row * product.xStride..<row * product.xStride + shape.k]), kind)
        for output in 0..<shape.n {
          var sum = Double(product.bias![output]) + Double(product.residual![row * shape.n + output])
          for i in 0..<shape.k {
            let group = kind.hasMinimum ? output * x.sums.count + i / Int(kind.group) : 0
            let minimum = kind.hasMinimum ? Double(matrix.minimums[group]) : 0
            let weight = Double(matrix.values[output * shape.k + i])
            sum += x.values[i] * (weight - minimum)
            energy += x.values[i] * weight * x.values[i] * weight
            // A group's minimum counts once, with the rounded sum of its activations.
            if kind.hasMinimum, i % Int(kind.group) == 0 { sum += minimum * x.sums[i / Int(kind.group)] }
          }
          let difference = sum - Double(y[row * shape.n + output])
          error += difference * difference
        }
      }
      #expect(error / energy < 1e-11, "\(shape)")
    }
  }

  /// Rounding x to steps of amax / 127 leaves amax² / (12 · 127²) of its power amax² / 3: 1.6e-5, here doubled.
  @Test(arguments: WeightKind.integers) func quantisedActivationsStayClose(kind: WeightKind) {
    let matrix = PackedMatrix(kind, n: 32, k: 256, seed: 1)
    let product = Product(matrix, m: 16, seed: 2, extras: false)
    let y = product.run(ingot_isa_best())!
    var error = 0.0, energy = 0.0
    for row in 0..<16 {
      for output in 0..<32 {
        var sum = 0.0
        for i in 0..<256 {
          let term = Double(product.x[row * product.xStride + i]) * Double(matrix.values[output * 256 + i])
          sum += term
          energy += term * term
        }
        let difference = sum - Double(y[row * 32 + output])
        error += difference * difference
      }
    }
    #expect(error / energy < 3.2e-5)
  }

  @Test(arguments: WeightKind.all) func rowsDoNotDependOnEachOther(kind: WeightKind) {
    let matrix = PackedMatrix(kind, n: 50, k: 150, seed: 7), product = Product(matrix, m: 53, seed: 8)
    for isa in instructionSets {
      let all = product.run(isa)!
      for rows in [0..<1, 17..<18, 52..<53, 3..<5, 10..<13, 20..<24, 30..<37, 40..<52] {
        let some = product.run(isa, rows: rows)
        #expect(sameBits(some, Array(all[rows.lowerBound * 50..<rows.upperBound * 50])), "\(isa) \(rows)")
      }
    }
  }

  @Test(arguments: WeightKind.all) func threadsDoNotChangeResults(kind: WeightKind) {
    let pool = ingot_pool_create(4, 0)
    defer { ingot_pool_destroy(pool) }
    // Large enough to be split; one row is so only with many weights, which a debug build draws slowly.
    let oneRow = kind.description == "i4/32" ? [(1000, 160, 1)] : []
    for (n, k, m) in oneRow + [(120, 130, 30), (50, 130, 100)] {
      let product = Product(PackedMatrix(kind, n: n, k: k, seed: n), m: m, seed: m)
      let alone = product.run(ingot_isa_best())
      #expect(alone != nil)
      for threads in 2...4 {
        #expect(sameBits(product.run(ingot_isa_best(), pool: pool, threads: threads), alone), "\(threads)")
      }
    }
  }
}

/// A row in double, after the rounding to int8 that the header documents.
private struct Quantized {
  var values: [Double] = []
  /// Σ of each group's values, as rounded for the minimums.
  var sums: [Double] = []

  init(_ x: [Float], _ kind: WeightKind) {
    guard !kind.isFloat else {
      values = x.map { Double($0) }
      return
    }
    for start in stride(from: 0, to: x.count, by: Int(kind.group)) {
      let group = x[start..<min(start + Int(kind.group), x.count)], amax = group.map(abs).max()!
      let q = group.map { ($0 * (127 / amax)).rounded(.toNearestOrEven) }
      // Half has 11 bits, and these magnitudes are well within its range.
      values += q.map { Double(Float16(amax / 127)) * Double($0) }
      sums.append(Double(Float16(amax / 127 * q.reduce(0, +))))
    }
  }
}
