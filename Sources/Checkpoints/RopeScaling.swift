/// Rotary embedding of a layer.
public struct RopeParameters: Sendable, Hashable {
  /// Base of the frequencies.
  public var theta: Double
  /// How they are stretched.
  public var scaling: RopeScaling
  /// The part of each head that is rotated, from 0 to 1.
  public var partialRotaryFactor: Double

  /// Plain rope over the whole head unless said otherwise.
  public init(theta: Double = 10_000, scaling: RopeScaling = .none, partialRotaryFactor: Double = 1) {
    (self.theta, self.scaling, self.partialRotaryFactor) = (theta, scaling, partialRotaryFactor)
  }
}

/// How rotary frequencies are changed to reach a longer context than the model was trained on.
/// Source: `modeling_rope_utils.py`, transformers 5.23.
public enum RopeScaling: Sendable, Hashable {
  /// Not at all.
  case none
  /// All divided by a factor.
  case linear(factor: Double)
  /// A base that grows with the sequence once it exceeds the configured context ("dynamic NTK").
  case dynamic(factor: Double)
  /// Low frequencies divided, high ones kept, a ramp in between.
  case llama3(Llama3)
  /// A ramp over dimensions and a temperature. Source: arXiv 2309.00071.
  case yarn(YaRN)
  /// Two lists of divisors, for short and long sequences. Source: arXiv 2402.13753.
  case longrope(LongRoPE)
  /// One divisor per frequency, as GGUF's `rope_freqs.weight` has them.
  case factors([Float])

  /// Parameters of `llama3`.
  public struct Llama3: Sendable, Hashable {
    /// Divisor of low frequencies.
    public var factor: Double
    /// Wavelengths above `originalMaxPositions / lowFrequencyFactor` are low frequencies.
    public var lowFrequencyFactor: Double
    /// Wavelengths below `originalMaxPositions / highFrequencyFactor` are high frequencies.
    public var highFrequencyFactor: Double
    /// Context length of the training.
    public var originalMaxPositions: Int

    /// Llama 3.1's parameters unless said otherwise.
    public init(
      factor: Double = 8, lowFrequencyFactor: Double = 1, highFrequencyFactor: Double = 4,
      originalMaxPositions: Int = 8192
    ) {
      (self.factor, self.lowFrequencyFactor) = (factor, lowFrequencyFactor)
      (self.highFrequencyFactor, self.originalMaxPositions) = (highFrequencyFactor, originalMaxPositions)
    }
  }

  /// Parameters of `yarn`.
  public struct YaRN: Sendable, Hashable {
    /// Ratio of the contexts.
    public var factor: Double
    /// Context length of the training.
    public var originalMaxPositions: Int
    /// Factor of cosine and sine; nil to compute it from `factor`.
    public var attentionFactor: Double?
    /// Rotations over the original context above which a dimension is kept.
    public var betaFast = 32.0
    /// Rotations below which it is divided by `factor`.
    public var betaSlow = 1.0
    /// Weight of the temperature's numerator; counts only together with `mscaleAllDim`.
    public var mscale: Double?
    /// Weight of its denominator.
    public var mscaleAllDim: Double?
    /// Whether the ramp begins and ends at whole dimensions.
    public var truncates = true

    /// The paper's values for what is not given.
    public init(factor: Double, originalMaxPositions: Int) {
      (self.factor, self.originalMaxPositions) = (factor, originalMaxPositions)
    }
  }

  /// Parameters of `longrope`.
  public struct LongRoPE: Sendable, Hashable {
    /// Divisors for sequences up to `originalMaxPositions`, one per frequency.
    public var shortFactors: [Double]
    /// Divisors for longer ones.
    public var longFactors: [Double]
    /// Context length of the training.
    public var originalMaxPositions: Int
    /// Ratio of the contexts; nil for `maxPositions / originalMaxPositions`.
    public var factor: Double?
    /// Factor of cosine and sine; nil to compute it from `factor`.
    public var attentionFactor: Double?

    /// Takes the two lists and the original context.
    public init(
      shortFactors: [Double], longFactors: [Double], originalMaxPositions: Int, factor: Double? = nil,
      attentionFactor: Double? = nil
    ) {
      (self.shortFactors, self.longFactors) = (shortFactors, longFactors)
      self.originalMaxPositions = originalMaxPositions
      (self.factor, self.attentionFactor) = (factor, attentionFactor)
    }
  }

  /// Context length of the training, where the scaling says it.
  public var originalMaxPositions: Int? {
    switch self {
    case .none, .linear, .dynamic, .factors: nil
    case .llama3(let llama3): llama3.originalMaxPositions
    case .yarn(let yarn): yarn.originalMaxPositions
    case .longrope(let longrope): longrope.originalMaxPositions
    }
  }

  /// The name in transformers; `factors` is GGUF's own.
  public var name: String {
    switch self {
    case .none: "default"
    case .linear: "linear"
    case .dynamic: "dynamic"
    case .llama3: "llama3"
    case .yarn: "yarn"
    case .longrope: "longrope"
    case .factors: "factors"
    }
  }
}
