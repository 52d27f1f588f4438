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
    name: .customLong("key-file"),
    help: "A file whose bytes are the prompt cache's key; by default what INGOT_KEY holds, or none.")
  var keyFile: String?

  /// Most bytes of a key.
  private static let longestKey = 4096

  /// - Throws: `.io`; `.argument` for a key without use, empty or too long.
  func key() throws(IngotError) -> [UInt8]? {
    guard path != nil else {
      if keyFile != nil { throw IngotError(.argument, "--key-file needs --prompt-cache") }
      return nil
    }
    let key: [UInt8]
    if let keyFile {
      let file = try MappedFile(path: keyFile)
      key = withExtendedLifetime(file) { Array(file.bytes.prefix(Self.longestKey + 1)) }
    } else {
      guard let value = getenv("INGOT_KEY") else { return nil }
      key = Array(String(cString: value).utf8)
    }
    guard (1...Self.longestKey).contains(key.count) else {
      throw IngotError(
        .argument, "the key has \(key.isEmpty ? "no" : "more than \(Self.longestKey)") bytes",
        at: .init(file: keyFile ?? "INGOT_KEY"))
    }
    return key
  }

  /// What the file holds; nil without one.
  /// - Throws: as `Generator.loadPromptCache`.
  func load(_ text: TextModel, plannedLength: Int) throws(IngotError) -> CachedSequence? {
    guard let path else { return nil }
    let key = try key()
    guard access(path, F_OK) == 0 else { return nil }
    let known = try text.generator.loadPromptCache(path, plannedLength: plannedLength, key: key)
    standardError("prompt cache: \(known.ids.count) tokens of \(path)\n")
    return known
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
