import IngotCore

extension DecoderConfig {
  /// Reads the configuration from GGUF metadata, and from the tensors what it does not say: the
  /// vocabulary's size, which biases there are, rope factors.
  /// Source: ggml `docs/gguf.md`; `gguf/constants.py`, gguf 0.19.
  init(gguf metadata: GGUFMetadata, tensors: TensorTable) throws(IngotError) {
    let architecture = try GGUFNames(metadata).architecture.rawValue
    let reader = GGUFConfigReader(metadata, architecture: architecture)
    let hiddenSize = try reader.required("embedding_length", in: Limits.sizes)
    let headCount = try reader.uniform("attention.head_count", in: Limits.heads)
    let headDim =
      try reader.integer("attention.key_length", in: Limits.headDims) ?? hiddenSize / headCount
    let valueDim = try reader.integer("attention.value_length", in: Limits.headDims) ?? headDim
    guard valueDim == headDim else {
      throw reader.error(
        "attention.value_length",
        "values of size \(valueDim) beside keys of size \(headDim) are not supported", kind: .unsupported)
    }
    self.init(
      modelType: architecture,
      vocabSize: try Self.vocabulary(reader, tensors),
      hiddenSize: hiddenSize,
      layerCount: try reader.required("block_count", in: Limits.layers),
      headCount: headCount,
      kvHeadCount: try reader.optionalUniform("attention.head_count_kv", in: Limits.heads) ?? headCount,
      headDim: headDim,
      intermediateSize: try reader.uniform("feed_forward_length", in: Limits.intermediate),
      rmsNormEps: try reader.number("attention.layer_norm_rms_epsilon", in: Limits.epsilon) ?? 1e-6,
      maxPositions: try reader.required("context_length", in: Limits.positions))
    if let experts = try reader.integer("expert_count", in: 0...Limits.layers.upperBound), experts > 0 {
      throw reader.error("expert_count", "mixtures of experts are not supported", kind: .unsupported)
    }
    let layer = "model.layers.0"
    attentionBias = tensors["\(layer).self_attn.q_proj.bias"] != nil
    attentionOutputBias = tensors["\(layer).self_attn.o_proj.bias"] != nil
    mlpBias = tensors["\(layer).mlp.gate_proj.bias"] != nil
    try readWindow(reader)
    rope = try GGUFRope(reader: reader, maxPositions: maxPositions, headDim: headDim).parameters(tensors)
    bosTokenID = try Self.tokenID(metadata, "bos")
    padTokenID = try Self.tokenID(metadata, "padding")
    for name in ["eos", "eot", "eom"] {
      if let id = try Self.tokenID(metadata, name), !eosTokenIDs.contains(id) { eosTokenIDs.append(id) }
    }
    try check(file: metadata.path, keys: .gguf(architecture))
  }

  /// The embedding's rows, which count even where the key says otherwise.
  private static func vocabulary(
    _ reader: GGUFConfigReader, _ tensors: TensorTable
  ) throws(IngotError) -> Int {
    guard let embedding = tensors[TensorTable.embedding], let rows = embedding.shape.dims.first else {
      return try reader.required("vocab_size", in: Limits.vocabulary)
    }
    guard Limits.vocabulary.contains(rows) else { throw embedding.error(.config, "a vocabulary of \(rows)") }
    return rows
  }

  /// A model converted as `llama` that has windows is a Mistral.
  private mutating func readWindow(_ reader: GGUFConfigReader) throws(IngotError) {
    let key = "attention.sliding_window"
    let range = 0...Limits.positions.upperBound
    guard let window = try reader.integer(key, in: range), window > 0 else { return }
    if modelType == "llama" { modelType = "mistral" }
    slidingWindows = Array(repeating: window, count: layerCount)
  }

  private static func tokenID(_ metadata: GGUFMetadata, _ name: String) throws(IngotError) -> Int? {
    let key = "tokenizer.ggml.\(name)_token_id"
    guard let id = try metadata.integer(key) else { return nil }
    guard Limits.tokenIDs.contains(id) else {
      // The converter writes 2³² - 1 for none.
      if id == Int(UInt32.max) { return nil }
      throw IngotError(.config, "\(id) is no token id", at: .init(file: metadata.path, key: key))
    }
    return id
  }
}

/// The rope keys and tensors of a GGUF file.
private struct GGUFRope {
  let reader: GGUFConfigReader
  let maxPositions: Int
  let headDim: Int

  func parameters(_ tensors: TensorTable) throws(IngotError) -> RopeParameters {
    let theta = try reader.number("rope.freq_base", in: DecoderConfig.Limits.theta) ?? 10_000
    let rotary = try reader.integer("rope.dimension_count", in: 1...headDim) ?? headDim
    let scaling = try tensorScaling(tensors).or(keyScaling()) ?? .none
    var partial = Double(rotary) / Double(headDim)
    // The quotient may round down; its product with `headDim` must not fall below `rotary`.
    if Int(partial * Double(headDim)) < rotary { partial = partial.nextUp }
    return RopeParameters(theta: theta, scaling: scaling, partialRotaryFactor: partial)
  }

  private var positions: ClosedRange<Int> { DecoderConfig.Limits.positions }
  private var factors: ClosedRange<Double> { DecoderConfig.Limits.factor }

  private func originalMaxPositions() throws(IngotError) -> Int {
    try reader.integer("rope.scaling.original_context_length", in: positions) ?? maxPositions
  }

  /// Factors that the converter has written as tensors.
  private func tensorScaling(_ tensors: TensorTable) throws(IngotError) -> RopeScaling? {
    if let tensor = tensors["rope_freqs.weight"] { return .factors(try values(tensor)) }
    guard let short = tensors["rope_factors_short.weight"], let long = tensors["rope_factors_long.weight"]
    else { return nil }
    return .longrope(
      .init(
        shortFactors: try values(short).map(Double.init), longFactors: try values(long).map(Double.init),
        originalMaxPositions: try originalMaxPositions(), factor: nil,
        attentionFactor: try reader.number("rope.scaling.attn_factor", in: 0...1e6)))
  }

  private func values(_ tensor: CheckpointTensor) throws(IngotError) -> [Float] {
    guard tensor.shape.count == (tensor.shape.dims.last ?? 0), tensor.shape.count <= headDim else {
      throw tensor.error(.config, "rope factors of shape \(tensor.shape)")
    }
    let values = try tensor.floats()
    guard values.allSatisfy({ factors.contains(Double($0)) }) else {
      throw tensor.error(
        .config, "a rope factor that is not between \(factors.lowerBound) and \(factors.upperBound)")
    }
    return values
  }

  private func keyScaling() throws(IngotError) -> RopeScaling {
    // Old files have the inverse under another key.
    let oldFactor = try reader.number("rope.scale_linear", in: factors)
    let type = try reader.string("rope.scaling.type") ?? (oldFactor == nil ? "none" : "linear")
    let factor = try reader.number("rope.scaling.factor", in: 0...factors.upperBound) ?? oldFactor ?? 0
    switch type {
    case "none": return .none
    case "linear": return factor == 0 || factor == 1 ? .none : .linear(factor: try positive(factor))
    case "yarn":
      var yarn = RopeScaling.YaRN(
        factor: try positive(factor), originalMaxPositions: try originalMaxPositions())
      // The converter writes transformers' `attention_factor` here.
      yarn.attentionFactor = try reader.number("rope.scaling.yarn_attn_factor", in: 0...1e6)
      yarn.betaFast = try beta("fast") ?? yarn.betaFast
      yarn.betaSlow = try beta("slow") ?? yarn.betaSlow
      return .yarn(yarn)
    default:
      throw reader.error("rope.scaling.type", "rope of type \"\(type)\" is not supported", kind: .unsupported)
    }
  }

  private func beta(_ name: String) throws(IngotError) -> Double? {
    let beta = try reader.number("rope.scaling.yarn_beta_\(name)", in: 0...1e9)
    return beta == 0 ? nil : beta
  }

  private func positive(_ factor: Double) throws(IngotError) -> Double {
    guard factors.contains(factor) else {
      throw reader.error("rope.scaling.factor", "impossible factor \(factor)")
    }
    return factor
  }
}
