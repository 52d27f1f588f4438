package import Generation
package import IngotCore

/// How surprised a model is by a text.
package struct PerplexityRun {
  /// e^mean of -ln p of the scored tokens, with its standard error.
  package struct Result: Sendable, Equatable {
    /// Windows read.
    package var windows: Int
    /// Tokens of a window.
    package var windowLength: Int
    /// Tokens scored.
    package var tokens: Int
    /// The perplexity.
    package var perplexity: Estimate
  }

  private let reader: WindowReader

  /// Prepares a model for windows.
  /// - Throws: `.argument` for windows that the model cannot read.
  package init(_ model: any LanguageModel, _ windows: EvaluationWindows) throws(IngotError) {
    reader = try WindowReader(model, windows)
  }

  /// Reads all windows.
  /// - Parameters:
  ///   - base: takes the log-probabilities; to be committed by the caller.
  ///   - onWindow: called after each window with their number and the perplexity so far.
  /// - Throws: errors of the model; `.io` while writing.
  package func run(
    saving base: LogitsBaseWriter? = nil, onWindow: (Int, Estimate) -> Void = { _, _ in }
  ) throws(IngotError) -> Result {
    let windows = reader.windows
    var surprises: [Double] = []
    for window in 0..<windows.count {
      try reader.begin(window)
      try reader.read(window, 0..<windows.scoredCount) { (scored, logits) throws(IngotError) in
        let row = try LogRow(logits, window: window, scored: scored)
        surprises.append(row.surprise(windows.target(window, scored)))
        try base?.append(row)
      }
      onWindow(window + 1, Estimate(meanOf: surprises).exponential)
    }
    return Result(
      windows: windows.count, windowLength: windows.length, tokens: surprises.count,
      perplexity: Estimate(meanOf: surprises).exponential)
  }
}

extension PerplexityRun.Result {
  /// One line, as llama-perplexity ends.
  package var text: String {
    let (value, error) = (FixedPoint.text(perplexity.value, 4), FixedPoint.text(perplexity.error, 5))
    return "PPL = \(value) ± \(error) (\(tokens) tokens in \(windows) windows of \(windowLength))\n"
  }

  /// The result as JSON.
  package var json: JSONValue {
    .object(
      JSONObject([
        .init("windows", .int(windows)), .init("window_length", .int(windowLength)),
        .init("tokens", .int(tokens)), .init("ppl", perplexity.json),
      ]))
  }
}
