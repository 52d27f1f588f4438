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
}
