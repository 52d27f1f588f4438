public import IngotCore

/// A tensor of a checkpoint: what it is, and its bytes in the mapped file or who makes them.
///
/// A view: it keeps its file mapped, so it may outlive the checkpoint. All accessors give rows in
/// Hugging Face's order, whatever the file's; `withRows` is the primitive the others build on.
public struct CheckpointTensor: Sendable {
  /// The Hugging Face name, as `model.layers.0.self_attn.q_proj.weight`.
  public internal(set) var name: String
  /// The name in the file, for messages.
  public let storedName: String
  /// How the elements are stored.
  public let encoding: TensorEncoding
  /// Extents, outermost first.
  public let shape: Shape
  /// The file that holds the bytes, or what they are made of.
  public let file: MappedFile
  /// Where in the file they are; for a tensor whose rows are made, as if they were a file.
  public let byteRange: Range<Int>
  /// Who makes the rows; nil when they lie in the file.
  public let source: (any RowSource)?
  /// How the file orders the rows.
  public let rowOrder: RowOrder
  /// The same weights in the form that the engine multiplies with, where that has its inputs in another order.
  ///
  /// Whoever reads this tensor has them in their own order and need not know.
  public let reordered: ReorderedTensor?

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
    (self.file, self.byteRange, self.rowOrder, source) = (file, byteRange, rowOrder, nil)
    reordered = nil
    let splits = shape.rank == 1 && rowOrder != .natural
    columnCount = splits ? 1 : shape.dims.last ?? 1
    rowCount = splits ? shape.count : shape.dims.dropLast().reduce(1, *)
  }

  /// Describes a tensor whose rows are made on demand, in Hugging Face's order.
  /// - Parameters:
  ///   - file: what they are made of, for messages.
  ///   - reordered: the form with its inputs in another order, if there is one.
  /// - Precondition: the last extent is a multiple of the encoding's block.
  package init(
    name: String, encoding: TensorEncoding, shape: Shape, file: MappedFile, source: any RowSource,
    reordered: ReorderedTensor? = nil
  ) {
    (self.name, storedName, self.encoding, self.shape) = (name, name, encoding, shape)
    (self.file, rowOrder, self.source, self.reordered) = (file, .natural, source, reordered)
    columnCount = shape.dims.last ?? 1
    rowCount = shape.dims.dropLast().reduce(1, *)
    precondition(columnCount % encoding.blockWeights == 0, "\(name) has no whole blocks of \(encoding)")
    byteRange = 0..<rowCount * (columnCount / encoding.blockWeights * encoding.blockBytes)
  }

  /// What tells the bytes of two tensors of a checkpoint apart: tied weights have one identity.
  public var identity: String { source == nil ? "\(file.path):\(byteRange)" : "\(file.path):\(storedName)" }

  /// Bytes of one row.
  public var rowByteCount: Int { columnCount / encoding.blockWeights * encoding.blockBytes }

  /// All bytes, in the file's order and with no alignment, valid while this value exists; nil for a tensor whose rows
  /// are made.
  public var storedBytes: UnsafeRawBufferPointer? {
    source == nil ? UnsafeRawBufferPointer(rebasing: file.bytes[byteRange]) : nil
  }

  /// Lends the bytes of consecutive rows, in the tensor's encoding and with no alignment.
  /// - Parameter rows: counted as Hugging Face orders rows; of a file that orders them otherwise, one row.
  /// - Throws: what `body` throws, or what is wrong with rows that are made.
  /// - Precondition: the rows are the tensor's.
  public func withRows<Result>(
    _ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Result
  ) throws(IngotError) -> Result {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount) of \(name)")
    let byteCount = rows.count * rowByteCount
    if let source {
      return try withTemporaryBytes(byteCount) { (target) throws(IngotError) in
        try source.read(rows: rows, into: target)
        return try body(UnsafeRawBufferPointer(target))
      }
    }
    precondition(rowOrder == .natural || rows.count == 1, "the rows of \(name) do not lie together")
    let start = byteRange.lowerBound + rowOrder.storedRow(rows.lowerBound) * rowByteCount
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + byteCount]))
  }

  /// Lends the bytes of some columns of one row; see `withRows`.
  /// - Parameter columns: whole blocks of the encoding.
  /// - Throws: as `withRows`.
  package func withRow<Result>(
    _ row: Int, columns: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Result
  ) throws(IngotError) -> Result {
    let first = columns.lowerBound / encoding.blockWeights * encoding.blockBytes
    let count = columns.count / encoding.blockWeights * encoding.blockBytes
    if let source = source as? any ColumnSource {
      return try withTemporaryBytes(count) { (target) throws(IngotError) in
        try source.read(rows: row..<row + 1, columns: columns, into: target)
        return try body(UnsafeRawBufferPointer(target))
      }
    }
    return try withRow(row) { (bytes) throws(IngotError) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[first..<first + count]))
    }
  }

  /// Passes on all rows in order, about a mebibyte at a time, and lets them go.
  /// - Throws: as `withRows`.
  package func forEachBand(
    _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Void
  ) throws(IngotError) {
    // Of a file that orders rows otherwise, one.
    let band = rowOrder == .natural ? max(1, (1 << 20) / max(1, rowByteCount)) : 1
    for first in stride(from: 0, to: rowCount, by: band) {
      try withRows(first..<min(first + band, rowCount), body)
    }
    release()
  }

  /// Lets the pages of what was read go, as far as files hold it; they can be read again.
  package func release() {
    if let source { source.release() } else { file.release(byteRange) }
  }

  /// Lends the bytes of one row; see `withRows`.
  /// - Throws: as `withRows`.
  public func withRow<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Result
  ) throws(IngotError) -> Result {
    try withRows(row..<row + 1, body)
  }

  /// An error about this tensor.
  public func error(_ kind: IngotError.Kind, _ what: String, hint: String? = nil) -> IngotError {
    IngotError(kind, what, at: .init(file: file.path, tensor: storedName), hint: hint)
  }
}

/// Lends memory for a few rows.
package func withTemporaryBytes<Result>(
  _ byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) throws(IngotError) -> Result
) throws(IngotError) -> Result {
  let outcome: Swift.Result<Result, IngotError> = withUnsafeTemporaryAllocation(
    byteCount: byteCount, alignment: 64
  ) { bytes in
    do throws(IngotError) { return .success(try body(bytes)) } catch { return .failure(error) }
  }
  return try outcome.get()
}
