import ArgumentParser
import Artifact
import Ingot

/// `ingot dump`: what a model computes on the way to its logits.
struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Writes hidden states, keys, values and logits of a stage as a .npz file.",
    discussion: """
      input_ids and position_ids [T], logits [T, V], hidden_states.i [T, H] (0: into the first layer, L: out of the \
      last, before the final norm), present_key.i and present_value.i [kv heads, T, head dim], keys after their \
      rotation. T are the stage's new tokens: all of the prompt (prefill), the shared text (share), the question \
      behind it (unshare), or one token behind either (decode).
      """)

  /// What is computed, by the names that `ingot info` shows.
  enum Stage: String, ExpressibleByArgument, CaseIterable { case prefill, share, unshare, decode }

  @OptionGroup var model: ModelArgument
  @OptionGroup var prompt: PromptArguments
  @OptionGroup var engine: ExactEngineArguments

  @Option(help: "The stage whose rows are written.") var stage = Stage.prefill

  @Option(
    name: .customLong("share-file"), parsing: .unconditional,
    help: "A text that the prompt is a question about, as of ingot run; without --chat no template is used.")
  var shareFile: String?

  @Option(
    name: .customLong("share-ids"), parsing: .unconditional,
    help: "Token ids, separated by commas, in place of --share-file.")
  var shareIDs: IDList?

  @Option(
    parsing: .unconditional, help: "decode: the token's id; by default the likeliest after the prompt.")
  var token: Int?

  @Option(
    name: .customLong("max-pos-len"), parsing: .unconditional,
    help: "The length that rotary tables are chosen for, where they depend on it; by default all tokens'.")
  var maxPositions: Int?

  @Option(name: [.customShort("o"), .customLong("output")], help: "The .npz file to write.")
  var output: String

  mutating func run() throws {
    if token != nil, stage != .decode { throw IngotError(.argument, "--token needs --stage decode") }
    if let maxPositions, !(1...StageSet.longest).contains(maxPositions) {
      throw IngotError(
        .argument, "--max-pos-len is \(maxPositions); it must be from 1 to \(StageSet.longest)")
    }
    let (shared, question) = try tokens()
    // All stages of a text have one plan, so that their rows are those of the whole.
    let count = (shared?.count ?? 0) + question.count
    let planned = max(maxPositions ?? 0, shared == nil && stage == .prefill ? count : count + 1)
    let stage = stage
    let backEnd = try BackEnd.open(model.model, engine: engine, contextLength: planned, keys: model.keys) {
      (manifest) throws(IngotError) in
      try Self.check(manifest, stage: stage, shared: shared?.count, question: question.count)
    }
    let before = (shared ?? []) + question
    var dump: TensorDump
    switch stage {
    case .prefill: dump = TensorDump(backEnd, ids: before)
    case .share: dump = TensorDump(backEnd, ids: shared ?? [])
    case .unshare: dump = TensorDump(backEnd, ids: question, after: shared ?? [])
    case .decode:
      let next = try token ?? TensorDump.likeliest(backEnd, after: before, plannedLength: planned)
      dump = TensorDump(backEnd, ids: [next], after: before)
    }
    dump.plannedLength = planned
    var progress: Progress?
    let notes = try dump.write(to: output) { done, total in
      if progress == nil { progress = Progress("writing", total: total) }
      progress?.update(done)
    }
    progress?.finish()
    for note in notes { standardError("note: \(note)\n") }
  }

  /// The shared text, if there is one, and the prompt behind it.
  private func tokens() throws -> (shared: [Int]?, question: [Int]) {
    if shareFile != nil, shareIDs != nil {
      throw IngotError(.argument, "give either --share-file or --share-ids")
    }
    let isShared = shareFile != nil || shareIDs != nil
    guard isShared || stage == .prefill || stage == .decode else {
      throw IngotError(
        .argument, "--stage \(stage.rawValue) needs a shared text", hint: "give one with --share-file")
    }
    let open = { try openTokenizer(model.model, keys: model.keys.keys) }
    var shared = shareIDs?.ids
    let question: [Int]?
    if let shareFile {
      let text = try InputFile(path: shareFile).readText()
      let prefix = try SharedPrompt(text, tokenizer: open(), raw: !prompt.chat)
      shared = prefix.prefix
      question = try prompt.texts().map { try prefix.question($0) }.onlyOne ?? prompt.ids?.ids
    } else {
      question = try prompt.sequences(open).onlyOne
    }
    guard shared?.isEmpty != true else { throw IngotError(.argument, "--share-ids is empty") }
    guard let question else {
      if stage == .share { return (shared, []) }
      throw IngotError(.argument, "give one of --prompt, --prompt-file and --ids")
    }
    guard !question.isEmpty else { throw IngotError(.argument, "--ids is empty") }
    return (shared, question)
  }

  /// Holds a stage to a compiled file's lengths, in the set that would serve it.
  /// - Throws: `.argument` for a file without stages that share; `.limit` for more tokens than a stage takes.
  private static func check(
    _ manifest: ArtifactManifest, stage: Stage, shared: Int?, question: Int
  ) throws(IngotError) {
    guard let shared else {
      _ = try manifest.set(prompt: question, answer: 1, context: .max)
      return
    }
    guard let set = try manifest.sharingSets().choice(shared: shared, question: question, answer: 1) else {
      return
    }
    try set.check(shared: shared)
    try set.check(question: question)
  }
}

extension Array {
  /// The element, where there is one; nil for none.
  /// - Throws: `.argument` for several.
  fileprivate var onlyOne: Element? {
    get throws(IngotError) {
      guard count <= 1 else {
        throw IngotError(.argument, "give one of --prompt, --prompt-file and --ids")
      }
      return first
    }
  }
}
