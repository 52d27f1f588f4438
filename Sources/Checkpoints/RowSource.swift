public import IngotCore

/// Makes the rows of a tensor that no file holds as they are asked for: quantised, scaled, or put in another order.
///
/// Rows are made as often as they are read, by several threads at once, so that a model of any size passes through a
/// few rows of memory.
public protocol RowSource: AnyObject, Sendable {
  /// Writes consecutive rows in the encoding of the tensor.
  /// - Parameter target: room for exactly these rows, aligned to 16 bytes.
  /// - Throws: what is wrong with the values the rows are made of.
  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError)
  /// Lets go of the pages of files that were read; they can be read again.
  func release()
}

/// A source that makes some columns of rows for less than the whole of them.
package protocol ColumnSource: RowSource {
  /// Writes a band of consecutive rows in the encoding of the tensor.
  /// - Parameters:
  ///   - columns: whole blocks of the encoding.
  ///   - target: room for exactly this, aligned to 16 bytes.
  /// - Throws: as `read(rows:into:)`.
  func read(
    rows: Range<Int>, columns: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws(IngotError)
}

extension RowSource {
  /// Nothing: there are none.
  public func release() {}
}
