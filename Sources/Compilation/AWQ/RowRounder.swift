package import Checkpoints
package import IngotCore

/// Rounds rows of a weight as the quantiser will that comes afterwards.
package protocol RowRounder: Sendable {
  /// Inputs that share a scale; the last group of a row may be shorter.
  var groupSize: Int { get }
  /// What `round` gives is what `GroupedQuantizer` makes of this format, so that kernels can do it; nil for anything else.
  var format: GroupedFormat? { get }
  /// Replaces the weights of a row by what they are read back as.
  /// - Throws: `.unsupported` for weights that integers cannot stand for.
  func round(_ row: UnsafeMutableBufferPointer<Float>) throws(IngotError)
}

extension RowRounder {
  package var format: GroupedFormat? { nil }

  /// Rounds a row.
  func round(_ row: inout [Float]) throws(IngotError) {
    let result: Result<Void, IngotError> = row.withUnsafeMutableBufferPointer { buffer in
      do throws(IngotError) { return .success(try round(buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// What rounding scaled weights changes, in the weights' own scale.
  func differences(
    _ weights: [Float], _ scales: [Float], _ kernels: SearchKernels
  ) throws(IngotError) -> [Float] {
    if let format { return try kernels.differences(weights, scales, format) }
    let width = scales.count
    var (result, row) = (weights, scales)
    for start in stride(from: 0, to: weights.count, by: width) {
      for column in 0..<width { row[column] = weights[start + column] * scales[column] }
      try round(&row)
      for column in 0..<width {
        result[start + column] = row[column] / scales[column] - weights[start + column]
      }
    }
    return result
  }

  /// The limits of groups with which rounding loses least.
  /// - Parameters:
  ///   - weights: [rows, width].
  ///   - scales: of the columns.
  ///   - x: what the layer reads, divided by the scales: [count, width].
  /// - Returns: [rows, groups], as in `TensorTransform.Clips`.
  func shrinks(
    _ weights: [Float], _ scales: [Float]?, _ x: LimitSample, _ options: AWQOptions, _ kernels: SearchKernels
  ) throws(IngotError) -> [UInt8] {
    if let format {
      return try kernels.shrinks(
        weights, scales, width: x.width, format, moments: x.moments,
        steps: options.clipSteps, candidates: options.clipCandidates)
    }
    let groups = (x.width + groupSize - 1) / groupSize
    var shrinks: [UInt8] = []
    for start in stride(from: 0, to: weights.count, by: x.width) {
      var scaled = Array(weights[start..<start + x.width])
      if let scales { for column in scaled.indices { scaled[column] *= scales[column] } }
      var best = [(loss: Double, shrink: UInt8)](repeating: (.infinity, 0), count: groups)
      for shrink in 0..<UInt8(options.clipCandidates) {
        let limits = TensorTransform.Clips(
          groupSize: groupSize, steps: options.clipSteps, shrinks: [UInt8](repeating: shrink, count: groups))
        var row = scaled
        row.withUnsafeMutableBufferPointer { limits.apply(row: 0, $0) }
        try round(&row)
        for column in row.indices { row[column] -= scaled[column] }
        for group in 0..<groups {
          let loss = x.loss(row, group * groupSize..<min(x.width, (group + 1) * groupSize))
          if loss < best[group].loss { best[group] = (loss, shrink) }
        }
      }
      shrinks += best.map(\.shrink)
    }
    return shrinks
  }
}
