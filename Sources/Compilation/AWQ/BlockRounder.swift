internal import CKernels
internal import Checkpoints
package import IngotCore
package import Quantization

/// Rounds to the nearest step of a block format with scales of 16 bits.
package struct BlockRounder: RowRounder {
  private let quantizer: BlockQuantizer
  package let groupSize: Int

  /// - Throws: `.argument` for a format whose scale covers a whole row.
  package init(_ scheme: BlockQuantization) throws(IngotError) {
    guard let group = scheme.groupSize else {
      throw IngotError(.argument, "a scale per group is needed to search for scales of inputs")
    }
    (quantizer, groupSize) = (try BlockQuantizer(scheme, scales: .f16), group)
  }

  package func round(_ row: UnsafeMutableBufferPointer<Float>) throws(IngotError) {
    let groups = (row.count + groupSize - 1) / groupSize
    var status = INGOT_QUANTIZED
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: row.count + groups) { bytes in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: row.count + groups) { floats in
        guard let bytes = bytes.baseAddress, let floats = floats.baseAddress, !row.isEmpty else { return }
        let (codes, zeros) = (bytes, bytes + row.count)
        let scales = floats + row.count
        status = quantizer.quantize(
          UnsafeRawBufferPointer(row), .plain(.f32), count: row.count, group: groupSize, floats: floats,
          codes: codes, scales: scales, zeros: zeros)
        for group in 0..<groups {
          let (scale, zero) = (scales[group], Float(zeros[group]))
          for index in group * groupSize..<min(row.count, (group + 1) * groupSize) {
            row[index] = (Float(codes[index]) - zero) * scale
          }
        }
      }
    }
    guard status == INGOT_QUANTIZED else {
      throw IngotError(.unsupported, "weights that integers cannot stand for")
    }
  }
}
