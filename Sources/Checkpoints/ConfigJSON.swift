public import IngotCore

/// The configuration of a checkpoint as a `config.json` of transformers: a folder's own, or for a GGUF file one that
/// says the same.
///
/// How weights were packed is left out: whoever writes them from a checkpoint writes others.
/// - Throws: `.io`, `.format` for a folder whose file cannot be read.
public func configJSON(of checkpoint: any Checkpoint) throws(IngotError) -> JSONValue {
  guard checkpoint.metadata != nil else {
    let file = try checkpoint.files().file("config.json")
    let json = try withExtendedLifetime(file) { () throws(IngotError) in
      try JSONParser.parse(file.bytes, file: file.path)
    }
    return json.withoutQuantization
  }
  var config = checkpoint.config
  config.torchDType = checkpoint.tensor(named: "model.layers.0.self_attn.q_proj.weight")?.encoding.torchName
  return config.huggingFaceJSON
}

extension JSONValue {
  fileprivate var withoutQuantization: JSONValue {
    guard let object else { return self }
    let kept = object.members.filter { !["quantization_config", "compression_config"].contains($0.key) }
    return .object(
      JSONObject(kept.map { $0.key == "text_config" ? .init($0.key, $0.value.withoutQuantization) : $0 }))
  }
}

extension TensorEncoding {
  /// The dtype of a checkpoint in transformers whose weights these would be, or would be unpacked to.
  fileprivate var torchName: String {
    switch self {
    case .plain(.f32): "float32"
    case .plain(.bf16): "bfloat16"
    case .plain, .block, .grouped: "float16"
    }
  }
}

extension DecoderConfig {
  /// The configuration as a `config.json` of transformers.
  ///
  /// Rotary embedding is written in the spellings of transformers 4 and 5. One divisor per frequency, which only
  /// GGUF has, becomes a longrope whose two lists are the same.
  /// Source: `configuration_*.py`, transformers 5.23.
  package var huggingFaceJSON: JSONValue {
    let family = modelType.prefix(1).uppercased() + modelType.dropFirst()
    let names = architectures.isEmpty ? ["\(family)ForCausalLM"] : architectures
    var json = JSONObject([
      .init("architectures", .array(names.map { .string($0) })),
      .init("attention_bias", .bool(attentionBias)),
      .init("attention_dropout", .double(0)), .init("bos_token_id", bosTokenID.map { .int($0) } ?? .null),
      .init("eos_token_id", Self.ids(eosTokenIDs)), .init("head_dim", .int(headDim)),
      .init("hidden_act", .string(hiddenActivation.rawValue)), .init("hidden_size", .int(hiddenSize)),
      .init("initializer_range", .double(0.02)), .init("intermediate_size", .int(intermediateSize)),
      .init("max_position_embeddings", .int(maxPositions)), .init("mlp_bias", .bool(mlpBias)),
      .init("model_type", .string(modelType)), .init("num_attention_heads", .int(headCount)),
      .init("num_hidden_layers", .int(layerCount)), .init("num_key_value_heads", .int(kvHeadCount)),
      .init("pad_token_id", padTokenID.map { .int($0) } ?? .null), .init("rms_norm_eps", .double(rmsNormEps)),
    ])
    addRope(to: &json)
    addWindows(to: &json)
    json["tie_word_embeddings"] = .bool(tiesEmbeddings)
    if let torchDType { json["torch_dtype"] = .string(torchDType) }
    json["use_cache"] = .bool(true)
    json["vocab_size"] = .int(vocabSize)
    return .object(json)
  }

  private static func ids(_ ids: [Int]) -> JSONValue {
    ids.count > 1 ? .array(ids.map { .int($0) }) : ids.first.map { .int($0) } ?? .null
  }

  private func addRope(to json: inout JSONObject) {
    json["rope_theta"] = .double(rope.theta)
    let scaling = rope.scaling.huggingFaceMembers(maxPositions: maxPositions)
    let type = JSONObject.Member("rope_type", .string(rope.scaling.huggingFaceName))
    json["rope_scaling"] = scaling.isEmpty ? .null : .object(JSONObject([type] + scaling))
    var parameters = JSONObject([type, .init("rope_theta", .double(rope.theta))] + scaling)
    if rope.partialRotaryFactor != 1 {
      json["partial_rotary_factor"] = .double(rope.partialRotaryFactor)
      parameters["partial_rotary_factor"] = .double(rope.partialRotaryFactor)
    }
    json["rope_parameters"] = .object(parameters)
  }

  private func addWindows(to json: inout JSONObject) {
    let window = slidingWindows.compactMap { $0 }.first
    let isMixed = Set(slidingWindows).count > 1
    switch FamilyDefaults.of(modelType).windows {
    case .none: return
    case .all: break
    case .upper:
      json["use_sliding_window"] = .bool(window != nil)
      json["max_window_layers"] = .int(slidingWindows.firstIndex { $0 != nil } ?? layerCount)
    case .layerTypes: if window == nil { return }
    }
    json["sliding_window"] = window.map { .int($0) } ?? .null
    if isMixed {
      json["layer_types"] = .array(
        slidingWindows.map { .string($0 == nil ? "full_attention" : "sliding_attention") })
    }
  }
}

extension RopeScaling {
  fileprivate var huggingFaceName: String {
    if case .factors = self { return "longrope" }
    return name
  }

  /// The members beside `rope_type` and `rope_theta`; none for plain rope.
  fileprivate func huggingFaceMembers(maxPositions: Int) -> [JSONObject.Member] {
    let original = originalMaxPositions.map {
      [JSONObject.Member("original_max_position_embeddings", .int($0))]
    }
    func optional(_ key: String, _ value: Double?) -> [JSONObject.Member] {
      value.map { [.init(key, .double($0))] } ?? []
    }
    func list(_ key: String, _ values: [Double]) -> JSONObject.Member {
      .init(key, .array(values.map { .double($0) }))
    }
    switch self {
    case .none: return []
    case .linear(let factor), .dynamic(let factor): return [.init("factor", .double(factor))]
    case .llama3(let llama3):
      return [
        .init("factor", .double(llama3.factor)), .init("low_freq_factor", .double(llama3.lowFrequencyFactor)),
        .init("high_freq_factor", .double(llama3.highFrequencyFactor)),
      ] + (original ?? [])
    case .yarn(let yarn):
      return [.init("factor", .double(yarn.factor))] + (original ?? [])
        + optional("attention_factor", yarn.attentionFactor)
        + [.init("beta_fast", .double(yarn.betaFast)), .init("beta_slow", .double(yarn.betaSlow))]
        + optional("mscale", yarn.mscale) + optional("mscale_all_dim", yarn.mscaleAllDim)
        + [.init("truncate", .bool(yarn.truncates))]
    case .longrope(let longrope):
      return [list("short_factor", longrope.shortFactors), list("long_factor", longrope.longFactors)]
        + (original ?? []) + optional("factor", longrope.factor)
        + optional("attention_factor", longrope.attentionFactor)
    case .factors(let factors):
      let divisors = factors.map(Double.init)
      return [
        list("short_factor", divisors), list("long_factor", divisors), .init("factor", .double(1)),
        .init("original_max_position_embeddings", .int(maxPositions)), .init("attention_factor", .double(1)),
      ]
    }
  }
}
