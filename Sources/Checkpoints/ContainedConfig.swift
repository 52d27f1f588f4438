package import IngotCore

/// The metadata of a checkpoint's GGUF file as a GGUF file without tensors; nil for other formats.
/// - Throws: `.io`, `.format`.
package func metadataAlone(of checkpoint: any Checkpoint) throws(IngotError) -> [UInt8]? {
  guard let metadata = checkpoint.metadata else { return nil }
  var reader = GGUFHeaderReader(try MappedFile(path: metadata.path))
  return try reader.metadataAlone()
}

/// Tensors of a GGUF file that its configuration is read from.
package let configurationTensorNames: Set = [
  "rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight",
]

/// The configuration of a model whose files and tensors lie in a container.
/// - Parameters:
///   - files: `config.json`, maybe `generation_config.json`.
///   - gguf: what `metadataAlone` gave, for a model that came from GGUF.
///   - tensors: all of its tensors.
/// - Throws: as `openCheckpoint(_:)`.
package func containedConfig(
  files: any FileSource, gguf: MappedFile?, tensors: [CheckpointTensor]
) throws(IngotError) -> (config: DecoderConfig, metadata: GGUFMetadata?) {
  var table = TensorTable()
  for tensor in tensors { try table.append(tensor) }
  if let gguf {
    let metadata = try GGUFFile(gguf).metadata
    var config = try DecoderConfig(gguf: metadata, tensors: table)
    config.tiesEmbeddings = try table.tiesEmbeddings(flag: false)
    return (config, metadata)
  }
  func json(_ name: String) throws(IngotError) -> JSONValue {
    let file = try files.file(name)
    return try withExtendedLifetime(file) { () throws(IngotError) in
      try JSONParser.parse(file.bytes, file: FileSystem.join(files.path, name))
    }
  }
  let generation = "generation_config.json"
  var config = try DecoderConfig(
    json: try json("config.json"), file: FileSystem.join(files.path, "config.json"),
    generation: files.names.contains(generation) ? try json(generation) : nil,
    generationFile: FileSystem.join(files.path, generation))
  // A model with a head of its own has both.
  config.tiesEmbeddings = try table.tiesEmbeddings(flag: false)
  return (config, nil)
}
