public import IngotCore

extension DecoderConfig {
  /// Reads `config.json`, and `generation_config.json` if there, from a folder.
  /// - Throws: `.io`, `.format`; `.config` naming file and key; `.unsupported`.
  public init(directory: String) throws(IngotError) {
    let path = FileSystem.join(directory, "config.json")
    let json = try JSONParser.parse(path: path)
    let generationPath = FileSystem.join(directory, "generation_config.json")
    let generation =
      FileSystem.exists(generationPath) ? try JSONParser.parse(path: generationPath) : nil
    try self.init(json: json, file: path, generation: generation, generationFile: generationPath)
  }

  /// Reads a parsed `config.json`.
  /// - Throws: `.config` naming file and key; `.unsupported` for activations, rope types, layer types or
  ///   quantised weights that Ingot does not know.
  public init(
    json: JSONValue, file: String, generation: JSONValue? = nil,
    generationFile: String = "generation_config.json"
  ) throws(IngotError) {
    let outer = try ConfigReader(json, file: file)
    let reader = try outer.nested("text_config") ?? outer
    // Weights that are not read are refused before their names and shapes are.
    _ = try PackedScheme.of(outer, reader)
    guard let modelType = try reader.string("model_type").or(outer.string("model_type")) else {
      throw reader.error("model_type", "missing")
    }
    let family = FamilyDefaults.of(modelType)

    let hiddenSize = try reader.required("hidden_size", in: Limits.sizes)
    let headCount = try reader.required("num_attention_heads", in: Limits.heads)
    // A key that is absent takes the family's default, one that is null follows the query heads.
    let absentKVHeads = reader.mentions("num_key_value_heads") ? nil : family.kvHeads
    let absentHeadDim = reader.mentions("head_dim") ? nil : family.headDim
    self.init(
      modelType: modelType,
      vocabSize: try reader.required("vocab_size", in: Limits.vocabulary),
      hiddenSize: hiddenSize,
      layerCount: try reader.required("num_hidden_layers", in: Limits.layers),
      headCount: headCount,
      kvHeadCount: try reader.integer("num_key_value_heads", in: Limits.heads) ?? absentKVHeads ?? headCount,
      headDim: try reader.integer("head_dim", in: Limits.headDims) ?? absentHeadDim
        ?? hiddenSize / headCount,
      intermediateSize: try reader.required("intermediate_size", in: Limits.intermediate),
      rmsNormEps: try reader.number("rms_norm_eps", in: Limits.epsilon) ?? 1e-6,
      maxPositions: try reader.integer("max_position_embeddings", in: Limits.positions)
        ?? family.maxPositions)
    hiddenActivation = try Self.activation(reader)
    architectures = try outer.strings("architectures") ?? []
    torchDType = try Self.dtype(reader).or(Self.dtype(outer))
    tiesEmbeddings =
      try reader.bool("tie_word_embeddings").or(outer.bool("tie_word_embeddings")) ?? false
    try readBiases(reader, family)
    slidingWindows = try SlidingWindowRule(reader, layerCount: layerCount).windows(family.windows)
    try readRope(reader, family)
    try readTokenIDs(outer, reader, family, generation: generation, generationFile: generationFile)
    try check(file: file, keys: .huggingFace)
  }

  private static func activation(_ reader: ConfigReader) throws(IngotError) -> HiddenActivation {
    let isNewKey = reader["hidden_act"] == nil && reader["hidden_activation"] != nil
    let key = isNewKey ? "hidden_activation" : "hidden_act"
    guard let name = try reader.string(key) else { return .silu }
    guard let activation = HiddenActivation(configName: name) else {
      let known = HiddenActivation.allCases.map(\.rawValue).joined(separator: ", ")
      throw reader.error(
        key, "activation \"\(name)\" is not supported", kind: .unsupported, hint: "supported: \(known)")
    }
    return activation
  }

  private static func dtype(_ reader: ConfigReader) throws(IngotError) -> String? {
    try reader.string("dtype").or(reader.string("torch_dtype"))
  }

  private mutating func readBiases(_ reader: ConfigReader, _ family: FamilyDefaults) throws(IngotError) {
    let configured = try reader.bool("attention_bias") ?? false
    switch family.biases {
    case .none: break
    case .queryKeyValue: attentionBias = true
    case .configured: (attentionBias, attentionOutputBias) = (configured, configured)
    }
    if family.configuresMLPBias { mlpBias = try reader.bool("mlp_bias") ?? false }
  }

  /// What `generation_config.json` says counts before `config.json`, as in transformers' `generate`.
  private mutating func readTokenIDs(
    _ outer: ConfigReader, _ reader: ConfigReader, _ family: FamilyDefaults, generation: JSONValue?,
    generationFile: String
  ) throws(IngotError) {
    var sources = [reader]
    if outer.prefix != reader.prefix { sources.append(outer) }
    if let generation { sources.insert(try ConfigReader(generation, file: generationFile), at: 0) }
    func ids(_ key: String, default absent: Int?) throws(IngotError) -> [Int] {
      for source in sources {
        if let ids = try source.tokenIDs(key) { return ids }
      }
      let mentioned = sources.contains { $0.mentions(key) }
      return mentioned ? [] : absent.map { [$0] } ?? []
    }
    bosTokenID = try ids("bos_token_id", default: family.bosTokenID).first
    eosTokenIDs = try ids("eos_token_id", default: family.eosTokenID)
    padTokenID = try ids("pad_token_id", default: nil).first
  }
}
