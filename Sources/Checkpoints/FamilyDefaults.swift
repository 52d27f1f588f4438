/// What `config.json` leaves out: a family's values for absent keys and its rules.
/// Source: `configuration_*.py`, transformers 5.23.
struct FamilyDefaults {
  enum Windows {
    /// The family knows no sliding window, whatever its configuration says.
    case none
    /// `sliding_window` holds for all layers; absent, it is this.
    case all(absent: Int?)
    /// `use_sliding_window`, `max_window_layers` and `layer_types` decide per layer.
    case upper
    /// As `layer_types` says, or all if there are none.
    case layerTypes
  }

  enum Biases {
    /// No attention projection ever has one.
    case none
    /// q, k and v always have one.
    case queryKeyValue
    /// `attention_bias` decides for q, k, v and the output.
    case configured
  }

  /// `num_key_value_heads`; nil for as many as query heads.
  var kvHeads: Int?
  /// `head_dim`; nil for `hidden_size / num_attention_heads`.
  var headDim: Int?
  var maxPositions: Int
  var bosTokenID: Int?
  var eosTokenID: Int?
  var windows: Windows
  var biases: Biases
  /// Whether `mlp_bias` means something.
  var configuresMLPBias: Bool
  /// Whether the family rotates only a part of each head where `partial_rotary_factor` asks for it.
  var rotatesPartly: Bool

  /// The defaults of a model type; unknown ones get those that most families share.
  static func of(_ modelType: String) -> FamilyDefaults {
    switch modelType {
    case "llama":
      FamilyDefaults(
        maxPositions: 2048, bosTokenID: 1, eosTokenID: 2, windows: .none, biases: .configured,
        configuresMLPBias: true, rotatesPartly: false)
    case "mistral":
      FamilyDefaults(
        kvHeads: 8, maxPositions: 131_072, bosTokenID: 1, eosTokenID: 2, windows: .all(absent: 4096),
        biases: .none, configuresMLPBias: false, rotatesPartly: false)
    case "qwen2":
      FamilyDefaults(
        kvHeads: 32, maxPositions: 32_768, windows: .upper, biases: .queryKeyValue, configuresMLPBias: false,
        rotatesPartly: false)
    case "qwen3":
      FamilyDefaults(
        kvHeads: 32, headDim: 128, maxPositions: 32_768, windows: .upper, biases: .configured,
        configuresMLPBias: false, rotatesPartly: false)
    default:
      FamilyDefaults(
        maxPositions: 2048, windows: .layerTypes, biases: .configured, configuresMLPBias: true,
        rotatesPartly: true)
    }
  }
}
