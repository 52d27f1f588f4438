public import Checkpoints
public import NN

/// A family of decoder-only models: modules that, called on token ids, record the graph of their logits.
///
/// A family is one file in this folder and one entry in `ModelRegistry`.
public protocol CausalLM: Sendable {
  /// The `model_type`s of `config.json` that are this family.
  static var modelTypes: [String] { get }

  /// Names the parameters. Nothing is read.
  init(_ config: DecoderConfig)

  /// - Parameters:
  ///   - ids: `[T]`, the new tokens of all sequences, end to end.
  ///   - batch: which tokens belong to which sequence, and whose logits are wanted.
  /// - Returns: logits `[R, vocab]`, one row per entry of `batch.logitRows`.
  func callAsFunction(_ ids: Tensor, _ batch: Batch) -> Tensor
}
