internal import Checkpoints
internal import IngotCore

/// What the descriptions beside an export say of the model: `config.json` and `genai_config.json`, as far as they
/// are there. An export may be of a family that Ingot has no graph for.
struct ModelFacts {
  /// The configuration, if `config.json` is one that Ingot reads.
  private let config: DecoderConfig?
  private let json: JSONValue?
  /// The `model` object of `genai_config.json`.
  let genai: JSONValue?
  private let folder: String

  /// - Throws: `.io` and `.format` for files that cannot be read.
  init(folder: String) throws(IngotError) {
    self.folder = folder
    let path = FileSystem.join(folder, "config.json")
    if FileSystem.exists(path) {
      json = try JSONParser.parse(path: path)
      config = try? DecoderConfig(directory: folder)
    } else {
      (json, config) = (nil, nil)
    }
    let genaiPath = FileSystem.join(folder, "genai_config.json")
    genai = FileSystem.exists(genaiPath) ? try JSONParser.parse(path: genaiPath)["model"] : nil
  }

  private var objects: [JSONValue] {
    [json?["text_config"], json, genai, genai?["decoder"]].compactMap { $0 }
  }

  /// The first of some members that is a sane count.
  private func count(_ keys: String...) -> Int? {
    for object in objects {
      for key in keys {
        if let number = object[key]?.int, (1...1 << 32).contains(number) { return number }
      }
    }
    return nil
  }

  /// Key-value heads.
  var kvHeads: Int? { config?.kvHeadCount ?? count("num_key_value_heads") ?? heads }
  private var heads: Int? { count("num_attention_heads", "n_head") }
  /// Width of a head.
  var headDim: Int? {
    if let known = config?.headDim ?? count("head_dim", "head_size") { return known }
    guard let hidden = count("hidden_size", "n_embd"), let heads else { return nil }
    return hidden / heads
  }
  /// Token for places that nobody looks at.
  var paddingID: Int {
    let known = config?.padTokenID ?? config?.eosTokenIDs.first ?? genai?["pad_token_id"]?.int
    return max(0, known ?? 0)
  }

  private var genaiEOS: [Int] {
    guard let value = genai?["eos_token_id"] else { return [] }
    return (value.array ?? [value]).compactMap(\.int)
  }

  /// The configuration of the model that a driver drives.
  /// - Throws: `.config` when files and descriptions contradict each other or say too little.
  func config(for driver: any ONNXDriver) throws(IngotError) -> DecoderConfig {
    let layers = config?.layerCount ?? count("num_hidden_layers", "n_layer")
    if let layers, driver.layerCount > 0, layers != driver.layerCount {
      throw IngotError(
        .config, "the configuration has \(layers) layers, the files have \(driver.layerCount)",
        at: .init(file: folder), hint: "a part may be missing; export the model again")
    }
    guard let vocabSize = driver.vocabSize ?? config?.vocabSize ?? count("vocab_size") else {
      throw IngotError(
        .config, "neither the files nor a config.json say how large the vocabulary is",
        at: .init(file: folder))
    }
    if let config {
      var known = config
      // Rows of logits are as long as the file makes them.
      known.vocabSize = vocabSize
      if known.eosTokenIDs.isEmpty { known.eosTokenIDs = genaiEOS }
      return known
    }
    let kvHeads = kvHeads ?? 1
    var made = DecoderConfig(
      modelType: json?["model_type"]?.string ?? genai?["type"]?.string ?? "unknown", vocabSize: vocabSize,
      hiddenSize: count("hidden_size", "n_embd") ?? 1, layerCount: layers ?? driver.layerCount,
      headCount: heads ?? kvHeads, kvHeadCount: kvHeads, headDim: headDim ?? 1,
      intermediateSize: count("intermediate_size") ?? 1,
      maxPositions: count("max_position_embeddings", "n_positions", "context_length") ?? driver.fixedLength
        ?? TextModel.defaultContextLength)
    let eos = json?["eos_token_id"].map { ($0.array ?? [$0]).compactMap(\.int) } ?? []
    made.eosTokenIDs = eos.isEmpty ? genaiEOS : eos
    made.bosTokenID = json?["bos_token_id"]?.int ?? genai?["bos_token_id"]?.int
    made.padTokenID = json?["pad_token_id"]?.int ?? genai?["pad_token_id"]?.int
    return made
  }
}
