import ArgumentParser
import Artifact
import Ingot

/// A text that questions share, and the lengths of its buffer.
struct SharingArguments: ParsableArguments {
  @Option(
    name: .customLong("share-file"), parsing: .unconditional,
    help:
      "A text that is computed once; each line of stdin, or -p, is then a question about it. It becomes the system message or, with --system or where the template has none, the beginning of the user's."
  )
  var file: String?

  @Option(
    name: .customLong("share-length"), parsing: .unconditional,
    help: "Most tokens of the shared text; by default as many as it has.")
  var share: Int?

  @Option(
    name: .customLong("unshare-length"), parsing: .unconditional,
    help: "Most tokens of a question; by default what share and one token of an answer leave.")
  var unshare: Int?

  @Option(
    name: .customLong("seq-length"), parsing: .unconditional,
    help: "Tokens of shared text, question and answer together; by default the context's.")
  var total: Int?

  @Option(
    name: .customLong("max-pos-len"), parsing: .unconditional,
    help:
      "The length that rotary tables are chosen for, where they depend on it: the longest --seq-length that a prompt cache is to be used with."
  )
  var maxPositions: Int?

  @Flag(
    name: .customLong("compare-sharing"),
    help: "Compute each prompt a second time without sharing, and show the time to the first token of both.")
  var compares = false

  @Flag(help: "Print one JSON object for the shared text and one for each question.")
  var json = false

  /// Whether a text is shared.
  var isWanted: Bool { file != nil }

  /// - Throws: `.argument` for options without effect and numbers out of range.
  func check() throws(IngotError) {
    let lengths = [
      ("--share-length", share), ("--unshare-length", unshare), ("--seq-length", total),
      ("--max-pos-len", maxPositions),
    ]
    for (name, value) in lengths {
      guard let value else { continue }
      guard (1...StageSet.longest).contains(value) else {
        throw IngotError(.argument, "\(name) is \(value); it must be from 1 to \(StageSet.longest)")
      }
      guard isWanted else { throw IngotError(.argument, "\(name) needs --share-file") }
    }
    if !isWanted && (compares || json) {
      throw IngotError(.argument, "\(compares ? "--compare-sharing" : "--json") needs --share-file")
    }
  }

  /// The context the engine is built for, to hold all lengths.
  /// - Parameter context: what was asked for.
  func contextLength(_ context: Int?) -> Int? {
    let lengths = [total, maxPositions].compactMap(\.self)
    return lengths.isEmpty ? context : max(lengths.max() ?? 0, total == nil ? context ?? 0 : 0)
  }

  /// The lengths for a text of `shared` tokens: the model's own sets, or one of what the options leave open.
  /// - Parameter manifest: of a compiled model; nil for a model without.
  /// - Throws: `.limit` for a text that leaves no room; `.argument` for lengths that do not go together.
  func sets(_ manifest: ArtifactManifest?, shared: Int, context: Int) throws(IngotError) -> [StageSet] {
    if let manifest {
      let sets = manifest.sets.filter { $0.share > 0 }
      guard share == nil, unshare == nil, total == nil else {
        throw IngotError(
          .argument,
          "the lengths of a compiled model are fixed: \(sets.map(\.description).joined(separator: ", "))",
          hint: "leave --share-length, --unshare-length and --seq-length out")
      }
      return try manifest.sharingSets()
    }
    let total = total ?? context
    let share = share ?? shared
    guard share < total - 1 else {
      throw IngotError(
        .limit,
        "the shared text has \(share) tokens; in a buffer of \(total) it leaves no room for questions",
        hint: "use a larger --seq-length")
    }
    return [try StageSet(share: share, unshare: unshare ?? total - share - 1, total: total)]
  }
}
