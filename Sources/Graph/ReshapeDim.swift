/// One extent of a reshape's result.
public enum ReshapeDim: Sendable, Hashable {
  /// The extent of an axis of the operand.
  case keep(Int)
  /// A number.
  case fixed(Int)
  /// What is left; at most once.
  case infer
}
