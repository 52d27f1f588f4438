import CKernels
import Foundation
import TestSupport
import Testing

@Suite struct BinaryTests {
  static let functions: [(ingot_binary, @Sendable (Float, Float) -> Float)] = [
    (INGOT_ADD, { $0 + $1 }), (INGOT_SUB, { $0 - $1 }), (INGOT_MUL, { $0 * $1 }), (INGOT_DIV, { $0 / $1 }),
    (INGOT_MAX, { max($0, $1) }), (INGOT_MIN, { min($0, $1) }), (INGOT_POW, { powf($0, $1) }),
    (INGOT_EQ, { $0 == $1 ? 1 : 0 }), (INGOT_NE, { $0 != $1 ? 1 : 0 }), (INGOT_LT, { $0 < $1 ? 1 : 0 }),
    (INGOT_LE, { $0 <= $1 ? 1 : 0 }), (INGOT_GT, { $0 > $1 ? 1 : 0 }), (INGOT_GE, { $0 >= $1 ? 1 : 0 }),
    (INGOT_AND, { $0 != 0 && $1 != 0 ? 1 : 0 }), (INGOT_OR, { $0 != 0 || $1 != 0 ? 1 : 0 }),
  ]

  /// dims, strides of a, strides of b: dense, broadcast rows and columns, scalars, transposed, empty.
  static let shapes: [([Int64], [Int64], [Int64])] = [
    ([5], [1], [1]), ([3, 17], [17, 1], [0, 1]), ([7, 33], [33, 1], [1, 0]), ([4, 6], [0, 0], [6, 1]),
    ([9, 20], [1, 9], [20, 1]), ([2, 3, 4, 5], [60, 20, 5, 1], [0, 5, 0, 1]),
    ([40, 500], [500, 1], [0, 1]),
    ([3, 1, 6001], [6001, 0, 1], [0, 0, 1]), ([], [], []), ([4, 0], [0, 1], [0, 1]),
    ([2, 2, 2, 2, 2, 3], [48, 24, 12, 6, 3, 1], [0, 3, 0, 6, 0, 1]),
  ]

  @Test(arguments: shapes.indices) func binaryEqualsALoop(shape index: Int) {
    let (dims, aStrides, bStrides) = Self.shapes[index]
    func extent(_ strides: [Int64]) -> Int {
      Int(zip(dims, strides).reduce(1) { $0 + max($1.0 - 1, 0) * $1.1 })
    }
    var random = SplitMix64(index)
    // Small whole numbers, so that the comparisons see equal ones; positive for pow.
    let a = (0..<extent(aStrides)).map { _ in Float(random.integer(0...5)) }
    let b = (0..<extent(bStrides)).map { _ in Float(random.integer(0...5)) }
    let count = Int(dims.reduce(1, *))
    for (op, function) in Self.functions {
      let y = Ops.everyWay(count) { context, y in
        ingot_binary_op(context, op, Int32(dims.count), dims, a, aStrides, b, bStrides, y)
      }
      let wanted = (0..<count).map { flat in
        var (rest, i, j) = (Int64(flat), 0, 0)
        for axis in dims.indices.reversed() {
          i += Int(rest % dims[axis] * aStrides[axis])
          j += Int(rest % dims[axis] * bStrides[axis])
          rest /= dims[axis]
        }
        return function(a[i], b[j])
      }
      let equal = zip(y, wanted).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
      #expect(equal && y.count == wanted.count, "operation \(op.rawValue)")
    }
  }
}
