import CKernels
import TestSupport
import Testing

/// Products that take in a norm and a gate give the bits of the three operations one after the other.
@Suite struct MatmulFusionTests {
  struct Shape: Sendable {
    let m: Int, n: Int, k: Int
  }
  static let shapes = [
    Shape(m: 1, n: 64, k: 96), Shape(m: 3, n: 32, k: 40), Shape(m: 7, n: 352, k: 128),
    Shape(m: 49, n: 608, k: 70),
    Shape(m: 130, n: 1568, k: 64),
  ]

  @Test(arguments: WeightKind.integers, shapes)
  func normBeforeEqualsSeparateNorm(kind: WeightKind, shape: Shape) {
    for isLayer in [false, true] { checkNorm(kind, shape, isLayer: isLayer) }
  }

  private func checkNorm(_ kind: WeightKind, _ shape: Shape, isLayer: Bool) {
    let matrix = PackedMatrix(kind, n: shape.n, k: shape.k, seed: 21)
    var generator = SplitMix64(22)
    let x = generator.floats(shape.m * shape.k), weight = generator.floats(shape.k)
    let bias = generator.floats(shape.k)
    var norm = ingot_norm_arguments()
    (norm.rows, norm.width) = (Int64(shape.m), Int64(shape.k))
    (norm.epsilon, norm.weight_offset) = (1e-5, isLayer ? 0 : 1)
    weight.withUnsafeBufferPointer { weight in
      bias.withUnsafeBufferPointer { bias in
        norm.weight = weight.baseAddress
        norm.bias = isLayer ? bias.baseAddress : nil
        for isa in instructionSets {
          let rows = normed(x, norm, isLayer: isLayer, isa)
          let separate = product(matrix, rows, isa, threads: 1, columns: shape.n)
          let fused = withUnsafePointer(to: &norm) { norm in
            product(matrix, x, isa, threads: 3, columns: shape.n) {
              ($0.norm, $0.norm_is_layer) = (norm, isLayer ? 1 : 0)
            }
          }
          #expect(sameBits(fused, separate))
        }
      }
    }
  }

  /// Reading x in another order, with and without a norm before it, is the product of the reordered rows.
  @Test(arguments: WeightKind.integers, shapes)
  func orderedInputsEqualReorderedRows(kind: WeightKind, shape: Shape) {
    let matrix = PackedMatrix(kind, n: shape.n, k: shape.k, seed: 31)
    var generator = SplitMix64(32)
    let x = generator.floats(shape.m * shape.k), weight = generator.floats(shape.k)
    let order = (0..<Int32(shape.k)).shuffled(using: &generator)
    func reordered(_ rows: [Float]) -> [Float] {
      rows.indices.map { rows[$0 / shape.k * shape.k + Int(order[$0 % shape.k])] }
    }
    var norm = ingot_norm_arguments()
    (norm.rows, norm.width, norm.epsilon) = (Int64(shape.m), Int64(shape.k), 1e-5)
    weight.withUnsafeBufferPointer { weight in
      order.withUnsafeBufferPointer { order in
        norm.weight = weight.baseAddress
        for isa in instructionSets {
          let plain = product(matrix, reordered(x), isa, threads: 1, columns: shape.n)
          let ordered = product(matrix, x, isa, threads: 3, columns: shape.n) {
            $0.x_order = order.baseAddress
          }
          #expect(sameBits(ordered, plain))
          let rows = reordered(normed(x, norm, isLayer: false, isa))
          let separate = product(matrix, rows, isa, threads: 1, columns: shape.n)
          let fused = withUnsafePointer(to: &norm) { norm in
            product(matrix, x, isa, threads: 3, columns: shape.n) {
              ($0.norm, $0.x_order) = (norm, order.baseAddress)
            }
          }
          #expect(sameBits(fused, separate))
        }
      }
    }
  }

  private func normed(
    _ x: [Float], _ norm: ingot_norm_arguments, isLayer: Bool, _ isa: ingot_isa
  ) -> [Float] {
    var y = [Float](repeating: 0, count: x.count)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        var call = norm, context = ingot_context()
        (context.isa, context.threads) = (isa, 1)
        (call.x, call.x_stride) = (x.baseAddress, norm.width)
        (call.y, call.y_stride) = (y.baseAddress, norm.width)
        if isLayer { ingot_layer_norm(&context, &call) } else { ingot_rms_norm(&context, &call) }
      }
    }
    return y
  }

  @Test(arguments: WeightKind.all, shapes)
  func gateAfterEqualsSeparateGate(kind: WeightKind, shape: Shape) {
    let matrix = PackedMatrix(kind, n: shape.n, k: shape.k, seed: 23)
    var generator = SplitMix64(24)
    let x = generator.floats(shape.m * shape.k), width = shape.n / 2
    for isa in instructionSets {
      let both = product(matrix, x, isa, threads: 1, columns: shape.n)
      for gateIsSecond in [false, true] {
        var expected = [Float](repeating: 0, count: shape.m * width)
        both.withUnsafeBufferPointer { both in
          var context = ingot_context()
          (context.isa, context.threads) = (isa, 1)
          let first = both.baseAddress!, second = first + width
          ingot_gated(
            &context, INGOT_SILU, Int64(shape.m), Int64(width), gateIsSecond ? second : first, Int64(shape.n),
            gateIsSecond ? first : second, Int64(shape.n), &expected, Int64(width))
        }
        let fused = product(matrix, x, isa, threads: 3, columns: width) {
          ($0.gated, $0.gate_is_second, $0.activation) = (1, gateIsSecond ? 1 : 0, INGOT_SILU)
        }
        #expect(sameBits(fused, expected))
      }
    }
  }

  /// Runs a product; x is dense, and so is the result.
  private func product(
    _ matrix: PackedMatrix, _ x: [Float], _ isa: ingot_isa, threads: Int, columns: Int,
    _ set: (inout ingot_matmul_arguments) -> Void = { _ in }
  ) -> [Float] {
    let m = x.count / matrix.k
    let bytes = ingot_matmul_scratch_bytes(
      matrix.kind.format, Int64(m), Int64(matrix.k), matrix.kind.group, Int32(threads))
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
    scratch.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
    let pool = threads > 1 ? ingot_pool_create(Int32(threads), 0) : nil
    defer {
      scratch.deallocate()
      ingot_pool_destroy(pool)
    }
    var y = [Float](repeating: .nan, count: m * columns), weight = matrix.weight
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        withUnsafePointer(to: &weight) { weight in
          var context = ingot_context(
            pool: pool, threads: Int32(threads), isa: isa, scratch: scratch, scratch_bytes: bytes)
          var arguments = ingot_matmul_arguments()
          (arguments.weight, arguments.m) = (weight, Int64(m))
          (arguments.x, arguments.x_stride) = (x.baseAddress, Int64(matrix.k))
          (arguments.y, arguments.y_stride) = (y.baseAddress, Int64(columns))
          set(&arguments)
          ingot_matmul(&context, &arguments)
        }
      }
    }
    return y
  }
}
