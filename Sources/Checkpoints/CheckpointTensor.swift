public import IngotCore

/// A tensor of a checkpoint: what it is, and its bytes in the mapped file.
///
/// A view: it keeps its file mapped, so it may outlive the checkpoint. All accessors give rows in
/// Hugging Face's order, whatever the file's; `rowBytes(_:)` is the primitive the others build on.
public struct CheckpointTensor: Sendable {
  /// The Hugging Face name, as `model.layers.0.self_attn.q_proj.weight`.
  public internal(set) var name: String
  /// The name in the file, for messages.
  public let storedName: String
  /// How the elements are stored.
  public let encoding: TensorEncoding
  /// Extents, outermost first.
  public let shape: Shape
  /// The file that holds the bytes.
  public let file: MappedFile
  /// Where in the file they are.
  public let byteRange: Range<Int>
  /// How the file orders the rows.
  public let rowOrder: RowOrder

  /// Elements of one row: the last extent, or 1 for a rank-1 tensor with reordered rows (a bias of q or
  /// k), whose elements move one by one.
  public let columnCount: Int
  /// Rows; all dimensions but the last are one. A rank-1 tensor is one row, with the exception above.
  public let rowCount: Int

  /// Describes a tensor whose byte range is known to lie in the file and to fit its shape.
  package init(
    name: String, storedName: String, encoding: TensorEncoding, shape: Shape, file: MappedFile,
    byteRange: Range<Int>, rowOrder: RowOrder = .natural
  ) {
    (self.name, self.storedName, self.encoding, self.shape) = (name, storedName, encoding, shape)
    (self.file, self.byteRange, self.rowOrder) = (file, byteRange, rowOrder)
    let splits = shape.rank == 1 && rowOrder != .natural
    columnCount = splits ? 1 : shape.dims.last ?? 1
    rowCount = splits ? shape.count : shape.dims.dropLast().reduce(1, *)
  }

  /// Bytes of one row.
  public var rowByteCount: Int { columnCount / encoding.blockWeights * encoding.blockBytes }

  /// All bytes, in the file's order and with no alignment; valid while this value exists.
  public var storedBytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[byteRange])
  }

  /// The stored bytes of a row, without copying and with no alignment; valid while this value exists.
  /// - Parameter row: counted as Hugging Face orders rows.
  /// - Precondition: `row` is one of the tensor's.
  public func rowBytes(_ row: Int) -> UnsafeRawBufferPointer {
    precondition(row >= 0 && row < rowCount, "row \(row) of \(rowCount) of \(name)")
    let start = byteRange.lowerBound + rowOrder.storedRow(row) * rowByteCount
    return UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + rowByteCount])
  }

  /// An error about this tensor.
  public func error(_ kind: IngotError.Kind, _ what: String, hint: String? = nil) -> IngotError {
    IngotError(kind, what, at: .init(file: file.path, tensor: storedName), hint: hint)
  }
}
