public import CKernels
internal import IngotCore

/// A weight matrix in the tiles that the kernels read; see `ingot_matmul.h` for the layout.
public final class PackedWeight: @unchecked Sendable {
  /// What the kernels take: format, extents and the tiles' address.
  public let descriptor: ingot_weight
  /// Bytes of the tiles.
  public let byteCount: Int
  private let storage: AlignedBuffer

  /// Allocates the tiles and lets `fill` write each.
  init(
    format: ingot_format, group: Int, outputs: Int, inputs: Int,
    fill: (UnsafeMutableRawPointer) throws(IngotError) -> Void
  ) throws(IngotError) {
    byteCount = ingot_weight_bytes(format, Int64(outputs), Int64(inputs), Int32(group))
    storage = try AlignedBuffer(byteCount: byteCount)
    try fill(storage.base)
    descriptor = ingot_weight(
      format: format, group: Int32(group), n: Int64(outputs), k: Int64(inputs), data: storage.base)
  }
}
