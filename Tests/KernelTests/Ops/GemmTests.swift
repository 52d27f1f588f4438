import CKernels
import TestSupport
import Testing

@Suite struct GemmTests {
  /// batch, m, n, k: tails of every block, several tiles, nothing at all.
  static let shapes: [(Int, Int, Int, Int)] = [
    (1, 1, 1, 1), (2, 5, 17, 3), (1, 6, 16, 8), (3, 7, 33, 300), (1, 61, 70, 257), (1, 250, 65, 20),
    (2, 3, 4, 0),
    (1, 0, 5, 5), (1, 13, 530, 31),
  ]

  @Test(arguments: shapes.indices, 0..<4)
  func productEqualsDouble(shape: Int, transposed: Int) {
    let (aTransposed, bTransposed) = (transposed & 1 == 1, transposed & 2 == 2)
    let (batch, m, n, k) = Self.shapes[shape]
    var random = SplitMix64(shape)
    let a = random.floats(max(batch * m * k, 1), -2...2)
    let b = random.floats(max(batch * k * n, 1), -2...2)
    let row = n + 3
    let y = Ops.everyWay(
      batch * m * row,
      scratchBytes: { ingot_gemm_scratch_bytes(Int64(m), Int64(n), Int64(k), Int32($0)) }
    ) { context, y in
      for i in 0..<(batch * m * row) { y[i] = 77 }
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          var arguments = ingot_gemm_arguments()
          (arguments.batch, arguments.m, arguments.n, arguments.k) = (
            Int64(batch), Int64(m), Int64(n), Int64(k)
          )
          (arguments.a, arguments.b, arguments.y) = (a.baseAddress, b.baseAddress, y)
          (arguments.a_batch, arguments.b_batch) = (Int64(m * k), Int64(k * n))
          (arguments.a_row, arguments.a_column) = aTransposed ? (1, Int64(m)) : (Int64(k), 1)
          (arguments.b_row, arguments.b_column) = bTransposed ? (1, Int64(k)) : (Int64(n), 1)
          (arguments.y_batch, arguments.y_row) = (Int64(m * row), Int64(row))
          ingot_gemm(context, &arguments)
        }
      }
    }
    var wanted: [Double] = []
    for index in 0..<(batch * m * row) {
      let (p, i, j) = (index / (m * row), index / row % m, index % row)
      var sum = 0.0
      for d in 0..<k where j < n {
        let x = a[p * m * k + (aTransposed ? d * m + i : i * k + d)]
        let w = b[p * k * n + (bTransposed ? j * k + d : d * n + j)]
        sum += Double(x) * Double(w)
      }
      wanted.append(j < n ? sum : 77)  // between the rows nothing is written
    }
    #expect(nmse(y, wanted) < f32Tolerance)
  }
}
