public import Checkpoints
public import IngotCore
import Tokenizers

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Writes the tokenizer files of a model into a folder: a folder's own as they are, those of a GGUF file as Hugging
/// Face's libraries read them, with a `generation_config.json` for the tokens that end a reply.
///
/// Each file appears when it is whole; files that are there already are replaced.
/// - Returns: the names of the files, none when the model has no tokenizer beside it.
/// - Throws: `.io`; `.tokenizer` or `.unsupported` for a vocabulary that no tokenizer can be made of.
public func writeTokenizerFiles(
  of checkpoint: any Checkpoint, to folder: String
) throws(IngotError) -> [String] {
  guard let metadata = checkpoint.metadata else {
    return try copyTokenizerFiles(from: checkpoint.path, to: folder)
  }
  var files: [(name: String, content: JSONValue)]
  do {
    let vocabulary = VocabularyData(try GGUFVocabulary(metadata))
    files = try vocabulary.huggingFaceFiles(maxLength: checkpoint.config.maxPositions)
  } catch {
    throw error.inFile(metadata.path)
  }
  files.append(("generation_config.json", generationConfig(checkpoint.config)))
  for file in files {
    let output = try AtomicFile(path: FileSystem.join(folder, file.name))
    // A vocabulary one token a line is many lines, but people look for tokens in it.
    try output.write(file.content.indented + "\n")
    try output.commit()
  }
  return files.map(\.name)
}

private func generationConfig(_ config: DecoderConfig) -> JSONValue {
  var json = JSONObject()
  if let id = config.bosTokenID { json["bos_token_id"] = .int(id) }
  if !config.eosTokenIDs.isEmpty { json["eos_token_id"] = .array(config.eosTokenIDs.map { .int($0) }) }
  if let id = config.padTokenID { json["pad_token_id"] = .int(id) }
  return .object(json)
}

/// The names that the readers of tokenizers look for.
private let tokenizerFileNames: Set = [
  "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
  "merges.txt", "tokenizer.model", "spiece.model", "tiktoken.model", "chat_template.jinja",
  "chat_template.json", "generation_config.json",
]

private func copyTokenizerFiles(from source: String, to folder: String) throws(IngotError) -> [String] {
  let templates = "additional_chat_templates"
  var names = try names(in: source).filter { tokenizerFileNames.contains($0) || $0.hasSuffix(".tiktoken") }
  if let more = try? FileManager.default.contentsOfDirectory(atPath: FileSystem.join(source, templates)) {
    do {
      try FileManager.default.createDirectory(
        atPath: FileSystem.join(folder, templates), withIntermediateDirectories: true)
    } catch {
      throw IngotError(.io, "cannot make the folder", at: .init(file: FileSystem.join(folder, templates)))
    }
    names += more.filter { $0.hasSuffix(".jinja") }.sorted().map { FileSystem.join(templates, $0) }
  }
  for name in names {
    let file = try MappedFile(path: FileSystem.join(source, name))
    // The bytes are there as long as the object is.
    defer { withExtendedLifetime(file) {} }
    let output = try AtomicFile(path: FileSystem.join(folder, name))
    try output.write(file.bytes)
    try output.commit()
  }
  return names
}

private func names(in folder: String) throws(IngotError) -> [String] {
  guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
    throw IngotError(.io, "cannot list the folder", at: .init(file: folder))
  }
  return names.sorted()
}
