internal import Checkpoints
package import IngotCore
import Quantization

extension WeightWriter {
  /// What rounding a piece to integers loses: the squared error over the squared weights; nil for a piece in floats.
  /// Reads and rounds all of the piece on this thread, in about the time of writing it.
  /// - Throws: as `write(_:to:onProgress:)`.
  package func relativeError(of piece: WeightPiece) throws(IngotError) -> Double? {
    let quantizer: BlockQuantizer
    let reordered: Bool
    switch piece {
    case .dense, .computed, .inputOrder: return nil
    case .matMulNBits(_, let scheme, let scales, let inGroups),
      .dequantizeLinear(_, let scheme, let scales, let inGroups):
      reordered = inGroups
      quantizer = try BlockQuantizer(scheme, scales: scales)
    }
    guard let parameter = piece.parameter else { return nil }
    var sums = (error: 0.0, energy: 0.0)
    for tensor in try WeightPlan(checkpoint).matrix(parameter, reordered: reordered) {
      // Blocks that keep their integers lose nothing.
      if quantizer.losesNothing(of: tensor.encoding) { continue }
      let inputs = tensor.columnCount
      let group = quantizer.scheme.groupSize ?? inputs
      let scratch = RowScratch(inputs: inputs, codes: inputs, groups: (inputs + group - 1) / group)
      for row in 0..<tensor.rowCount {
        let status = try tensor.withRow(row) { bytes in
          let status = quantizer.quantize(
            bytes, tensor.encoding, count: inputs, group: group, floats: scratch.floats,
            codes: scratch.codes, scales: scratch.scales, zeros: scratch.zeros)
          tensor.encoding.decode(bytes, into: scratch.floats, count: inputs)
          return status
        }
        try quantizer.check(status, tensor, row: row)
        quantizer.addError(
          scratch.floats, count: inputs, group: group, codes: scratch.codes, scales: scratch.scales,
          zeros: scratch.zeros, to: &sums)
      }
      tensor.release(0..<tensor.rowCount)
    }
    return sums.error / max(sums.energy, .leastNormalMagnitude)
  }
}
