public import Artifact
internal import Engine
public import IngotCore

/// Prompts kept in files: see `PromptCacheFile`.
extension Generator {
  /// The sequence kept in a file, to pass to `generate` or `SharedSession.share`.
  /// - Parameters:
  ///   - plannedLength: as the sequence's that was saved, where rotary tables depend on it.
  ///   - adapter: a name for what is added to the weights; empty for nothing.
  ///   - key: the user's; nil for none.
  /// - Throws: `.unsupported` for a back end that cannot; `.limit` for more tokens than the context or the cache hold;
  ///   as `PromptCacheFile.init`.
  public func loadPromptCache(
    _ path: String, plannedLength: Int, adapter: String = "", key: ArtifactKey? = nil
  ) throws(IngotError) -> CachedSequence {
    let model = try snapshottingModel()
    let file = try PromptCacheFile(
      path: path, origin: .init(model: model.identity(), adapter: adapter),
      layout: model.layout(plannedLength: plannedLength), key: key)
    do {
      let sequence = try model.restore(file.snapshot, plannedLength: plannedLength)
      return CachedSequence(sequence, ids: file.ids, capacity: nil)
    } catch {
      throw error.inFile(path)
    }
  }

  /// Keeps the first tokens of a sequence in a file.
  /// - Parameters: as above.
  /// - Throws: `.unsupported` for a back end that cannot; `.argument` for more tokens than there are; `.io`; `.memory`.
  public func savePromptCache(
    _ sequence: CachedSequence, tokens: Int, to path: String, adapter: String = "", key: ArtifactKey? = nil
  ) throws(IngotError) {
    let model = try snapshottingModel()
    let snapshot = try model.snapshot(of: sequence.sequence, tokens: tokens)
    let file = try PromptCacheFile(
      ids: Array(sequence.ids.prefix(tokens)), snapshot: snapshot,
      origin: .init(model: model.identity(), adapter: adapter))
    try file.write(to: path, key: key)
  }

  private func snapshottingModel() throws(IngotError) -> any SnapshottingModel {
    guard let model = model as? any SnapshottingModel else {
      throw IngotError(
        .unsupported, "this back end cannot take rows out of its cache, so it has no prompt cache",
        hint: "leave --prompt-cache out")
    }
    return model
  }
}

extension SharedSession {
  /// Keeps the prefix in a file.
  /// - Throws: `.argument` before one is shared; as `Generator.savePromptCache`.
  public func save(to path: String, adapter: String = "", key: ArtifactKey? = nil) throws(IngotError) {
    guard let prefix = prefix() else { throw IngotError(.argument, "there is no shared text to save") }
    try generator.savePromptCache(prefix, tokens: prefix.ids.count, to: path, adapter: adapter, key: key)
  }
}
