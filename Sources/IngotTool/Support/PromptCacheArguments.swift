import ArgumentParser
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where the rows of a prompt are kept between runs.
struct PromptCacheArguments: ParsableArguments {
  @Option(
    name: .customLong("prompt-cache"),
    help:
      "A file that keeps the computed prompt, or the shared text, for later runs; made where it is missing. Only the same model, cache type and key can use it."
  )
  var path: String?

  @Option(
    name: .customLong("prompt-cache-key"),
    help:
      "A file with the key that the prompt cache is authenticated with, as 'ingot keygen' makes it; by default INGOT_KEY, or none."
  )
  var keyFile: String?

  /// The user's key, if there is one.
  /// - Throws: `.io`, `.format`; `.argument` for a key without use.
  func key() throws(IngotError) -> ArtifactKey? {
    guard path != nil else {
      if keyFile != nil { throw IngotError(.argument, "--prompt-cache-key needs --prompt-cache") }
      return nil
    }
    if let keyFile { return try ArtifactKey(path: keyFile) }
    guard let text = getenv("INGOT_KEY"), text.pointee != 0 else { return nil }
    return try ArtifactKey(text: String(cString: text), source: "INGOT_KEY")
  }

  /// What the file holds; nil without one.
  /// - Parameter capacity: most tokens the sequence may have; nil for what the context holds.
  /// - Throws: as `Generator.loadPromptCache`.
  func load(
    _ text: TextModel, plannedLength: Int, capacity: Int? = nil
  ) throws(IngotError) -> CachedSequence? {
    guard let path else { return nil }
    let key = try key()
    guard access(path, F_OK) == 0 else { return nil }
    let known = try text.generator.loadPromptCache(path, plannedLength: plannedLength, key: key)
    standardError("prompt cache: \(known.ids.count) tokens of \(path)\n")
    return capacity == nil ? known : known.fork(prefix: known.ids.count, capacity: capacity)
  }

  /// Keeps the first tokens of a sequence, unless they are in the file already.
  /// - Throws: as `Generator.savePromptCache`.
  func save(
    _ sequence: CachedSequence, tokens: Int, _ text: TextModel, known: [Int]?
  ) throws(IngotError) {
    guard let path, known != Array(sequence.ids.prefix(tokens)) else { return }
    try text.generator.savePromptCache(sequence, tokens: tokens, to: path, key: key())
    standardError("prompt cache: \(tokens) tokens written to \(path)\n")
  }
}
