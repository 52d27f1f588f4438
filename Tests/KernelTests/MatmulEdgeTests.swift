import CKernels
import Testing

@Suite struct MatmulEdgeTests {
  @Test(arguments: WeightKind.integers) func extremeWeightsStayExact(kind: WeightKind) {
    // All weights at the end of their range, against activations of one size: the largest sums there are. 127 is
    // quantised with a scale of 1, so that nothing is rounded.
    for integer: ClosedRange<Int8> in [-128...(-128), 127...127] {
      let matrix = PackedMatrix(kind, n: 20, k: 256, seed: 3, integer: integer)
      let x = (0..<9 * 256).map { Float($0 / 256 % 2 == 0 ? 127 : -127) }
      let product = Product(matrix, x: x), portable = product.run(INGOT_ISA_PORTABLE)!
      for (index, value) in portable.enumerated() {
        let row = index / 20, output = index % 20
        let sum = matrix.values[output * 256..<(output + 1) * 256].reduce(0.0) { $0 + 127 * Double($1) }
        let expected = row % 2 == 0 ? sum : -sum
        #expect(abs(Double(value) - expected) <= 1e-5 * abs(expected) + 1e-2)
      }
      for isa in instructionSets { #expect(sameBits(product.run(isa), portable), "\(isa)") }
    }
  }

  @Test(arguments: [INGOT_ISA_PORTABLE, ingot_isa_best()]) func activationsRoundTiesToEven(isa: ingot_isa) {
    // Row i of the identity reads back x[i], rounded: a scale of one comes from the 127.
    let k = 32, kind = WeightKind(format: INGOT_I8, group: 32, name: "i8")
    let identity = PackedMatrix(kind, n: 16, k: k, seed: 0)
    let q = (0..<16 * k).map { Int8($0 / k == $0 % k ? 1 : 0) }
    let one = [UInt16](repeating: Float16(1).bitPattern, count: 16)
    ingot_pack_integer_tile(INGOT_I8, Int64(k), 32, q, one, nil, 16, identity.tile(0))
    var x: [Float] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, -126.5, 126.5, 3.51, -3.49, 0, 64, -127, 1]
    let expected: [Float] = [127, 0, 2, 2, 0, -2, -2, 0, -126, 126, 4, -3, 0, 64, -127, 1]
    x += [Float](repeating: 0, count: k - x.count)
    #expect(Product(identity, x: x).run(isa) == expected)
  }

  @Test(arguments: WeightKind.all) func zeroRowsGiveZeros(kind: WeightKind) {
    let product = Product(PackedMatrix(kind, n: 20, k: 70, seed: 4), x: [Float](repeating: 0, count: 5 * 70))
    for isa in instructionSets { #expect(product.run(isa)!.allSatisfy { $0 == 0 }) }
  }

  @Test(arguments: WeightKind.all) func nonFiniteRowsStayAlone(kind: WeightKind) {
    let matrix = PackedMatrix(kind, n: 20, k: 100, seed: 5)
    let clean = Product(matrix, x: Array(Product(matrix, m: 9, seed: 6).x.prefix(900)))
    for bad in [Float.nan, .infinity, -.infinity, .signalingNaN] {
      var x = clean.x
      x[4 * 100 + 77] = bad
      let product = Product(matrix, x: x)
      for isa in instructionSets {
        let y = product.run(isa)!, expected = clean.run(isa)!
        #expect(sameBits(Array(y[..<80] + y[100...]), Array(expected[..<80] + expected[100...])))
        #expect(y[80..<100].allSatisfy { !$0.isFinite })
      }
    }
  }

  @Test(arguments: WeightKind.all) func tinyAndHugeInputsAgree(kind: WeightKind) {
    let matrix = PackedMatrix(kind, n: 20, k: 100, seed: 9)
    let unit = Product(matrix, m: 9, seed: 10).x.prefix(900)
    for scale in [Float.leastNonzeroMagnitude, 0x1p-132, 0x1p-101, 0x1p-99, 1e30, 3e38] {
      let product = Product(matrix, x: unit.map { $0 * scale }), portable = product.run(INGOT_ISA_PORTABLE)
      for isa in instructionSets { #expect(sameBits(product.run(isa), portable), "\(isa) \(scale)") }
    }
  }

  @Test(arguments: WeightKind.all) func packingIsUndoneExactly(kind: WeightKind) {
    for (n, k) in [(1, 1), (16, 128), (19, 77), (40, 300)] {
      let matrix = PackedMatrix(kind, n: n, k: k, seed: n + k)
      for row in 0..<n {
        var values = [Float](repeating: 0, count: k)
        ingot_unpack_row(kind.format, Int64(k), kind.group, matrix.tile(row), Int32(row % 16), &values)
        #expect(values == Array(matrix.values[row * k..<(row + 1) * k]))
      }
    }
  }

  @Test(arguments: WeightKind.all) func tilesBeginAtCacheLines(kind: WeightKind) {
    for k in [1, 31, 32, 100, 576] {
      #expect(ingot_tile_bytes(kind.format, Int64(k), kind.group) % 64 == 0)
    }
  }

  @Test func residualMayBeTheOutput() {
    let kind = WeightKind.floats[0], matrix = PackedMatrix(kind, n: 40, k: 64, seed: 11)
    let product = Product(matrix, m: 6, seed: 12), expected = product.run(ingot_isa_best())!
    var y = product.residual!, weight = matrix.weight
    product.x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        product.bias!.withUnsafeBufferPointer { bias in
          withUnsafePointer(to: &weight) { weight in
            var context = ingot_context(
              pool: nil, threads: 1, isa: ingot_isa_best(), scratch: nil, scratch_bytes: 0)
            var arguments = ingot_matmul_arguments()
            arguments.weight = weight
            (arguments.m, arguments.x, arguments.x_stride) = (6, x.baseAddress, Int64(product.xStride))
            arguments.bias = bias.baseAddress
            (arguments.residual, arguments.residual_stride) = (UnsafePointer(y.baseAddress), 40)
            (arguments.y, arguments.y_stride) = (y.baseAddress, 40)
            ingot_matmul(&context, &arguments)
          }
        }
      }
    }
    #expect(y == expected)
  }
}
