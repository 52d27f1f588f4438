import ArgumentParser
import Ingot

/// Speculative decoding: who drafts, and how much. The answer is the same with and without.
struct DraftArguments: ParsableArguments {
  @Flag(help: "Draft by prompt lookup: what followed the last tokens where they occurred before.")
  var lookup = false

  @Option(
    name: .customLong("lookup-ngram-max"), parsing: .unconditional,
    help: "Most tokens looked up; by default \(PromptLookup.Options().maxNGram).")
  var maxNGram: Int?

  @Option(
    name: .customLong("lookup-ngram-min"), parsing: .unconditional,
    help: "Fewest tokens looked up; by default \(PromptLookup.Options().minNGram).")
  var minNGram: Int?

  @Option(
    name: [.customLong("md", withSingleDash: true), .customLong("draft-model"), .customLong("model-draft")],
    help: "A smaller model of the same vocabulary that drafts.")
  var model: String?

  @Option(
    name: .customLong("draft-p-min"), parsing: .unconditional,
    help: "Draft as long as the smaller model is this sure; by default \(ModelDrafter.defaultMinProbability)."
  )
  var minProbability: Double?

  @Option(
    name: .customLong("draft-max"), parsing: .unconditional,
    help: "Most tokens drafted at once; by default \(DraftOptions().maxTokens).")
  var maxTokens: Int?

  @Option(
    name: .customLong("draft-min"), parsing: .unconditional,
    help: "Drafts of fewer tokens are not tried; by default \(DraftOptions().minTokens).")
  var minTokens: Int?

  /// Whether somebody is to draft.
  var areWanted: Bool { lookup || model != nil }

  /// - Throws: `.argument` for options out of range and for those without effect.
  func options() throws(IngotError) -> DraftOptions {
    if lookup && model != nil { throw IngotError(.argument, "give either --lookup or --draft-model") }
    if !lookup && (maxNGram != nil || minNGram != nil) {
      throw IngotError(.argument, "--lookup-ngram-max and --lookup-ngram-min need --lookup")
    }
    if model == nil && minProbability != nil {
      throw IngotError(.argument, "--draft-p-min needs --draft-model")
    }
    if !areWanted && (maxTokens != nil || minTokens != nil) {
      throw IngotError(.argument, "--draft-max and --draft-min need --lookup or --draft-model")
    }
    try lookupOptions.validate()
    try ModelDrafter.validate(minProbability: probability)
    var options = DraftOptions()
    options.maxTokens = maxTokens ?? options.maxTokens
    options.minTokens = minTokens ?? options.minTokens
    try options.validate()
    return options
  }

  /// The drafter asked for, if any.
  /// - Throws: errors of the draft model's files; `.argument` where its vocabulary is another.
  func drafter(for text: TextModel, engine: EngineArguments) throws(IngotError) -> (any Drafter)? {
    if lookup { return try PromptLookup(lookupOptions) }
    guard let model else { return nil }
    return try text.drafter(model, options: engine.options(contextLength: nil), minProbability: probability)
  }

  private var probability: Double { minProbability ?? ModelDrafter.defaultMinProbability }

  private var lookupOptions: PromptLookup.Options {
    var options = PromptLookup.Options()
    options.maxNGram = maxNGram ?? options.maxNGram
    // A smaller maximum alone is no contradiction.
    options.minNGram = minNGram ?? max(1, min(options.minNGram, options.maxNGram))
    return options
  }
}
