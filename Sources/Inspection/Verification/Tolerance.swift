/// How much a candidate may differ from its reference: each bound by itself, nil for none.
public struct Tolerance: Sendable, Equatable {
  /// Largest difference of a logit, times the larger of 1 and the largest logit of the reference.
  public var maxScaled: Double?
  /// Smallest cosine of a row of logits.
  public var minCosine: Double?
  /// Largest mean of the rows' KL(reference‖candidate), in nats.
  public var maxMeanKL: Double?
  /// Smallest part of rows whose likeliest token is the same.
  public var minTop1: Double?

  /// No bounds: only NaN and infinity fail.
  public init() {}

  /// One bound on the largest difference of a logit.
  public init(maxScaled: Double) { self.maxScaled = maxScaled }
}

/// What a candidate computes in.
public enum Precision: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// Integer weights, with activations rounded to int8 in blocks.
  case int8
  /// As `int8`.
  case int4
}

extension Tolerance {
  /// Bounds that honest computing in a precision keeps and broken exports do not, for a reference that has the same
  /// weights: a checkpoint in f32, or a `RoundedCheckpoint`.
  public init(for precision: Precision) {
    self.init()
    switch precision {
    case .f32: maxScaled = 1e-4
    case .f16: (minCosine, maxMeanKL, minTop1) = (0.999, 1e-3, 0.9)
    case .bf16: (minCosine, maxMeanKL, minTop1) = (0.99, 1e-2, 0.8)
    case .int8, .int4: (minCosine, maxMeanKL, minTop1) = (0.97, 0.05, 0.75)
    }
  }
}
