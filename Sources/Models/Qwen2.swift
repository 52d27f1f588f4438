public import Checkpoints
public import NN

/// Qwen2 and Qwen2.5: Llama's modules with biases on q, k and v, whatever the configuration says; the upper layers
/// have a sliding window if asked for.
/// Source: `modeling_qwen2.py`, Hugging Face transformers.
public struct Qwen2: CausalLM {
  /// The `model_type`s of this family.
  public static let modelTypes = ["qwen2"]
  let decoder: Llama

  /// Names the parameters.
  public init(_ c: DecoderConfig) {
    var c = c
    (c.attentionBias, c.attentionOutputBias) = (true, false)
    decoder = Llama(c)
  }

  /// Ids `[T]` → logits `[R, vocab]`.
  public func callAsFunction(_ ids: Tensor, _ batch: Batch) -> Tensor { decoder(ids, batch) }
}
