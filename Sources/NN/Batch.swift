internal import Graph
internal import IngotCore

/// The inputs that say which tokens belong to which sequence, in the field's flash form.
///
/// A forward takes the new tokens of any number of sequences end to end, prompts and single tokens mixed.
public struct Batch: Sendable {
  /// `input_ids` i64 [tokens]: the new tokens.
  public let ids = Tensor("input_ids", .i64, ["tokens"])
  /// `position_ids` i64 [tokens]: each token's position in its sequence, from 0.
  public let positions = Tensor("position_ids", .i64, ["tokens"])
  /// `slots` i32 [tokens]: the cache slot each token's key and value go to.
  public let slots = Tensor("slots", .i32, ["tokens"])
  /// `block_tables` i32 [batch, blocks]: the pages of each sequence in order.
  public let blockTables = Tensor("block_tables", .i32, ["batch", "blocks"])
  /// `q_len` i32 [batch]: new tokens of each sequence.
  public let queryLengths = Tensor("q_len", .i32, ["batch"])
  /// `seq_len` i32 [batch]: tokens of each sequence after this forward.
  public let sequenceLengths = Tensor("seq_len", .i32, ["batch"])
  /// `lm_head_indices` i64 [rows]: the tokens whose logits are wanted.
  public let logitRows = Tensor("lm_head_indices", .i64, ["rows"])

  /// Makes the inputs.
  public init() {}
}
