import IngotCore

/// A Hugging Face folder: `config.json` beside one or more safetensors files.
///
/// Weights that AWQ, GPTQ or compressed-tensors packed appear as one tensor each, under the name that the unpacked
/// weight would have.
final class SafetensorsCheckpoint: Checkpoint {
  let path: String
  let config: DecoderConfig
  let metadata: GGUFMetadata? = nil
  private let table: TensorTable

  /// - Throws: whatever is wrong with the configuration or the files.
  init(directory: String, files: [String]) throws(IngotError) {
    path = directory
    let configPath = FileSystem.join(directory, "config.json")
    guard FileSystem.exists(configPath) else {
      throw IngotError(
        .io, "the folder has tensors but no config.json", at: .init(file: directory),
        hint: "a checkpoint is a folder of config.json and *.safetensors, or a .gguf file")
    }
    var config = try DecoderConfig(directory: directory)
    let scheme = try PackedScheme.of(
      directory: directory, config: try JSONParser.parse(path: configPath), file: configPath)
    var table = try Self.open(directory: directory, files: files).unpacked(scheme)
    try table.completeBareNames()
    config.tiesEmbeddings = try table.tiesEmbeddings(flag: config.tiesEmbeddings)
    (self.config, self.table) = (config, table)
  }

  /// Opens a part of the folder's model.
  /// - Parameter families: the `model_type`s that are known; any other is replaced by what the tensors tell.
  /// - Throws: as above; `.argument` for a part that is not there.
  init(
    directory: String, files: [String], _ submodel: Submodel, families: [String]
  ) throws(IngotError) {
    path = directory
    let configPath = FileSystem.join(directory, "config.json")
    let json = try JSONParser.parse(path: configPath)
    var object = try submodel.configuration(in: json, file: configPath)
    let scheme = try PackedScheme.of(directory: directory, config: json, file: configPath)
    var table = try Self.open(directory: directory, files: files).unpacked(scheme)
      .part(submodel.prefix, path: directory)
    if let modelType = submodel.modelType {
      object["model_type"] = .string(modelType)
    } else if !families.contains(object["model_type"]?.string ?? "") {
      object["model_type"] = .string(table.likelyFamily)
    }
    // A part that is driven by vectors has no vocabulary of its own.
    if object["vocab_size"]?.int == nil { object["vocab_size"] = .int(1) }
    var config = try DecoderConfig(json: .object(object), file: configPath)
    config.tiesEmbeddings = try table.tiesEmbeddings(flag: config.tiesEmbeddings)
    (self.config, self.table) = (config, table)
  }

  var tensorNames: [String] { table.names }
  func tensor(named name: String) -> CheckpointTensor? { table[name] }

  private static func open(directory: String, files: [String]) throws(IngotError) -> TensorTable {
    let index = "model.safetensors.index.json"
    // As transformers: a single file wins over an index.
    if !files.contains("model.safetensors"), files.contains(index) {
      return try SafetensorsIndex(path: FileSystem.join(directory, index)).open(in: directory)
    }
    let candidates = files.filter { $0.hasSuffix(".safetensors") }
    guard let name = candidates.first(where: { $0 == "model.safetensors" }) ?? candidates.first else {
      throw IngotError(.io, "the folder has no .safetensors file", at: .init(file: directory))
    }
    guard name == "model.safetensors" || candidates.count == 1 else {
      throw IngotError(
        .format, "the folder has \(candidates.count) .safetensors files and no \(index)",
        at: .init(file: directory), hint: "fetch the index as well")
    }
    var table = TensorTable()
    for tensor in try SafetensorsFile(path: FileSystem.join(directory, name)).tensors {
      try table.append(tensor)
    }
    return table
  }
}
