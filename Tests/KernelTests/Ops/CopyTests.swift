import CKernels
import Testing

@Suite struct CopyTests {
  /// dims, source strides, target strides, offset into the source.
  static let cases: [([Int64], [Int64], [Int64], Int)] = [
    ([6], [1], [1], 0), ([6], [-1], [1], 5), ([5, 7], [1, 5], [7, 1], 0),
    ([3, 4, 5], [5, 15, 1], [20, 5, 1], 0),
    ([4, 3], [0, 1], [3, 1], 0), ([30, 40, 50], [50, 1500, 1], [2000, 50, 1], 0),
    ([2, 0], [1, 1], [1, 1], 0),
    ([200, 100], [1, 200], [100, 1], 0), ([], [], [], 0), ([3, 4], [8, 2], [4, 1], 1),
    ([2, 2, 2, 2, 2, 2, 2, 2], [1, 2, 4, 8, 16, 32, 64, 128], [128, 64, 32, 16, 8, 4, 2, 1], 0),
  ]

  private func check<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, _ index: Int) {
    let (dims, from, to, offset) = Self.cases[index]
    let count = Int(dims.reduce(1, *))
    let x = (0..<65000).map { T(truncatingIfNeeded: $0 &* 2_654_435_761) }
    let size = Int32(MemoryLayout<T>.size)
    for threads in [1, 3] {
      var y = [T](repeating: 0, count: count + 2)  // one guard at each end
      x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
          Ops.withContext(threads: threads) {
            ingot_copy_strided(
              $0, size, Int32(dims.count), dims, x.baseAddress! + offset, from, y.baseAddress! + 1, to)
          }
        }
      }
      var wanted = [T](repeating: 0, count: count + 2)
      for flat in 0..<count {
        var (rest, i, j) = (Int64(flat), offset, 1)
        for axis in dims.indices.reversed() {
          i += Int(rest % dims[axis] * from[axis])
          j += Int(rest % dims[axis] * to[axis])
          rest /= dims[axis]
        }
        wanted[j] = x[i]
      }
      #expect(y == wanted)
    }
  }

  @Test(arguments: cases.indices) func copyEqualsALoop(_ index: Int) {
    check(UInt8.self, index)
    check(UInt16.self, index)
    check(UInt32.self, index)
    check(UInt64.self, index)
  }
}
