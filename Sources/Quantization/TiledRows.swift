package import CKernels
public import Checkpoints
public import IngotCore

/// Rows of a packed weight as they were before they were packed, bit for bit.
public final class TiledRows: RowSource {
  private let weight: PackedWeight
  private let first: Int
  private let encoding: TensorEncoding

  /// Views rows from `first` on.
  /// - Parameter encoding: one whose packed format is the weight's.
  public init(_ weight: PackedWeight, first: Int, encoding: TensorEncoding) {
    (self.weight, self.first, self.encoding) = (weight, first, encoding)
  }

  /// The encoding whose rows a packed format holds: grouped integers or floats.
  package static func encoding(of format: ingot_format, group: Int) throws(IngotError) -> TensorEncoding {
    switch format {
    case INGOT_F16: .plain(.f16)
    case INGOT_BF16: .plain(.bf16)
    case INGOT_F32: .plain(.f32)
    default:
      .grouped(
        try GroupedFormat(
          bits: format == INGOT_I4 || format == INGOT_I4M ? 4 : 8, groupSize: group,
          hasMinimum: format == INGOT_I4M || format == INGOT_I8M))
    }
  }

  /// Lets the pages of the tiles go, which maybe other tensors lie in too.
  public func release() { weight.releasePages() }

  /// Writes rows; see `RowSource`.
  public func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let inputs = Int(weight.descriptor.k)
    let rowBytes = inputs / encoding.blockWeights * encoding.blockBytes
    guard let base = target.baseAddress else { return }
    for (index, row) in rows.enumerated() { read(first + row, inputs, base + index * rowBytes) }
  }

  private func read(_ row: Int, _ inputs: Int, _ target: UnsafeMutableRawPointer) {
    let (format, group) = (weight.descriptor.format, weight.descriptor.group)
    let tile = weight.descriptor.data + row / 16 * ingot_tile_bytes(format, Int64(inputs), group)
    let lane = Int32(row % 16)
    switch encoding {
    case .grouped(let grouped):
      let groups = inputs / grouped.groupSize
      withUnsafeTemporaryAllocation(byteCount: inputs + 4 * groups, alignment: 64) { scratch in
        guard let base = scratch.baseAddress else { return }
        let q = base.bindMemory(to: Int8.self, capacity: inputs)
        let scales = (base + inputs).bindMemory(to: UInt16.self, capacity: 2 * groups)
        let minimums = grouped.hasMinimum ? scales + groups : nil
        ingot_unpack_integers(format, Int64(inputs), group, tile, lane, q, scales, minimums)
        ingot_join_grouped(grouped.kernelFormat, q, scales, minimums, Int64(groups), target)
      }
    case .plain(.f32):
      ingot_unpack_row(
        format, Int64(inputs), group, tile, lane, target.assumingMemoryBound(to: Float.self))
    case .plain, .block:
      // Halves to floats and back are what they were.
      withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { floats in
        guard let base = floats.baseAddress else { return }
        ingot_unpack_row(format, Int64(inputs), group, tile, lane, base)
        let halves = target.assumingMemoryBound(to: UInt16.self)
        if encoding == .plain(.bf16) {
          ingot_f32_to_bf16(base, halves, inputs)
        } else {
          ingot_f32_to_f16(base, halves, inputs)
        }
      }
    }
  }
}
