public import IngotCore

/// What an artefact says about itself beside its segments: for which lengths it was compiled, how its weights are stored
/// and how much that costs.
public struct ArtifactManifest: Sendable {
  /// The lengths of its sets of stages, at least one.
  public var sets: [StageSet]
  /// Rows of the rotary tables: no set may be longer.
  public var maxPositions: Int
  /// Most tokens of a prompt that are computed together.
  public var prefillChunk: Int
  /// Element type of the cache: `f16`, `f32` or `i8`.
  public var kvType: String
  /// Whether any length up to the longest may be used; else the cache always has a set's own length.
  public var isDynamic: Bool
  /// How the weights are stored, as the recipe says it.
  public var quantization: String
  /// The rounding that the scales and limits of the weights were searched for before they were rounded (AWQ), as
  /// `int4:128:sym`; nil when nothing was searched.
  public var awq: String?
  /// Name and family of the model.
  public var name: String
  /// The family, as `qwen3`.
  public var modelType: String
  /// The gate's measurements; nil when it was not run.
  public var quality: JSONValue?
  /// Memory and ports of every stage.
  public var stages: JSONValue?

  /// The longest set.
  public var longest: StageSet { sets.max { $0.total < $1.total } ?? sets[0] }

  /// - Precondition: there is a set.
  public init(
    sets: [StageSet], maxPositions: Int, prefillChunk: Int, kvType: String, isDynamic: Bool,
    quantization: String, name: String, modelType: String
  ) {
    precondition(!sets.isEmpty)
    (self.sets, self.maxPositions, self.prefillChunk) = (sets, maxPositions, prefillChunk)
    (self.kvType, self.isDynamic, self.quantization) = (kvType, isDynamic, quantization)
    (self.name, self.modelType) = (name, modelType)
  }

  /// As members of the manifest.
  public var json: JSONObject {
    var json = JSONObject([
      .init("model", .string(name)), .init("model_type", .string(modelType)),
      .init("quantization", .string(quantization)),
      .init(
        "stage_sets",
        .array(
          sets.map {
            .object(
              JSONObject([
                .init("share", .int($0.share)), .init("unshare", .int($0.unshare)),
                .init("total", .int($0.total)),
              ]))
          })),
      .init("dynamic", .bool(isDynamic)), .init("max_pos_len", .int(maxPositions)),
      .init("prefill_chunk", .int(prefillChunk)), .init("kv_type", .string(kvType)),
    ])
    json["awq"] = awq.map { JSONValue.string($0) }
    json["quality"] = quality
    json["stages"] = stages
    return json
  }

  /// Reads a manifest.
  /// - Throws: `.format` naming the key that is missing or makes no sense.
  public init(_ json: JSONValue, path: String) throws(IngotError) {
    func value<T>(_ key: String, _ get: (JSONValue) -> T?) throws(IngotError) -> T {
      guard let found = json[key].flatMap(get) else {
        throw IngotError(
          .format, "the manifest lacks this key, or has nonsense in its place",
          at: .init(file: path, key: key), hint: "the file was not written by ingot compile")
      }
      return found
    }
    let positive = { (value: JSONValue) -> Int? in
      value.int.flatMap { (1...StageSet.longest).contains($0) ? $0 : nil }
    }
    maxPositions = try value("max_pos_len", positive)
    var sets: [StageSet] = []
    for (index, item) in try value("stage_sets", \.array).prefix(4096).enumerated() {
      let place = IngotError.Place(file: path, key: "stage_sets[\(index)]")
      guard let share = item["share"]?.int, let unshare = item["unshare"]?.int,
        let total = item["total"]?.int, let set = try? StageSet(share: share, unshare: unshare, total: total),
        total <= maxPositions
      else { throw IngotError(.format, "the lengths of this set make no sense", at: place) }
      sets.append(set)
    }
    guard !sets.isEmpty else {
      throw IngotError(.format, "the manifest lists no stages", at: .init(file: path, key: "stage_sets"))
    }
    self.sets = sets
    prefillChunk = try value("prefill_chunk", positive)
    kvType = try value("kv_type", \.string)
    isDynamic = try value("dynamic", \.bool)
    let line = { (value: JSONValue) -> String? in
      value.string.flatMap { text in
        text.utf8.count <= 4096 && !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
          ? text : nil
      }
    }
    quantization = try value("quantization", line)
    if json["awq"] != nil { awq = try value("awq", line) }
    // They are shown on terminals, and make up names of files.
    let plain = { (value: JSONValue) -> String? in
      value.string.flatMap { text in
        let isPlain =
          text.utf8.count <= 255 && !text.isEmpty
          && text.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "/"
          }
        return isPlain ? text : nil
      }
    }
    name = try value("model", plain)
    modelType = try value("model_type", plain)
    (quality, stages) = (json["quality"], json["stages"])
  }
}
