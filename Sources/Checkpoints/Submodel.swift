internal import IngotCore

/// A decoder inside a larger checkpoint, as the Llama of a speech model: its tensors by their prefix, and where its
/// configuration stands.
public struct Submodel: Sendable, Hashable {
  /// What its tensors' names begin with, as `tts.model`.
  public var prefix: String
  /// Path of its object in `config.json`, as `tts_config`; nil to look for it by the prefix.
  public var configPath: String?
  /// The family; nil for what the configuration says, or what the tensors tell.
  public var modelType: String?

  /// Names a part of a checkpoint.
  public init(prefix: String, configPath: String? = nil, modelType: String? = nil) {
    (self.prefix, self.configPath, self.modelType) = (prefix, configPath, modelType)
  }
}

extension Submodel {
  /// The object of `config.json` that describes the part.
  /// - Throws: `.config` when there is none; `.argument` for a path that is not there.
  func configuration(in json: JSONValue, file: String) throws(IngotError) -> JSONObject {
    if let configPath {
      var value = json
      for key in configPath.split(separator: ".") {
        guard let next = value[String(key)] else {
          throw IngotError(
            .argument, "the configuration has no \"\(key)\"", at: .init(file: file, key: configPath))
        }
        value = next
      }
      if let object = value.object { return object }
      throw IngotError(.config, "not an object", at: .init(file: file, key: configPath))
    }
    let parts = prefix.split(separator: ".").map(String.init)
    var keys: [String] = []
    for count in stride(from: parts.count, to: 0, by: -1) {
      let stem = parts[..<count].joined(separator: "_")
      keys += ["\(stem)_config", stem, "\(parts[count - 1])_config", parts[count - 1]]
    }
    // What multimodal models call their decoder.
    keys += ["text_config", "llm_config", "language_config", "decoder_config"]
    for key in keys {
      if let object = json[key]?.object, object["hidden_size"] != nil { return object }
    }
    guard let object = json.object, object["hidden_size"] != nil else {
      throw IngotError(
        .config, "no object describes \"\(prefix)\"", at: .init(file: file),
        hint: "name it: --submodel-config KEY")
    }
    return object
  }
}

extension TensorTable {
  /// The tensors of a part, under the names that they would have in a model of its own.
  /// - Throws: `.argument` when there are none.
  func part(_ prefix: String, path: String) throws(IngotError) -> TensorTable {
    var part = TensorTable()
    for name in names where name.hasPrefix(prefix + ".") {
      guard var tensor = self[name] else { continue }
      let rest = String(name.dropFirst(prefix.count + 1))
      tensor.name = rest.hasPrefix("model.") || rest == Self.head ? rest : "model." + rest
      try part.append(tensor)
    }
    guard !part.names.isEmpty else {
      let tops = Set(names.compactMap { $0.split(separator: ".").first.map(String.init) }).sorted()
      throw IngotError(
        .argument, "no tensor's name begins with \"\(prefix).\"", at: .init(file: path),
        hint: "names begin with \(tops.prefix(8).joined(separator: ", "))")
    }
    return part
  }

  /// The family that the tensors of a layer belong to.
  var likelyFamily: String {
    let attention = "model.layers.0.self_attn."
    if self[attention + "q_norm.weight"] != nil { return "qwen3" }
    return self[attention + "q_proj.bias"] != nil ? "qwen2" : "llama"
  }
}
