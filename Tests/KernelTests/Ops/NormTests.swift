import CKernels
import TestSupport
import Testing

@Suite struct NormTests {
  private static func reference(
    _ x: [Float], _ width: Int, _ weight: [Float]?, _ bias: [Float]?, offset: Double, epsilon: Double,
    centred: Bool
  ) -> [Double] {
    var y: [Double] = []
    for row in 0..<(x.count / max(width, 1)) {
      let values = x[(row * width)..<((row + 1) * width)].map(Double.init)
      let mean = centred ? values.reduce(0, +) / Double(width) : 0
      let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      for i in 0..<width {
        let scaled = (values[i] - mean) / (square + epsilon).squareRoot()
        let weighted = scaled * (weight.map { Double($0[i]) + offset } ?? 1)
        y.append(weighted + (bias.map { Double($0[i]) } ?? 0))
      }
    }
    return y
  }

  @Test(arguments: [(1, 1), (3, 7), (2, 16), (5, 63), (4, 64), (1, 576), (33, 577), (7, 3001)])
  func rmsNormEqualsDouble(rows: Int, width: Int) {
    var random = SplitMix64(rows * 10007 + width)
    let x = random.floats(rows * width, -2...2)
    let weight = random.floats(width, -2...2)
    for offset: Float in [0, 1] {
      let y = Ops.everyWay(rows * width) { context, y in
        var arguments = ingot_norm_arguments()
        (arguments.rows, arguments.width) = (Int64(rows), Int64(width))
        (arguments.epsilon, arguments.weight_offset) = (1e-5, offset)
        (arguments.x_stride, arguments.y_stride, arguments.y) = (Int64(width), Int64(width), y)
        x.withUnsafeBufferPointer { x in
          weight.withUnsafeBufferPointer { weight in
            (arguments.x, arguments.weight) = (x.baseAddress, weight.baseAddress)
            ingot_rms_norm(context, &arguments)
          }
        }
      }
      let wanted = Self.reference(
        x, width, weight, nil, offset: Double(offset), epsilon: Double(Float(1e-5)), centred: false)
      #expect(nmse(y, wanted) < f32Tolerance)
    }
  }

  /// Heads that lie together within rows with gaps are rows of their own.
  @Test func headsWithinRowsAreNormed() {
    let (tokens, heads, width, xStride, yStride) = (7, 3, 40, 131, 125)
    var random = SplitMix64(1)
    let x = random.floats(tokens * xStride, -2...2)
    let weight = random.floats(width, -2...2)
    func run(_ context: UnsafePointer<ingot_context>, _ y: UnsafeMutablePointer<Float>, together: Bool) {
      for head in 0..<(together ? 1 : heads) {
        var arguments = ingot_norm_arguments()
        (arguments.rows, arguments.width, arguments.epsilon) = (
          Int64(together ? tokens * heads : tokens), Int64(width), 1e-5
        )
        arguments.heads = together ? Int64(heads) : 0
        (arguments.x_stride, arguments.y_stride) = (Int64(xStride), Int64(yStride))
        x.withUnsafeBufferPointer { x in
          weight.withUnsafeBufferPointer { weight in
            (arguments.x, arguments.weight) = (x.baseAddress! + head * width, weight.baseAddress)
            arguments.y = y + head * width
            ingot_rms_norm(context, &arguments)
          }
        }
      }
    }
    let count = tokens * yStride
    let one = Ops.everyWay(count) { run($0, $1, together: true) }
    let each = Ops.everyWay(count) { run($0, $1, together: false) }
    #expect(
      zip(one, each).enumerated().allSatisfy { index, pair in
        index % yStride >= heads * width || pair.0 == pair.1
      })
    #expect((0..<tokens).allSatisfy { !one[$0 * yStride + heads * width - 1].isNaN })
  }

  @Test(arguments: [(1, 5), (6, 64), (40, 771)])
  func layerNormEqualsDouble(rows: Int, width: Int) {
    var random = SplitMix64(rows + width)
    let x = random.floats(rows * width, -1...5)
    let weight = random.floats(width, -2...2)
    let bias = random.floats(width, -2...2)
    let y = Ops.everyWay(rows * width) { context, y in
      var arguments = ingot_norm_arguments()
      (arguments.rows, arguments.width, arguments.epsilon) = (Int64(rows), Int64(width), 1e-5)
      (arguments.x_stride, arguments.y_stride, arguments.y) = (Int64(width), Int64(width), y)
      x.withUnsafeBufferPointer { x in
        weight.withUnsafeBufferPointer { weight in
          bias.withUnsafeBufferPointer { bias in
            arguments.x = x.baseAddress
            (arguments.weight, arguments.bias) = (weight.baseAddress, bias.baseAddress)
            ingot_layer_norm(context, &arguments)
          }
        }
      }
    }
    let wanted = Self.reference(
      x, width, weight, bias, offset: 0, epsilon: Double(Float(1e-5)), centred: true)
    #expect(nmse(y, wanted) < f32Tolerance)
  }

  @Test func theFusedAdditionEqualsTheSeparateOne() {
    let (rows, width) = (9, 2500)
    var random = SplitMix64(4)
    let x = random.floats(rows * width, -2...2)
    let addend = random.floats(rows * width, -2...2)
    let sum = zip(x, addend).map { $0 + $1 }
    func norm(_ x: [Float], _ addend: [Float]?) -> [Float] {
      // The results: added, then y.
      Ops.everyWay(2 * rows * width) { context, y in
        var arguments = ingot_norm_arguments()
        (arguments.rows, arguments.width, arguments.epsilon) = (Int64(rows), Int64(width), 1e-6)
        (arguments.x_stride, arguments.y_stride) = (Int64(width), Int64(width))
        (arguments.addend_stride, arguments.added_stride) = (Int64(width), Int64(width))
        arguments.y = y + rows * width
        x.withUnsafeBufferPointer { x in
          (addend ?? []).withUnsafeBufferPointer { a in
            arguments.x = x.baseAddress
            if addend != nil { (arguments.addend, arguments.added) = (a.baseAddress, y) }
            ingot_rms_norm(context, &arguments)
          }
        }
      }
    }
    let fused = norm(x, addend)
    #expect(Ops.sameBits(Array(fused[..<(rows * width)]), sum))
    #expect(Ops.sameBits(Array(fused[(rows * width)...]), Array(norm(sum, nil)[(rows * width)...])))
  }

  @Test func aRowDoesNotDependOnTheOthers() {
    let (rows, width) = (50, 700)
    var random = SplitMix64(5)
    let x = random.floats(rows * width, -2...2)
    func norm(_ first: Int, _ count: Int) -> [Float] {
      Ops.everyWay(count * width) { context, y in
        x.withUnsafeBufferPointer { x in
          var arguments = ingot_norm_arguments()
          (arguments.rows, arguments.width, arguments.epsilon) = (Int64(count), Int64(width), 1e-6)
          (arguments.x, arguments.x_stride) = (x.baseAddress! + first * width, Int64(width))
          (arguments.y, arguments.y_stride) = (y, Int64(width))
          ingot_rms_norm(context, &arguments)
        }
      }
    }
    let all = norm(0, rows)
    for row in [0, 17, 49] {
      #expect(Ops.sameBits(norm(row, 1), Array(all[(row * width)..<((row + 1) * width)])))
    }
  }
}
