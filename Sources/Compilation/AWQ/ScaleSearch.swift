internal import Checkpoints
internal import IngotCore

/// The search for the scales and limits of one group.
struct ScaleSearch {
  let checkpoint: any Checkpoint
  let options: AWQOptions
  let kernels: SearchKernels
  /// The rounder of each reader, nil for one that keeps its weights.
  let rounders: [(any RowRounder)?]
  /// Floats of a band of rows held at a time: what the second-level cache still holds with what is computed from it.
  private static let bandFloats = 1 << 17
  /// At first only one output in so many is measured; exponents that lose so many times what the best loses are not
  /// measured on more.
  private static let rounds: [(stride: Int, margin: Double)] = [(16, 1.2), (4, 1.06), (1, 1)]
  /// Outputs that a measurement has at least, if the layer has as many.
  private static let leastOutputs = 64

  /// The best scales of a group's channels.
  /// - Returns: s per channel, the exponent, and the relative errors with it and without scales; nil where no reader is
  ///   rounded.
  func scales(
    _ group: ScaleGroup, _ sample: InputSample
  ) throws(IngotError) -> (scales: [Float], ratio: Double, error: Double, plainError: Double)? {
    guard group.source != nil, rounders.contains(where: { $0 != nil }), sample.count > 0 else { return nil }
    let sizes = sizes(sample.meanSizes, group)
    let candidates = (0..<options.ratioSteps).map { step in
      candidate(sizes, exponent: Float(step) / Float(options.ratioSteps))
    }
    var left = Array(candidates.indices)
    var errors: [Double] = []
    for (stride, margin) in Self.rounds {
      errors = try self.errors(group, sample, left.map { candidates[$0] }, stride: stride)
      guard let least = errors.min(), errors.allSatisfy(\.isFinite) else { return nil }
      guard stride > 1 else { break }
      // The first, without scales, is wanted for comparison.
      left = zip(left, errors).filter { $0 == 0 || $1 <= margin * least }.map(\.0)
    }
    guard let best = errors.indices.min(by: { errors[$0] < errors[$1] }) else { return nil }
    return (
      candidates[left[best]], Double(left[best]) / Double(options.ratioSteps), errors[best], errors[0]
    )
  }

  /// The best limits of a reader's groups of inputs, its columns multiplied by the scales found.
  func clips(
    _ group: ScaleGroup, _ sample: InputSample, reader: Int, scales: [Float]?
  ) throws(IngotError) -> TensorTransform.Clips? {
    let layer = group.readers[reader]
    guard let rounder = rounders[reader], layer.clips, options.clipCandidates > 0, sample.count > 0 else {
      return nil
    }
    let x = LimitSample(
      sample, scales: scales, groupSize: rounder.format.map { _ in rounder.groupSize }, kernels)
    var shrinks: [UInt8] = []
    try forEachBand(layer, stride: 1) { (weights) throws(IngotError) in
      shrinks += try rounder.shrinks(weights, scales, x, options, kernels)
    }
    guard shrinks.contains(where: { $0 > 0 }) else { return nil }
    return TensorTransform.Clips(groupSize: rounder.groupSize, steps: options.clipSteps, shrinks: shrinks)
  }

  /// By candidate, the sum over the layers of the part of the output that rounding loses.
  private func errors(
    _ group: ScaleGroup, _ sample: InputSample, _ candidates: [[Float]], stride: Int
  ) throws(IngotError) -> [Double] {
    var errors = [Double](repeating: 0, count: candidates.count)
    for (reader, rounder) in zip(group.readers, rounders) {
      guard let rounder else { continue }
      var lost = [Double](repeating: 0, count: candidates.count)
      var energy = 0.0
      try forEachBand(reader, stride: stride) { (weights) throws(IngotError) in
        energy += kernels.energy(sample.rows, weights, width: group.width)
        for (index, scales) in candidates.enumerated() {
          let differences = try rounder.differences(weights, scales, kernels)
          lost[index] += kernels.energy(sample.rows, differences, width: group.width)
        }
      }
      // Each layer counts by what part of its output is lost.
      for index in errors.indices { errors[index] += lost[index] / max(energy, .leastNormalMagnitude) }
    }
    return errors
  }

  /// sizeᵉ, with the largest and smallest around 1.
  private func candidate(_ sizes: [Float], exponent: Float) -> [Float] {
    guard exponent > 0 else { return [Float](repeating: 1, count: sizes.count) }
    let powers = sizes.map { max(power($0, exponent), 1e-4) }
    let middle = ((powers.max() ?? 1) * (powers.min() ?? 1)).squareRoot()
    let scales = powers.map { $0 / middle }
    return scales.allSatisfy { $0.isFinite && $0 > 0 } ? scales : [Float](repeating: 1, count: sizes.count)
  }

  /// Mean sizes of channels; those made by one row share theirs.
  private func sizes(_ sizes: [Float], _ group: ScaleGroup) -> [Float] {
    guard case .linear(_, _, let rows) = group.source else { return sizes }
    var sums = [Float](repeating: 0, count: (rows.max() ?? -1) + 1)
    var counts = sums
    for (channel, row) in rows.enumerated() {
      sums[row] += sizes[channel]
      counts[row] += 1
    }
    return rows.map { sums[$0] / max(counts[$0], 1) }
  }

  /// Reads one in `stride` rows of a reader's weight, some at a time; errors name the tensor.
  private func forEachBand(
    _ reader: ScaleGroup.Reader, stride: Int, _ body: (_ weights: [Float]) throws(IngotError) -> Void
  ) throws(IngotError) {
    let tensor = try checkpoint.required(reader.weight)
    let (rows, width) = (tensor.rowCount, tensor.columnCount)
    let stride = max(1, min(stride, rows / Self.leastOutputs))
    let band = max(1, Self.bandFloats / max(width, 1)) * stride
    for first in Swift.stride(from: 0, to: rows, by: band) {
      let taken = Array(Swift.stride(from: first, to: min(first + band, rows), by: stride))
      var failure: IngotError?
      let weights = [Float](unsafeUninitializedCapacity: taken.count * width) { buffer, count in
        do throws(IngotError) {
          if stride == 1 {
            try tensor.readRows(
              first..<first + taken.count,
              into: UnsafeMutableBufferPointer(rebasing: buffer[..<(taken.count * width)]))
          } else {
            for (place, row) in taken.enumerated() {
              try tensor.readRows(
                row..<row + 1,
                into: UnsafeMutableBufferPointer(rebasing: buffer[place * width..<(place + 1) * width]))
            }
          }
          count = taken.count * width
        } catch { failure = error }
      }
      if let failure { throw failure }
      do throws(IngotError) { try body(weights) } catch {
        var named = error
        named.place.tensor = named.place.tensor ?? reader.weight
        throw named
      }
    }
  }
}
