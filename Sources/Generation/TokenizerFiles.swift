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
    return try copyTokenizerFiles(from: checkpoint.files(), to: folder)
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

/// The names among a model's files that the readers of tokenizers look for.
package func tokenizerFiles(in source: any FileSource) -> [String] {
  source.names.filter {
    tokenizerFileNames.contains($0) || $0.hasSuffix(".tiktoken")
      || $0.hasPrefix("additional_chat_templates/") && $0.hasSuffix(".jinja")
  }
}

private func copyTokenizerFiles(
  from source: any FileSource, to folder: String
) throws(IngotError) -> [String] {
  let names = tokenizerFiles(in: source)
  for name in names {
    let target = FileSystem.join(folder, name)
    if let slash = target.lastIndex(of: "/"), name.contains("/") {
      let parent = String(target[..<slash])
      do {
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      } catch {
        throw IngotError(.io, "cannot make the folder", at: .init(file: parent))
      }
    }
    let file = try source.file(name)
    // The bytes are there as long as the object is.
    defer { withExtendedLifetime(file) {} }
    let output = try AtomicFile(path: target)
    try output.write(file.bytes)
    try output.commit()
  }
  return names
}
