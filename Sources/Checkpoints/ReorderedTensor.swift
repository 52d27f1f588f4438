import IngotCore

/// A weight whose groups were made of inputs in another order than the model's: "act-order" of GPTQ.
///
/// Weights that share a scale lie together only in that order, so it is the one in which they can be multiplied as
/// integers; the product then reads the elements of its x in that order as well. The tensor that holds this has plain
/// floats in natural order, for everybody else: dumps, dense exports, other roundings.
public final class ReorderedTensor: Sendable {
  /// The weights in groups; column `j` belongs to the input `inputOrder[j]`.
  public let tensor: CheckpointTensor
  /// A permutation of the inputs.
  public let inputOrder: [Int32]

  /// - Precondition: the order is a permutation of the tensor's columns.
  package init(_ tensor: CheckpointTensor, inputOrder: [Int32]) {
    precondition(tensor.columnCount == inputOrder.count, "an order for each of the inputs")
    (self.tensor, self.inputOrder) = (tensor, inputOrder)
  }

  /// Whether an order names each input once.
  package static func isPermutation(_ order: [Int32]) -> Bool {
    var seen = [Bool](repeating: false, count: order.count)
    for input in order {
      guard input >= 0, Int(input) < order.count, !seen[Int(input)] else { return false }
      seen[Int(input)] = true
    }
    return true
  }

  /// The tensor that has this as its other form: plain floats, in natural order.
  package var natural: CheckpointTensor {
    CheckpointTensor(
      name: tensor.name, encoding: .plain(.f32), shape: tensor.shape, file: tensor.file,
      source: UnorderedRows(self), reordered: self)
  }
}

/// Rows of floats, put back in natural order.
private final class UnorderedRows: RowSource {
  private let reordered: ReorderedTensor

  init(_ reordered: ReorderedTensor) { self.reordered = reordered }

  func release() { reordered.tensor.release() }

  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let (tensor, order) = (reordered.tensor, reordered.inputOrder)
    let floats = target.bindMemory(to: Float.self)
    try withTemporaryBytes(4 * order.count) { (scratch) throws(IngotError) in
      let row = scratch.bindMemory(to: Float.self)
      for (index, source) in rows.enumerated() {
        try tensor.readRows(source..<source + 1, into: row)
        let start = index * order.count
        for (column, input) in order.enumerated() { floats[start + Int(input)] = row[column] }
      }
    }
  }
}
