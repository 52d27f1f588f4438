package import Generation

/// What a pipeline is run with.
package struct PipelineOptions: Sendable {
  /// What to do about files of an earlier run.
  package enum Start: Sendable, Hashable {
    /// Refuse to touch them.
    case fresh
    /// Remove them.
    case clean
    /// Go on after the last whole step, if there is one.
    case resume
  }

  /// The folder of the steps.
  package var runRoot: String
  /// The folder of the cache; nil to keep it in memory, with the same f16 rounding.
  package var cacheFolder: String?
  /// Most tokens to draw.
  package var steps = 10
  /// Rows of the cache, as the user has them in mind; nil for what the model says.
  package var cacheLength: Int?
  /// Tokens of a prefill call, as the user has them in mind; nil for what the model says.
  package var inputLength: Int?
  /// How tokens are drawn.
  package var sampling = PipelineOptions.defaultSampling
  /// Whether a longer prompt is cut into steps.
  package var chunks = true
  /// What to do about earlier files.
  package var start = Start.fresh
  /// Whether tokens that end a text do not end the run.
  package var ignoresEOS = false
  /// Whether hidden states and masks are kept.
  package var savesHidden = true

  /// The defaults, with the cache in the run root.
  package init(runRoot: String) {
    self.runRoot = runRoot
    cacheFolder = Files.join(runRoot, "kv")
  }

  /// Temperature 1, no filters.
  package static var defaultSampling: SamplingOptions {
    var options = SamplingOptions()
    (options.temperature, options.topK, options.topP, options.minP) = (1, 0, 1, 0)
    return options
  }
}

/// How a run ended.
package struct PipelineResult: Sendable, Hashable {
  /// Why.
  package enum Reason: String, Sendable {
    /// The model drew a token that ends a text.
    case endOfText = "end_of_text"
    /// As many tokens were drawn as were asked for.
    case length
  }

  /// Tokens drawn, without the one that ended the text.
  package var ids: [Int]
  /// Why it ended.
  package var reason: Reason
  /// The token that ended the text.
  package var endID: Int?
  /// Steps that are in the run root.
  package var steps: Int
  /// Those of them that an earlier run had done.
  package var resumedSteps: Int
}
