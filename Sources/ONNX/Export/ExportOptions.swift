public import IngotCore
public import Quantization

/// How a checkpoint becomes ONNX.
///
/// A preset is a choice of `split`, `cache` and `names`; each can also be chosen by itself.
public struct ExportOptions: Sendable {
  /// Choices that other people's programs expect.
  public enum Preset: String, Sendable, CaseIterable {
    /// One model with growing caches, as transformers, optimum and ONNX Runtime GenAI load it.
    case genai
    /// Embedding, blocks and output of fixed shapes, with caches that are read and written through files.
    case staged
    /// Embedding, decoder packs, norm and head with dynamic axes and flattened caches.
    case packed
    /// One model per layer and segment of a prompt, of fixed shapes, for accelerator compilers.
    case device
  }
  /// How a decoder is cut into models.
  public enum Split: String, Sendable, CaseIterable {
    /// Not at all.
    case whole
    /// Embedding, blocks of layers, output.
    case blocks
    /// Embedding, packs of layers, norm, head.
    case packs
    /// Embedding, one model per layer, head.
    case layers
  }
  /// How earlier keys and values come in and new ones go out.
  public enum Cache: String, Sendable, CaseIterable {
    /// All in, all out, longer by the new tokens; dynamic axes.
    case growing
    /// A buffer of fixed length in, the new rows out; fixed shapes.
    case buffer
    /// Three models per layer, for a shared prefix, what follows it, and single tokens; fixed shapes.
    case segments
  }
  /// Which operators may be used.
  public enum Operators: String, Sendable, CaseIterable {
    /// Those of the ONNX standard; quantised weights too.
    case standard
    /// ONNX Runtime's own: GroupQueryAttention, RotaryEmbedding, SimplifiedLayerNormalization, MatMulNBits.
    case ort
  }
  /// What becomes a file of its own.
  public enum ExternalData: String, Sendable, CaseIterable {
    /// Weights of a kilobyte and more.
    case auto
    /// All weights.
    case always
    /// None: each model is one file, of at most 2 GB.
    case never
  }
  /// What a head of its own gives.
  public enum Head: String, Sendable, CaseIterable {
    case logits
    /// The likeliest id.
    case top1
  }

  /// How the decoder is cut.
  public var split: Split
  /// How its cache works.
  public var cache: Cache
  /// What ports are called.
  public var names: NamingScheme
  /// The preset these began as.
  public let preset: Preset

  /// Element type of weights: f32, f16 or bf16. Operators compute in f32 for bf16, which few runtimes compute in.
  public var dtype = DType.f32
  /// Quantised linear layers; nil for floats.
  public var quantization: BlockQuantization?
  /// Operators; nil for standard ones, with MatMulNBits for quantised weights.
  public var operators: Operators?
  /// Version of the standard operators, 13 to 23; nil for 17, or the lowest that can say what is asked.
  public var opset: Int?
  /// Where weights lie.
  public var externalData = ExternalData.auto
  /// Order of the axes of caches.
  public var kvLayout = KVLayout.bhsd
  /// The length that rotary angles are planned for, where they depend on it; nil for the model's own.
  public var plannedLength: Int?

  /// Models that the layers are cut into; nil for 4, or fewer where there are fewer layers.
  public var blocks: Int?
  /// Tokens of a prefill call of fixed shape.
  public var sequenceLength = 32
  /// Slots of a cache of fixed shape.
  public var cacheLength = 1024
  /// Layers of a pack; nil for all in one.
  public var packSize: Int?
  /// Let a head give the k largest logits and their ids.
  public var topK: Int?
  /// What a device's head gives.
  public var head = Head.logits
  /// Most tokens of the shared prefix.
  public var shareLength = 256
  /// Most tokens of what follows it.
  public var unshareLength = 256
  /// Slots of a device's cache.
  public var totalLength = 1024
  /// Rows of the rotary tables in a device's weights.
  public var rotaryRows = 8704
  /// Whether token ids enter and logits leave; a part of a larger model has neither.
  public var isSubmodel = false
  /// Names of the models to export, without `.onnx`; empty for all.
  public var only: [String] = []

  /// The choices of a preset.
  public init(_ preset: Preset) {
    self.preset = preset
    switch preset {
    case .genai: (split, cache, names) = (.whole, .growing, .genai)
    case .staged: (split, cache, names) = (.blocks, .buffer, .staged)
    case .packed: (split, cache, names) = (.packs, .growing, .packed)
    case .device: (split, cache, names, kvLayout) = (.layers, .segments, .device, .bshd)
    }
  }
}

extension ExportOptions {
  /// The opset that is used.
  var chosenOpset: Int {
    if let opset { return opset }
    return quantization != nil && operators == .standard && !isPerChannelInt8 ? 21 : 17
  }

  var isPerChannelInt8: Bool { quantization?.bits == 8 && quantization?.groupSize == nil }

  /// Whether quantised weights are read by standard operators.
  var dequantizesByStandard: Bool { operators == .standard }

  /// Checks what does not depend on the model.
  /// - Throws: `.argument` naming the option.
  func validate() throws(IngotError) {
    func require(_ condition: Bool, _ what: @autoclosure () -> String, hint: String? = nil) throws(IngotError)
    {
      guard condition else { throw IngotError(.argument, what(), hint: hint) }
    }
    try require([.f32, .f16, .bf16].contains(dtype), "dtype \(dtype) is not exported; f32, f16 and bf16 are")
    try require((13...23).contains(chosenOpset), "opset \(chosenOpset) is not offered; 13 to 23 are")
    if quantization != nil, dequantizesByStandard, !isPerChannelInt8 {
      try require(
        chosenOpset >= 21, "opset \(chosenOpset) cannot say weights with a scale per group; 21 can",
        hint: "use --opset 21, --ops ort, or --quant int8 without --group-size")
    }
    for (name, value) in [
      ("--blocks", blocks ?? 1), ("--seq-len", sequenceLength), ("--max-cache-len", cacheLength),
      ("--decoder-pack-size", packSize ?? 1), ("--top-k", topK ?? 1), ("--share-length", shareLength),
      ("--unshare-length", unshareLength), ("--seq-length", totalLength), ("--max-pos-len", rotaryRows),
    ] {
      try require((1...1 << 24).contains(value), "\(name) is \(value); it must be from 1 to \(1 << 24)")
    }
    try require(
      topK == nil || split == .packs, "--top-k is for a head of its own", hint: "use --preset packed")
    if operators == .ort {
      try require(
        cache == .growing && split == .whole && names == .genai && kvLayout == .bhsd,
        "--ops ort is for one model with the names of genai, whose cache ONNX Runtime's operator can share",
        hint: "leave out --ops, or use --preset genai")
    }
    if cache == .segments {
      try require(
        split == .layers, "a cache in segments needs one model per layer", hint: "use --split layers")
      try require(
        shareLength + unshareLength <= totalLength,
        "--share-length \(shareLength) and --unshare-length \(unshareLength) do not fit in --seq-length \(totalLength)"
      )
      try require(
        totalLength <= rotaryRows,
        "--max-pos-len \(rotaryRows) is shorter than --seq-length \(totalLength)",
        hint:
          "all exports that are to share weights need one --max-pos-len, at least the longest --seq-length")
      try require(!isSubmodel || head == .logits, "a sub-model has no head")
    }
  }
}
