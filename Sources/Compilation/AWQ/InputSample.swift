internal import IngotCore

/// What linear layers read: some rows of it, evenly spread, and the mean size of each channel over all of them.
package struct InputSample {
  let width: Int
  /// [count, width].
  package private(set) var rows: [Float] = []
  private var sums: [Double]
  private var seen = 0

  package init(width: Int) {
    self.width = width
    sums = [Double](repeating: 0, count: width)
  }

  /// Rows kept.
  package var count: Int { rows.count / max(width, 1) }

  /// Mean |x| of each channel.
  package var meanSizes: [Float] { sums.map { Float($0 / Double(max(seen, 1))) } }

  /// Adds the rows of one sequence.
  /// - Parameter keeping: how many of them to keep.
  package mutating func add(_ values: UnsafeBufferPointer<Float>, keeping: Int) {
    let count = values.count / max(width, 1)
    seen += count
    for row in 0..<count {
      for column in 0..<width { sums[column] += Double(abs(values[row * width + column])) }
    }
    let kept = min(count, keeping)
    for index in 0..<kept {
      // From the first on: what attention falls back on, often a thousand times larger than the others, must count.
      let row = index * count / kept
      rows += values[row * width..<(row + 1) * width]
    }
  }
}

extension HostTensor {
  /// The elements of an f32 tensor.
  func withFloats(_ body: (UnsafeBufferPointer<Float>) -> Void) {
    body(bytes.assumingMemoryBound(to: Float.self))
    withExtendedLifetime(self) {}
  }
}
