public import Checkpoints
public import NN

/// Qwen2 and Qwen2.5: as Llama, with biases on q, k and v, and a sliding window on the upper layers if asked for.
/// Source: `modeling_qwen2.py`, Hugging Face transformers.
public struct Qwen2: CausalLM {
  /// The `model_type`s of this family.
  public static let modelTypes = ["qwen2"]
  let embedTokens: Embedding
  let layers: [Layer]
  let norm: RMSNorm
  let lmHead: Linear

  /// Names the parameters.
  public init(_ c: DecoderConfig) {
    embedTokens = Embedding("model.embed_tokens", c.vocabSize, c.hiddenSize)
    layers = (0..<c.layerCount).map { Layer("model.layers" / $0, c, index: $0) }
    norm = RMSNorm("model.norm", c.hiddenSize, c.rmsNormEps)
    lmHead = c.tiesEmbeddings ? embedTokens.asLinear : Linear("lm_head", c.hiddenSize, c.vocabSize)
  }

  /// Ids `[T]` → logits `[R, vocab]`.
  public func callAsFunction(_ ids: Tensor, _ batch: Batch) -> Tensor {
    let hidden = layers.reduce(embedTokens(ids)) { x, layer in layer(x, batch) }  // [T, hidden]
    return lmHead(norm(hidden.rows(batch.logitRows)))  // [R, vocab]
  }

  /// One decoder layer.
  struct Layer {
    let c: DecoderConfig
    let index: Int
    let inputNorm, postAttentionNorm: RMSNorm
    let qProj, kProj, vProj, oProj: Linear
    let mlp: GatedMLP

    init(_ at: ParameterPath, _ c: DecoderConfig, index: Int) {
      let attention = at / "self_attn"
      let (width, kvWidth) = (c.headCount * c.headDim, c.kvHeadCount * c.headDim)
      self.c = c
      self.index = index
      inputNorm = RMSNorm(at / "input_layernorm", c.hiddenSize, c.rmsNormEps)
      postAttentionNorm = RMSNorm(at / "post_attention_layernorm", c.hiddenSize, c.rmsNormEps)
      qProj = Linear(attention / "q_proj", c.hiddenSize, width, bias: true)
      kProj = Linear(attention / "k_proj", c.hiddenSize, kvWidth, bias: true)
      vProj = Linear(attention / "v_proj", c.hiddenSize, kvWidth, bias: true)
      oProj = Linear(attention / "o_proj", width, c.hiddenSize)
      mlp = GatedMLP(at / "mlp", c)
    }

    func callAsFunction(_ x: Tensor, _ batch: Batch) -> Tensor {
      let h = x + attention(inputNorm(x), batch)
      return h + mlp(postAttentionNorm(h))
    }

    func attention(_ x: Tensor, _ batch: Batch) -> Tensor {
      let rope = Rope(c, layer: index, batch)
      let q = rope(qProj(x).heads(c.headCount))  // [T, H, D]
      let k = rope(kProj(x).heads(c.kvHeadCount))  // [T, Hkv, D]
      let v = vProj(x).heads(c.kvHeadCount)
      return oProj(pagedAttention(q, k, v, c, layer: index, batch).joined())  // [T, hidden]
    }
  }
}
