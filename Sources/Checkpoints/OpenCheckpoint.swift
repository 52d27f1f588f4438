public import IngotCore

/// Opens a checkpoint: a folder of `config.json` and safetensors files, a `.gguf` file, or a folder with
/// exactly one model in GGUF form.
///
/// Reads and checks headers and configuration; tensor bytes are mapped, not read.
/// - Throws: `.io` for a missing path, file or shard; `.format`, `.config` or `.unsupported` for what is
///   wrong inside, naming file and tensor or key.
public func openCheckpoint(_ path: String) throws(IngotError) -> any Checkpoint {
  switch FileSystem.item(at: path) {
  case .missing: throw IngotError(.io, "no such file or folder", at: .init(file: path))
  case .directory: return try openDirectory(path)
  case .file where path.lowercased().hasSuffix(".gguf"): return try GGUFCheckpoint(path: path)
  case .file:
    if try beginsAsGGUF(path) { return try GGUFCheckpoint(path: path) }
    let hint =
      path.hasSuffix(".safetensors") || path.hasSuffix(".json")
      ? "name the folder that holds config.json and the .safetensors files" : formsHint
    throw IngotError(.unsupported, "not a checkpoint", at: .init(file: path), hint: hint)
  case .other:
    throw IngotError(.io, "neither a regular file nor a folder", at: .init(file: path), hint: formsHint)
  }
}

/// Opens a decoder inside a larger model: a folder of `config.json` and safetensors files.
///
/// Its tensors get the names they would have in a model of its own. Embedding and head may be missing.
/// - Parameter families: the `model_type`s that are known; in place of any other the tensors tell the family.
/// - Throws: as `openCheckpoint(_:)`; `.argument` when the model has no such part.
public func openCheckpoint(
  _ path: String, submodel: Submodel, families: [String]
) throws(IngotError) -> any Checkpoint {
  guard FileSystem.item(at: path) == .directory else {
    throw IngotError(.unsupported, "parts are taken from a folder of safetensors", at: .init(file: path))
  }
  return try SafetensorsCheckpoint(
    directory: path, files: try FileSystem.names(in: path), submodel, families: families)
}

/// Opens a model in one GGUF file that is mapped already.
/// - Throws: as `openCheckpoint(_:)`.
public func openCheckpoint(gguf file: MappedFile) throws(IngotError) -> any Checkpoint {
  try GGUFCheckpoint(file)
}

private let formsHint = "a checkpoint is a folder of config.json and *.safetensors, or a .gguf file"

private func openDirectory(_ path: String) throws(IngotError) -> any Checkpoint {
  let files = try FileSystem.names(in: path)
  if files.contains(where: { $0.hasSuffix(".safetensors") || $0 == "model.safetensors.index.json" }) {
    return try SafetensorsCheckpoint(directory: path, files: files)
  }
  // Of a model in parts, only the first counts as a model.
  let models = files.filter { $0.lowercased().hasSuffix(".gguf") && (GGUFPart(name: $0)?.number ?? 1) == 1 }
  guard let model = models.first else {
    throw IngotError(
      .io, "the folder holds neither .safetensors nor .gguf files", at: .init(file: path), hint: formsHint)
  }
  guard models.count == 1 else {
    throw IngotError(
      .argument, "the folder holds \(models.count) models: \(models.joined(separator: ", "))",
      at: .init(file: path), hint: "name one of the files")
  }
  return try GGUFCheckpoint(path: FileSystem.join(path, model))
}

private func beginsAsGGUF(_ path: String) throws(IngotError) -> Bool {
  let file = try MappedFile(path: path)
  return withExtendedLifetime(file) { file.bytes.starts(with: "GGUF".utf8) }
}
