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

/// What precision a candidate computes in, or keeps its weights in.
public enum Precision: String, Sendable, CaseIterable {
  case f32, f16, bf16, int8, int4
}

extension Tolerance {
  /// Bounds that honest rounding keeps and broken exports do not.
  public init(for precision: Precision) {
    self.init()
    switch precision {
    case .f32: maxScaled = 1e-4
    case .f16, .bf16, .int8, .int4: break
    }
  }
}
