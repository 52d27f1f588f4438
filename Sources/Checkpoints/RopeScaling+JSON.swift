import IngotCore

extension DecoderConfig {
  /// Reads the rotary embedding in any of its spellings: `rope_scaling` beside `rope_theta`, or
  /// `rope_parameters` of transformers 5, either one object or one per layer type.
  ///
  /// Precedence as in `convert_rope_params_to_dict`, transformers 5.23.
  mutating func readRope(_ reader: ConfigReader, _ family: FamilyDefaults) throws(IngotError) {
    let parser = RopeParser(reader: reader, family: family, maxPositions: maxPositions)
    var object = try reader.nested("rope_scaling")
    if object?.object.members.isEmpty ?? true { object = try reader.nested("rope_parameters") }
    guard let object else {
      rope = try parser.parameters(nil)
      return
    }
    let full = try object.layerEntry("full_attention")
    let sliding = try object.layerEntry("sliding_attention")
    guard full != nil || sliding != nil else {
      rope = try parser.parameters(object)
      return
    }
    rope = try parser.parameters(full ?? sliding, isPerLayerType: true)
    let slidingRope = try parser.parameters(sliding ?? full, isPerLayerType: true)
    self.slidingRope = slidingRope == rope ? nil : slidingRope
  }
}

extension ConfigReader {
  /// The member for a layer type; nil when the keys are rope parameters themselves.
  fileprivate func layerEntry(_ type: String) throws(IngotError) -> ConfigReader? {
    self[type] == nil ? nil : try nested(type)
  }
}

/// Reads the keys of one rope object.
private struct RopeParser {
  /// The configuration around it.
  let reader: ConfigReader
  let family: FamilyDefaults
  let maxPositions: Int

  func parameters(
    _ object: ConfigReader?, isPerLayerType: Bool = false
  ) throws(IngotError) -> RopeParameters {
    /// A key that may stand in the rope object or beside it.
    func number(_ key: String, in range: ClosedRange<Double>) throws(IngotError) -> Double? {
      let inner = try object?.number(key, in: range)
      return try inner.or(reader.number(key, in: range))
    }
    let theta = try number("rope_theta", in: DecoderConfig.Limits.theta) ?? 10_000
    var partial = try number("partial_rotary_factor", in: 0...1) ?? 1
    var scaling = RopeScaling.none
    if let object {
      scaling = try self.scaling(object, isPerLayerType: isPerLayerType)
    }
    if !family.rotatesPartly, partial != 1 {
      guard scaling == .none else {
        throw reader.error(
          "partial_rotary_factor", "this family cannot rotate \(partial) of a head", kind: .unsupported)
      }
      // Transformers ignores the factor here.
      partial = 1
    }
    return RopeParameters(theta: theta, scaling: scaling, partialRotaryFactor: partial)
  }

  private func scaling(
    _ object: ConfigReader, isPerLayerType: Bool
  ) throws(IngotError) -> RopeScaling {
    let typeKey = object["rope_type"] == nil && object["type"] != nil ? "type" : "rope_type"
    func factor(_ key: String) throws(IngotError) -> Double {
      guard let value = try number(object, key) else { throw object.error(key, "missing") }
      return value
    }
    switch try object.string(typeKey) ?? "default" {
    case "default": return .none
    case "linear": return .linear(factor: try factor("factor"))
    case "dynamic": return .dynamic(factor: try factor("factor"))
    case "llama3":
      let llama3 = RopeScaling.Llama3(
        factor: try factor("factor"), lowFrequencyFactor: try factor("low_freq_factor"),
        highFrequencyFactor: try factor("high_freq_factor"),
        originalMaxPositions: try originalMaxPositions(object, isPerLayerType))
      guard llama3.highFrequencyFactor > llama3.lowFrequencyFactor else {
        throw object.error("high_freq_factor", "it must exceed low_freq_factor")
      }
      return .llama3(llama3)
    case "yarn": return .yarn(try yarn(object, isPerLayerType))
    case "longrope", "su": return .longrope(try longrope(object, isPerLayerType))
    case let other:
      throw object.error(
        typeKey, "rope of type \"\(other)\" is not supported", kind: .unsupported,
        hint: "supported: default, linear, dynamic, llama3, yarn, longrope")
    }
  }

  private func number(_ object: ConfigReader, _ key: String) throws(IngotError) -> Double? {
    try object.number(key, in: DecoderConfig.Limits.factor)
  }

  /// The key beside the rope object counts before the one in it; with neither, the context length.
  private func originalMaxPositions(
    _ object: ConfigReader, _ isPerLayerType: Bool
  ) throws(IngotError) -> Int {
    let key = "original_max_position_embeddings"
    let outer = isPerLayerType ? nil : try reader.integer(key, in: DecoderConfig.Limits.positions)
    return try outer.or(object.integer(key, in: DecoderConfig.Limits.positions)) ?? maxPositions
  }

  private func yarn(_ object: ConfigReader, _ isPerLayerType: Bool) throws(IngotError) -> RopeScaling.YaRN {
    let original = try originalMaxPositions(object, isPerLayerType)
    let factor = try number(object, "factor") ?? Double(maxPositions) / Double(original)
    var yarn = RopeScaling.YaRN(factor: factor, originalMaxPositions: original)
    yarn.attentionFactor = try object.number("attention_factor", in: 0...1e6)
    yarn.mscale = try object.number("mscale", in: 0...1e6)
    yarn.mscaleAllDim = try object.number("mscale_all_dim", in: 0...1e6)
    // Zero counts as absent.
    if let beta = try object.number("beta_fast", in: 0...1e9), beta != 0 { yarn.betaFast = beta }
    if let beta = try object.number("beta_slow", in: 0...1e9), beta != 0 { yarn.betaSlow = beta }
    // A null is false in Python.
    yarn.truncates = object.mentions("truncate") ? try object.bool("truncate") ?? false : true
    return yarn
  }

  private func longrope(
    _ object: ConfigReader, _ isPerLayerType: Bool
  ) throws(IngotError) -> RopeScaling.LongRoPE {
    func factors(_ key: String) throws(IngotError) -> [Double] {
      guard let factors = try object.numbers(key, in: DecoderConfig.Limits.factor) else {
        throw object.error(key, "missing")
      }
      return factors
    }
    return RopeScaling.LongRoPE(
      shortFactors: try factors("short_factor"), longFactors: try factors("long_factor"),
      originalMaxPositions: try originalMaxPositions(object, isPerLayerType),
      factor: try number(object, "factor"),
      attentionFactor: try object.number("attention_factor", in: 0...1e6))
  }
}
