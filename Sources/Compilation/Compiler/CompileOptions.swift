public import Artifact
public import Engine
internal import IngotCore

/// What a model is compiled to.
public struct CompileOptions: Sendable {
  /// How its weights are stored.
  public var recipe = QuantizationRecipe(.keep)
  /// The lengths of its stages, at least one set.
  public var sets: [StageSet]
  /// Rows of the rotary tables; nil for the longest set. Files that are to share weights and prefixes need the same.
  public var maxPositions: Int?
  /// Most tokens of a prompt that are computed together.
  public var prefillChunk = 512
  /// Element type of the cache that memory is planned for.
  public var kvType = KVType.f16
  /// Whether any length up to the longest set's may be used.
  public var isDynamic = false
  /// What the model is called; nil for the name of its file or folder.
  public var name: String?
  /// Encrypts the file.
  public var key: ArtifactKey?
  /// Signs the file.
  public var signer: SigningKey?
  /// Threads that pack.
  public var engine = EngineOptions()

  /// Options for sets of lengths.
  public init(sets: [StageSet]) { self.sets = sets }

  /// - Throws: `.argument`.
  func check() throws(IngotError) {
    guard let longest = sets.map(\.total).max() else {
      throw IngotError(.argument, "a compiled file needs at least one set of stages")
    }
    guard Set(sets).count == sets.count else {
      throw IngotError(.argument, "two sets of stages have the same lengths")
    }
    guard (maxPositions ?? longest) >= longest, (maxPositions ?? longest) <= StageSet.longest else {
      throw IngotError(
        .argument, "a set has \(longest) tokens, and the rotary tables have \(maxPositions ?? 0) rows",
        hint: "--max-pos-len must be at least the longest set's total")
    }
    guard (1...65_536).contains(prefillChunk) else {
      throw IngotError(.argument, "the prefill chunk is \(prefillChunk); it can be from 1 to 65536")
    }
  }
}
