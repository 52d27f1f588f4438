import CKernels
import TestSupport
import Testing

@Suite struct ReduceTests {
  private static func reference(_ op: ingot_reduction, _ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + $1 * $1 }
    switch op {
    case INGOT_SUM: return values.reduce(0, +)
    case INGOT_MEAN: return mean
    case INGOT_AMAX: return values.max()!
    case INGOT_AMIN: return values.min()!
    case INGOT_NORM: return squares.squareRoot()
    default:
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
  }

  @Test(arguments: [(1, 5, 1), (3, 129, 1), (2, 7, 3), (2, 9, 64), (40, 1000, 1), (3, 50, 301), (0, 3, 2)])
  func reductionEqualsDouble(outer: Int, axis: Int, inner: Int) {
    var random = SplitMix64(outer + axis + inner)
    let x = random.floats(outer * axis * inner, -1...3)
    for op in [INGOT_SUM, INGOT_MEAN, INGOT_AMAX, INGOT_AMIN, INGOT_NORM, INGOT_STD] {
      let y = Ops.everyWay(outer * inner) { context, y in
        ingot_reduce(context, op, Int64(outer), Int64(axis), Int64(inner), x, y)
      }
      let wanted = (0..<(outer * inner)).map { at in
        Self.reference(
          op, (0..<axis).map { Double(x[(at / inner * axis + $0) * inner + at % inner]) })
      }
      #expect(nmse(y, wanted) < f32Tolerance, "reduction \(op.rawValue)")
    }
  }

  @Test(arguments: [1, 2]) func extremaKeepNaN(inner: Int) {
    for at in 0..<40 {
      var x = [Float](repeating: 1, count: 40 * inner)
      x[at * inner] = .nan
      for op in [INGOT_AMAX, INGOT_AMIN] {
        var y = [Float](repeating: 0, count: inner)
        Ops.withContext { ingot_reduce($0, op, 1, 40, Int64(inner), x, &y) }
        #expect(y[0].isNaN)
      }
    }
  }
}
