/// What a decoder-only model is made of: one struct for all families, read from `config.json` or from
/// GGUF metadata, with the family's defaults filled in and every size checked.
public struct DecoderConfig: Sendable, Hashable {
  /// The family in Hugging Face's terms, as `qwen3`.
  public var modelType: String
  /// Class names of the checkpoint, as `Qwen3ForCausalLM`; empty for GGUF.
  public var architectures: [String] = []
  /// The dtype the checkpoint says it is in, as `bfloat16`.
  public var torchDType: String?

  /// Rows of the embedding.
  public var vocabSize: Int
  /// Width of the residual stream.
  public var hiddenSize: Int
  /// Number of decoder layers.
  public var layerCount: Int
  /// Query heads.
  public var headCount: Int
  /// Key and value heads; divides `headCount`.
  public var kvHeadCount: Int
  /// Width of one head; even.
  public var headDim: Int
  /// Inner width of the MLP.
  public var intermediateSize: Int
  /// Added to the mean square in RMS norms.
  public var rmsNormEps: Double
  /// Non-linearity of the MLP.
  public var hiddenActivation: HiddenActivation = .silu

  /// Whether head and embedding are one tensor: what the configuration says, or, on a `Checkpoint`, what
  /// holds for its tensors.
  public var tiesEmbeddings = false
  /// Whether q, k and v have biases.
  public var attentionBias = false
  /// Whether the attention's output projection has one.
  public var attentionOutputBias = false
  /// Whether the MLP's projections have them.
  public var mlpBias = false

  /// Tokens a layer looks back on, itself included, per layer; nil for all.
  public var slidingWindows: [Int?]
  /// The context length the model is for.
  public var maxPositions: Int
  /// Rotary embedding of the layers, or of those with full attention if `slidingRope` is there.
  public var rope: RopeParameters
  /// Rotary embedding of layers with a sliding window, where it differs.
  public var slidingRope: RopeParameters?

  /// Token that begins a text.
  public var bosTokenID: Int?
  /// Tokens that end a generation.
  public var eosTokenIDs: [Int] = []
  /// Token that fills batches.
  public var padTokenID: Int?

  /// A configuration with plain rope, no biases and no sliding windows; set the rest afterwards.
  public init(
    modelType: String, vocabSize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, kvHeadCount: Int,
    headDim: Int, intermediateSize: Int, rmsNormEps: Double = 1e-6, maxPositions: Int = 2048,
    rope: RopeParameters = RopeParameters()
  ) {
    self.modelType = modelType
    (self.vocabSize, self.hiddenSize, self.layerCount) = (vocabSize, hiddenSize, layerCount)
    (self.headCount, self.kvHeadCount, self.headDim) = (headCount, kvHeadCount, headDim)
    (self.intermediateSize, self.rmsNormEps) = (intermediateSize, rmsNormEps)
    (self.maxPositions, self.rope) = (maxPositions, rope)
    slidingWindows = Array(repeating: nil, count: max(0, layerCount))
  }
}

extension DecoderConfig {
  /// Base of the rotary frequencies.
  public var ropeTheta: Double { rope.theta }
  /// How rotary frequencies are stretched.
  public var ropeScaling: RopeScaling { rope.scaling }
  /// The part of each head that is rotated, from 0 to 1.
  public var partialRotaryFactor: Double { rope.partialRotaryFactor }
  /// The context length before it was stretched.
  public var originalMaxPositions: Int { rope.scaling.originalMaxPositions ?? maxPositions }

  /// Tokens that a layer looks back on, itself included; nil for all.
  public func slidingWindow(layer: Int) -> Int? { slidingWindows[layer] }

  /// The rotary embedding of a layer.
  public func rope(layer: Int) -> RopeParameters {
    slidingWindows[layer] == nil ? rope : slidingRope ?? rope
  }
}

/// The non-linearity between the projections of an MLP.
public enum HiddenActivation: String, Sendable, Hashable, CaseIterable {
  /// `x * sigmoid(x)`.
  case silu
  /// `x * Φ(x)` with the error function.
  case gelu
  /// The tanh approximation of GELU.
  case geluTanh = "gelu_pytorch_tanh"
  /// `max(x, 0)`.
  case relu
  /// `x * sigmoid(1.702 x)`.
  case quickGELU = "quick_gelu"

  /// The activation of a name in transformers, with its aliases.
  init?(configName name: String) {
    switch name {
    case "swish": self = .silu
    case "gelu_python": self = .gelu
    case "gelu_new", "gelu_fast", "gelu_tanh": self = .geluTanh
    default: self.init(rawValue: name)
    }
  }
}
