public import CKernels
package import IngotCore

/// A weight matrix in the tiles that the kernels read; see `ingot_matmul.h` for the layout.
public final class PackedWeight: @unchecked Sendable {
  /// What the kernels take: format, extents and the tiles' address.
  public let descriptor: ingot_weight
  /// Bytes of the tiles.
  public let byteCount: Int
  /// Which input of the model each of the tiles' inputs is, where they have an order of their own: a product with the
  /// weight reads x in this order, `ingot_matmul_arguments.x_order`. Nil for natural order.
  public let inputOrder: [Int32]?
  /// Whether the tiles are the pages of a file, which the system can share and take back.
  public let isMapped: Bool
  private let storage: AnyObject

  /// Takes memory for the tiles and lets `fill` write each.
  init(
    format: ingot_format, group: Int, outputs: Int, inputs: Int, inputOrder: [Int32]?, in slabs: WeightSlabs,
    fill: (UnsafeMutableRawPointer) throws(IngotError) -> Void
  ) throws(IngotError) {
    byteCount = ingot_weight_bytes(format, Int64(outputs), Int64(inputs), Int32(group))
    let memory = try slabs.allocate(byteCount: byteCount)
    try fill(memory.base)
    (storage, isMapped, self.inputOrder) = (memory.owner, false, inputOrder)
    descriptor = ingot_weight(
      format: format, group: Int32(group), n: Int64(outputs), k: Int64(inputs), data: memory.base)
  }

  /// Tiles that lie in a mapped file; the caller has checked that they do.
  package init(
    format: ingot_format, group: Int, outputs: Int, inputs: Int, inputOrder: [Int32]? = nil,
    in file: MappedFile,
    offset: Int, byteCount: Int
  ) {
    self.byteCount = byteCount
    (storage, isMapped, self.inputOrder) = (file, true, inputOrder)
    descriptor = ingot_weight(
      format: format, group: Int32(group), n: Int64(outputs), k: Int64(inputs),
      data: file.bytes.baseAddress.map { $0 + offset })
  }
  /// Lets the pages of tiles that lie in a file go; they can be read again.
  package func releasePages() {
    guard isMapped, let file = storage as? MappedFile, let start = file.bytes.baseAddress else { return }
    let offset = descriptor.data - UnsafeRawPointer(start)
    file.release(offset..<offset + byteCount)
  }
}
