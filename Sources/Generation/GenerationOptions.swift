public import IngotCore

/// How a reply is made and when it ends.
public struct GenerationOptions: Sendable, Hashable {
  /// Most tokens of the reply; nil for as many as the context holds.
  public var maxTokens: Int?
  /// How tokens are drawn.
  public var sampling = SamplingOptions()
  /// Strings that end the reply; neither they nor what follows them is part of it.
  public var stopStrings: [String] = []
  /// Whether tokens that end a text do not end the reply.
  public var ignoresEOS = false
  /// Tokens that end the reply; nil for those the model's files name.
  public var eosIDs: Set<Int>?
  /// How many tokens a drafter guesses, where there is one.
  public var drafts = DraftOptions()
  /// Tokens of the prompt computed between two looks at the cancellation.
  public var chunkTokens = 512

  /// The defaults.
  public init() {}

  /// Checks that all options are in range.
  /// - Throws: `.argument` naming the option, its value and its range.
  public func validate() throws(IngotError) {
    try sampling.validate()
    try drafts.validate()
    if let maxTokens, maxTokens < 0 {
      throw IngotError(.argument, "the number of tokens is \(maxTokens); it must be at least 0")
    }
    guard chunkTokens > 0 else {
      throw IngotError(.argument, "the chunk is \(chunkTokens) tokens; it must be at least 1")
    }
  }
}

/// Why a reply ended.
public enum FinishReason: Sendable, Hashable {
  /// The model drew this token, which ends a text.
  case endOfText(Int)
  /// The text reached this stop string.
  case stopString(String)
  /// It has as many tokens as were asked for.
  case length
  /// The context is full.
  case contextFull
  /// It was cancelled.
  case cancelled
}

/// A finished reply.
public struct GenerationResult: Sendable, Hashable {
  /// The tokens drawn, without the one that ended the text.
  public var ids: [Int]
  /// Their text, without special tokens and up to a stop string; empty without tokenizer.
  public var text: String
  /// Why it ended.
  public var finishReason: FinishReason
  /// Tokens of the prompt.
  public var promptTokens: Int
  /// Those of them that were in the cache already.
  public var cachedTokens: Int
  /// How long it took.
  public var timings: GenerationTimings
}

/// How long the two phases of a reply took.
public struct GenerationTimings: Sendable, Hashable {
  /// Seconds from the beginning to the first token drawn.
  public var promptSeconds = 0.0
  /// Tokens of the prompt computed in that time.
  public var promptTokens = 0
  /// Seconds from the first token to the last.
  public var decodeSeconds = 0.0
  /// Tokens drawn in that time: all but the first.
  public var decodeTokens = 0
  /// Forwards in that time: as many as tokens, or fewer where drafts were accepted.
  public var decodeForwards = 0
  /// What came of drafts; nil without a drafter.
  public var drafts: DraftCounts?

  /// No time yet.
  public init() {}

  /// Tokens of the prompt per second; 0 when there were none.
  public var promptRate: Double { promptSeconds > 0 ? Double(promptTokens) / promptSeconds : 0 }
  /// Tokens drawn per second; 0 when there were none.
  public var decodeRate: Double { decodeSeconds > 0 ? Double(decodeTokens) / decodeSeconds : 0 }
  /// Tokens drawn per forward; 0 when there were none.
  public var tokensPerForward: Double {
    decodeForwards > 0 ? Double(decodeTokens) / Double(decodeForwards) : 0
  }

  /// Adds another reply's.
  public static func += (total: inout GenerationTimings, other: GenerationTimings) {
    total.promptSeconds += other.promptSeconds
    total.promptTokens += other.promptTokens
    total.decodeSeconds += other.decodeSeconds
    total.decodeTokens += other.decodeTokens
    total.decodeForwards += other.decodeForwards
    guard let more = other.drafts else { return }
    total.drafts = total.drafts ?? DraftCounts()
    total.drafts?.drafted += more.drafted
    total.drafts?.accepted += more.accepted
  }
}

/// What happens on the way to a reply.
public enum GenerationEvent: Sendable, Hashable {
  /// The oldest messages, so many of them, no longer fit in the context and have been forgotten.
  case dropped(messages: Int)
  /// So many tokens of the prompt are computed.
  case prompt(done: Int, of: Int)
  /// A token has been drawn.
  case token(Int)
  /// More text is certain.
  case text(String)
  /// The reply is finished; always the last event.
  case finished(GenerationResult)
}
