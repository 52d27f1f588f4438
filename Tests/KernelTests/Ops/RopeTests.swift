import CKernels
import Foundation
import TestSupport
import Testing

@Suite struct RopeTests {
  /// heads, head dim, rotary dim, tokens.
  static let shapes = [
    (1, 2, 2, 3), (3, 6, 4, 5), (2, 10, 10, 7), (9, 64, 64, 40), (4, 80, 32, 9), (2, 96, 72, 5),
  ]

  /// Two tables, as models with local and global layers have; token t uses table t % 2 at its position.
  private static func rotate(
    _ shape: (Int, Int, Int, Int), interleaved: Bool, tables: [[Float]], positions: [Int64],
    from x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, stride: Int,
    _ context: UnsafePointer<ingot_context>
  ) {
    let (heads, headDim, rotaryDim, tokens) = shape
    let which = (0..<tokens).map { Int32($0 % 2) }
    tables[0].withUnsafeBufferPointer { first in
      tables[1].withUnsafeBufferPointer { second in
        var pointers: [UnsafePointer<Float>?] = [first.baseAddress, second.baseAddress]
        pointers.withUnsafeMutableBufferPointer { pointers in
          which.withUnsafeBufferPointer { which in
            positions.withUnsafeBufferPointer { positions in
              var arguments = ingot_rope_arguments()
              (arguments.tokens, arguments.heads) = (Int64(tokens), Int64(heads))
              (arguments.head_dim, arguments.rotary_dim) = (Int64(headDim), Int64(rotaryDim))
              arguments.interleaved = interleaved ? 1 : 0
              (arguments.positions, arguments.table_of) = (positions.baseAddress, which.baseAddress)
              arguments.tables = UnsafePointer(pointers.baseAddress)
              (arguments.x, arguments.x_stride, arguments.y) = (x, Int64(stride), y)
              arguments.y_stride = Int64(stride)
              ingot_rope(context, &arguments)
            }
          }
        }
      }
    }
  }

  @Test(arguments: shapes.indices, [false, true])
  func ropeEqualsTorchBitForBitAndInPlace(shape index: Int, interleaved: Bool) {
    let shape = Self.shapes[index]
    let (heads, headDim, rotaryDim, tokens) = shape
    let (stride, half) = (heads * headDim + 5, rotaryDim / 2)
    var random = SplitMix64(index)
    let x = random.floats(tokens * stride, -2...2)
    let positions = (0..<tokens).map { _ in Int64(random.integer(0...49)) }
    let tables = [10000.0, 500.0].map { base in
      (0..<50).flatMap { position in
        let angles = (0..<half).map { Double(position) * pow(base, -Double($0) / Double(half)) }
        return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
      }
    }
    let apart = Ops.everyWay(x.count) { context, y in
      for i in 0..<x.count { y[i] = x[i] }  // the gaps between tokens stay as they are
      Self.rotate(
        shape, interleaved: interleaved, tables: tables, positions: positions, from: x, to: y, stride: stride,
        context)
    }
    let inPlace = Ops.everyWay(x.count) { context, y in
      for i in 0..<x.count { y[i] = x[i] }
      Self.rotate(
        shape, interleaved: interleaved, tables: tables, positions: positions, from: y, to: y, stride: stride,
        context)
    }
    var wanted = x
    for token in 0..<tokens {
      for head in 0..<heads {
        for i in 0..<half {
          let start = token * stride + head * headDim
          let (first, second) =
            interleaved ? (start + 2 * i, start + 2 * i + 1) : (start + i, start + half + i)
          let row = Int(positions[token]) * rotaryDim
          let (cosine, sine) = (tables[token % 2][row + i], tables[token % 2][row + half + i])
          let (a, b) = (x[first], x[second])
          // Two rounded products, then their sum: what torch computes.
          wanted[first] = a * cosine + (-b * sine)
          wanted[second] = b * cosine + a * sine
        }
      }
    }
    #expect(Ops.sameBits(apart, wanted))
    #expect(Ops.sameBits(inPlace, wanted))
  }
}
