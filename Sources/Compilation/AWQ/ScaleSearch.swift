internal import Checkpoints
internal import IngotCore

/// The search for the scales and limits of one group.
struct ScaleSearch {
  let checkpoint: any Checkpoint
  let options: AWQOptions
  let measure: ErrorMeasure
  /// The rounder of each reader, nil for one that keeps its weights.
  let rounders: [(any RowRounder)?]
  /// Floats of a band of rows held at a time.
  private static let bandFloats = 1 << 22

  /// The best scales of a group's channels.
  /// - Returns: s per channel, the exponent, and the relative errors with it and without scales; nil where no reader is
  ///   rounded.
  func scales(
    _ group: ScaleGroup, _ sample: InputSample
  ) throws(IngotError) -> (scales: [Float], ratio: Double, error: Double, plainError: Double)? {
    guard group.source != nil, rounders.contains(where: { $0 != nil }), sample.count > 0 else { return nil }
    let candidates = (0..<options.ratioSteps).map { step in
      self.candidate(sizes(sample.meanSizes, group), exponent: Float(step) / Float(options.ratioSteps))
    }
    let x = try HostTensor(sample.rows, shape: Shape([sample.count, sample.width]))
    var errors = [Double](repeating: 0, count: candidates.count)
    for (reader, rounder) in zip(group.readers, rounders) {
      guard let rounder else { continue }
      var lost = [Double](repeating: 0, count: candidates.count)
      var energy = 0.0
      try forEachBand(reader) { (_, weights) throws(IngotError) in
        let shape = Shape([weights.count / group.width, group.width])
        energy += try measure.energy(x, HostTensor(weights, shape: shape))
        for (index, scales) in candidates.enumerated() {
          let difference = try self.difference(weights, scales, rounder, reader.weight)
          lost[index] += try measure.energy(x, HostTensor(difference, shape: shape))
        }
      }
      // Each layer counts by what part of its output is lost.
      for index in errors.indices { errors[index] += lost[index] / max(energy, .leastNormalMagnitude) }
    }
    guard let best = errors.indices.min(by: { errors[$0] < errors[$1] }), errors.allSatisfy(\.isFinite) else {
      return nil
    }
    return (
      candidates[best], Double(best) / Double(options.ratioSteps), errors[best], errors[0]
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
    let (width, size) = (group.width, rounder.groupSize)
    let groups = (width + size - 1) / size
    var x = sample.rows
    if let scales { for index in x.indices { x[index] /= scales[index % width] } }
    let moments = try measure.moments(x, width: width, groupSize: size)
    var shrinks = [UInt8](repeating: 0, count: layer.outputs * groups)
    try forEachBand(layer) { (first, weights) throws(IngotError) in
      let rows = weights.count / width
      var scaled = weights
      if let scales { for index in scaled.indices { scaled[index] *= scales[index % width] } }
      var best = [Float](repeating: .infinity, count: rows * groups)
      for shrink in 0..<UInt8(options.clipCandidates) {
        // [groups, rows, size]
        var difference = [Float](repeating: 0, count: groups * rows * size)
        var row = [Float](repeating: 0, count: width)
        for index in 0..<rows {
          row.replaceSubrange(0..<width, with: scaled[index * width..<(index + 1) * width])
          if shrink > 0 {
            row.withUnsafeMutableBufferPointer { values in
              for start in stride(from: 0, to: width, by: size) {
                TensorTransform.Clips.clip(
                  UnsafeMutableBufferPointer(rebasing: values[start..<min(width, start + size)]),
                  shrink: shrink,
                  steps: options.clipSteps)
              }
            }
          }
          try rounder.round(&row, layer.weight)
          for column in 0..<width {
            let place = (column / size * rows + index) * size + column % size
            difference[place] = row[column] - scaled[index * width + column]
          }
        }
        let errors = try measure.forms(HostTensor(difference, shape: Shape([groups, rows, size])), moments)
        for index in 0..<rows {
          for part in 0..<groups where errors[part * rows + index] < best[index * groups + part] {
            best[index * groups + part] = errors[part * rows + index]
            shrinks[(first + index) * groups + part] = shrink
          }
        }
      }
    }
    guard shrinks.contains(where: { $0 > 0 }) else { return nil }
    return TensorTransform.Clips(groupSize: size, steps: options.clipSteps, shrinks: shrinks)
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

  /// What rounding scaled weights changes, in the weights' own scale.
  private func difference(
    _ weights: [Float], _ scales: [Float], _ rounder: any RowRounder, _ name: String
  ) throws(IngotError) -> [Float] {
    let width = scales.count
    var result = weights
    var row = [Float](repeating: 0, count: width)
    for start in stride(from: 0, to: weights.count, by: width) {
      for column in 0..<width { row[column] = weights[start + column] * scales[column] }
      try rounder.round(&row, name)
      for column in 0..<width {
        result[start + column] = row[column] / scales[column] - weights[start + column]
      }
    }
    return result
  }

  private func forEachBand(
    _ reader: ScaleGroup.Reader, _ body: (_ firstRow: Int, _ weights: [Float]) throws(IngotError) -> Void
  ) throws(IngotError) {
    let tensor = try checkpoint.required(reader.weight)
    let band = max(1, Self.bandFloats / max(tensor.columnCount, 1))
    for first in stride(from: 0, to: tensor.rowCount, by: band) {
      let rows = first..<min(first + band, tensor.rowCount)
      var weights = [Float](repeating: 0, count: rows.count * tensor.columnCount)
      let read: Result<Void, IngotError> = weights.withUnsafeMutableBufferPointer { buffer in
        do throws(IngotError) { return .success(try tensor.readRows(rows, into: buffer)) } catch {
          return .failure(error)
        }
      }
      try read.get()
      try body(first, weights)
    }
  }
}

extension RowRounder {
  /// Rounds a row; errors name the tensor.
  func round(_ row: inout [Float], _ name: String) throws(IngotError) {
    let result: Result<Void, IngotError> = row.withUnsafeMutableBufferPointer { buffer in
      do throws(IngotError) { return .success(try round(buffer)) } catch { return .failure(error) }
    }
    do throws(IngotError) { try result.get() } catch {
      var named = error
      named.place.tensor = named.place.tensor ?? name
      throw named
    }
  }
}
