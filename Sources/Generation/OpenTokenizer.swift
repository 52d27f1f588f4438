public import Artifact
public import Checkpoints
public import IngotCore
public import Tokenizers

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Opens the tokenizer of a model: of an `.ingot` or `.gguf` file, of a folder with tokenizer files (weights need not
/// be there), or of a folder with one model in GGUF form.
/// - Parameter keys: asked for the key of an encrypted file.
/// - Throws: `.io` when there is none; `.format`, `.tokenizer` or `.unsupported` for what is wrong with it.
public func openTokenizer(
  _ path: String, keys: any KeyProvider = DefaultKeys()
) throws(IngotError) -> Tokenizer {
  guard isDirectory(path) else {
    if ArtifactHeader.recognizes(path: path) { return try openTokenizer(of: openWeights(path, keys: keys)) }
    // The vocabulary alone: its model may be of a family that Ingot does not run.
    return try openTokenizer(GGUFFile(path: path).metadata)
  }
  do {
    return try Tokenizer(directory: path)
  } catch {
    // A folder without a vocabulary may hold a GGUF file that has one.
    guard error.kind == .io, let checkpoint = try? openCheckpoint(path), checkpoint.metadata != nil else {
      throw error
    }
    return try openTokenizer(of: checkpoint)
  }
}

/// Opens the tokenizer of an open checkpoint.
/// - Throws: as above.
public func openTokenizer(of checkpoint: any Checkpoint) throws(IngotError) -> Tokenizer {
  guard let metadata = checkpoint.metadata else {
    let files: any FileSource
    do { files = try checkpoint.files() } catch {
      throw IngotError(.io, "no tokenizer beside the model", at: .init(file: checkpoint.path))
    }
    return try Tokenizer(files: files)
  }
  return try openTokenizer(metadata)
}

private func openTokenizer(_ metadata: GGUFMetadata) throws(IngotError) -> Tokenizer {
  do {
    return try Tokenizer(gguf: VocabularyData(GGUFVocabulary(metadata)))
  } catch {
    throw error.inFile(metadata.path)
  }
}

private func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

extension VocabularyData {
  init(_ file: GGUFVocabulary) {
    self.init(
      model: file.model, pre: file.pre ?? "", tokens: file.tokens, types: file.types ?? [],
      scores: file.scores ?? [], merges: file.merges ?? [], bos: file.specialIDs["bos"],
      eos: file.specialIDs["eos"], eot: file.specialIDs["eot"], unk: file.specialIDs["unknown"],
      pad: file.specialIDs["padding"], addBOS: file.addsBOS, addEOS: file.addsEOS,
      addSpacePrefix: file.addsSpacePrefix, chatTemplate: file.chatTemplate)
  }
}
