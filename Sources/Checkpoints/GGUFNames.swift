import IngotCore

/// The names and row orders of one architecture's tensors in GGUF, against Hugging Face's.
/// Source: `gguf/constants.py` and `gguf/tensor_mapping.py`, gguf 0.19.
struct GGUFNames: Sendable {
  /// The architectures whose models Ingot knows.
  enum Architecture: String, CaseIterable {
    /// LLaMA, Mistral and everything else converted as such.
    case llama
    case qwen2
    case qwen3

    /// Whether the converter reordered the rows of q and k.
    var interleavesRope: Bool {
      switch self {
      case .llama: true
      case .qwen2, .qwen3: false
      }
    }
  }

  let architecture: Architecture
  private let headCount: Int
  private let kvHeadCount: Int

  /// Takes the architecture, and the head counts that undo its row order, from metadata.
  /// - Throws: `.config` when they are missing or impossible; `.unsupported` for other architectures.
  init(_ metadata: GGUFMetadata) throws(IngotError) {
    let key = "general.architecture"
    guard let name = try metadata.string(key) else {
      throw IngotError(.config, "missing", at: .init(file: metadata.path, key: key))
    }
    guard let architecture = Architecture(rawValue: name) else {
      let known = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
      throw IngotError(
        .unsupported, "architecture \"\(name)\" is not supported", at: .init(file: metadata.path, key: key),
        hint: "supported: \(known)")
    }
    self.architecture = architecture
    let keys = GGUFConfigReader(metadata, architecture: name)
    headCount = try keys.uniform("attention.head_count", in: DecoderConfig.Limits.heads)
    kvHeadCount =
      try keys.optionalUniform("attention.head_count_kv", in: DecoderConfig.Limits.heads) ?? headCount
  }

  /// The Hugging Face name; a name not in the tables stays as it is.
  func huggingFaceName(_ name: String) -> String {
    if let known = Self.outer[name] { return known }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0,
      parts[1] == "\(layer)", parts[3] == "weight" || parts[3] == "bias",
      let inner = Self.inner[String(parts[2])]
    else { return name }
    return "model.layers.\(layer).\(inner).\(parts[3])"
  }

  /// The order of a tensor's rows in the file.
  func rowOrder(_ name: String, shape: Shape) -> RowOrder {
    guard architecture.interleavesRope, let rows = shape.dims.first else { return .natural }
    let parts = name.split(separator: ".")
    guard parts.count == 4, parts[0] == "blk" else { return .natural }
    let heads: Int
    switch parts[2] {
    case "attn_q": heads = headCount
    case "attn_k": heads = kvHeadCount
    default: return .natural
    }
    // Rows that are not so many heads of even size are of a wrong shape, which the model's check reports.
    guard rows % (2 * heads) == 0, rows > 0 else { return .natural }
    return .interleavedRope(headDim: rows / heads)
  }

  private static let outer = [
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output_norm.bias": "model.norm.bias",
    "output.weight": "lm_head.weight",
    "output.bias": "lm_head.bias",
  ]

  private static let inner = [
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_gate_inp": "mlp.gate",
  ]
}
