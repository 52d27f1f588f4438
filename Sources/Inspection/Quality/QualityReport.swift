public import IngotCore

/// How a model's opinions on a text differ from those of a base, usually the model before its weights were quantised.
/// All numbers are those of llama-perplexity under the same names.
public struct QualityReport: Sendable, Equatable {
  /// Windows read.
  public var windows: Int
  /// Tokens of a window.
  public var windowLength: Int
  /// Tokens scored.
  public var tokens: Int
  /// e^mean of -ln p of the tokens, of the model.
  public var perplexity: Estimate
  /// The same of the base.
  public var basePerplexity: Estimate
  /// How the two surprises of a token go together, from -1 to 1.
  public var correlation: Double
  /// ln(perplexity / basePerplexity); its error knows that both read one text.
  public var logRatio: Estimate
  /// perplexity / basePerplexity.
  public var ratio: Estimate
  /// perplexity - basePerplexity.
  public var difference: Estimate
  /// KL(base ‖ model) of the tokens, in nats.
  public var divergence: Distribution
  /// Δp: by how much the model thinks the text's own token likelier than the base does, from -1 to 1.
  public var probabilityChange: Distribution
  /// The root of the mean of Δp².
  public var rmsProbabilityChange: Estimate
  /// The part of tokens for which both think the same token likeliest.
  public var sameTop: Estimate

  /// The report as JSON.
  public var json: JSONValue {
    .object(
      JSONObject([
        .init("windows", .int(windows)), .init("window_length", .int(windowLength)),
        .init("tokens", .int(tokens)),
        .init("ppl", perplexity.json), .init("ppl_base", basePerplexity.json),
        .init("ppl_correlation", .double(correlation)), .init("ln_ppl_ratio", logRatio.json),
        .init("ppl_ratio", ratio.json), .init("ppl_difference", difference.json),
        .init("kl", divergence.json), .init("delta_p", probabilityChange.json),
        .init("rms_delta_p", rmsProbabilityChange.json), .init("same_top_p", sameTop.json),
      ]))
  }
}
