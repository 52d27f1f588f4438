/// What a layer reads while limits of its weights are searched.
struct LimitSample {
  let width: Int
  /// [count, width].
  private let rows: [Float]
  /// Of each group of channels: [groups, size, size].
  let moments: [Float]

  /// - Parameters:
  ///   - scales: what the channels are divided by.
  ///   - groupSize: channels of a group; nil where moments are not needed.
  init(_ sample: InputSample, scales: [Float]?, groupSize: Int?, _ kernels: SearchKernels) {
    width = sample.width
    var rows = sample.rows
    if let scales {
      for start in stride(from: 0, to: rows.count, by: width) {
        for column in 0..<width { rows[start + column] /= scales[column] }
      }
    }
    moments = groupSize.map { [width] in kernels.moments(rows, width: width, groupSize: $0) } ?? []
    self.rows = rows
  }

  /// Σ (x · d)² over some channels.
  func loss(_ d: [Float], _ channels: Range<Int>) -> Double {
    var loss = 0.0
    for start in stride(from: 0, to: rows.count, by: width) {
      let sum = channels.reduce(0.0) { $0 + Double(rows[start + $1]) * Double(d[$1]) }
      loss += sum * sum
    }
    return loss
  }
}
