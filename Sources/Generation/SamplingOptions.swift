public import IngotCore

/// How the next token is drawn from logits; names and order of the filters are llama.cpp's.
///
/// Penalties come first, then top-k, top-p and min-p on the distribution as the model gives it, and the
/// temperature last. A filter that is off costs nothing.
/// Source: `llama-sampling.cpp`, llama.cpp.
public struct SamplingOptions: Sendable, Hashable {
  /// The ways of drawing.
  public enum Method: String, Sendable, CaseIterable {
    /// The filters described above.
    case filters
    /// As the penalty head of compiled models draws: see `PenaltyHead`. Temperature, top-k, top-p and the repeat
    /// penalty count, the others do not.
    case penaltyHead
  }

  /// How tokens are drawn.
  public var method = Method.filters
  /// Divides the logits before the draw: below 1 likely tokens gain, above 1 unlikely ones; 0 always takes
  /// the likeliest token, of equals that with the lowest id.
  public var temperature = 0.8
  /// Keeps so many of the likeliest tokens; 0 for all.
  public var topK = 40
  /// Keeps the fewest of the likeliest tokens whose probabilities sum to this; 1 for all.
  public var topP = 0.95
  /// Keeps tokens at least this probable, relative to the likeliest; 0 for all.
  public var minP = 0.05
  /// Positive logits of recent tokens are divided by this, others multiplied; 1 for no penalty.
  public var repeatPenalty = 1.0
  /// Taken off the logits of recent tokens.
  public var presencePenalty = 0.0
  /// Taken off the logits of recent tokens as often as they occur.
  public var frequencyPenalty = 0.0
  /// How many tokens, of prompt and reply, are recent to the penalties; 0 for none, -1 for all.
  public var repeatLastN = 64
  /// The same seed and the same logits draw the same tokens; nil for a new seed each time.
  public var seed: UInt64?

  /// The defaults of llama.cpp.
  public init() {}

  /// Always the likeliest token, without penalties.
  public static var greedy: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = 0
    return options
  }

  /// The defaults of compiled models' penalty head: repeat penalty 1.2 over 32 tokens, temperature 1, the 50 likeliest.
  public static var penaltyHead: SamplingOptions {
    var options = SamplingOptions()
    (options.method, options.temperature, options.topK, options.topP, options.minP) = (
      .penaltyHead, 1, 50, 1, 0
    )
    (options.repeatPenalty, options.repeatLastN) = (1.2, 32)
    return options
  }

  /// Checks that all options are in range.
  /// - Throws: `.argument` naming the option, its value and its range.
  public func validate() throws(IngotError) {
    try require("temperature", temperature, temperature >= 0, "at least 0")
    try require("top-k", topK, topK >= 0, "at least 0")
    try require("top-p", topP, topP > 0 && topP <= 1, "above 0 and at most 1")
    try require("min-p", minP, minP >= 0 && minP <= 1, "from 0 to 1")
    try require("repeat-penalty", repeatPenalty, repeatPenalty >= 1e-6, "at least 0.000001")
    try require("presence-penalty", presencePenalty, true, "a number")
    try require("frequency-penalty", frequencyPenalty, true, "a number")
    if method == .penaltyHead {
      try require(
        "top-k", topK, (1...PenaltyHead.mostTokens).contains(topK), "from 1 to \(PenaltyHead.mostTokens)")
      try require("min-p", minP, minP == 0, "0 with the penalty head")
      try require("presence-penalty", presencePenalty, presencePenalty == 0, "0 with the penalty head")
      try require("frequency-penalty", frequencyPenalty, frequencyPenalty == 0, "0 with the penalty head")
    }
    try require("repeat-last-n", repeatLastN, repeatLastN >= -1, "at least 0, or -1 for all tokens")
  }

  private func require(_ name: String, _ value: Double, _ holds: Bool, _ range: String) throws(IngotError) {
    // Larger numbers would turn into infinities once they meet a 32-bit logit.
    guard value.isFinite, value.magnitude <= 1e6, holds else {
      throw IngotError(.argument, "\(name) is \(value); it must be \(range), and no larger than a million")
    }
  }

  private func require(_ name: String, _ value: Int, _ holds: Bool, _ range: String) throws(IngotError) {
    guard holds else { throw IngotError(.argument, "\(name) is \(value); it must be \(range)") }
  }

  /// Whether recent tokens make a difference.
  var penalizes: Bool {
    repeatLastN != 0 && (repeatPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0)
  }
}
