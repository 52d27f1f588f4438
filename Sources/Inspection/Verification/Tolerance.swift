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
  case f32, f16
  /// Weights in bf16; products in f32, as exports have it.
  case bf16
  /// Integer weights, with activations rounded to int8 in blocks.
  case int8
  /// As `int8`.
  case int4
}

extension Tolerance {
  /// Bounds that honest computing in a precision keeps and faults do not, for a reference that has the same weights:
  /// a checkpoint in f32, or a `RoundedCheckpoint`.
  ///
  /// Against weights that were not rounded there are no such bounds. Rounded to int4, SmolLM2-135M is at a mean KL
  /// of 0.6 to 1.6, and three tiny checkpoints of random weights at 0.2 to 0.6; one of 30 layers missing gives 0.36.
  ///
  /// With equal weights, as measured on three tiny checkpoints and SmolLM2-135M (prefills to 80 tokens and 16 decoded,
  /// random tokens; ONNX Runtime 1.31 with accuracy level 4, and our engine's W4A8 and W8A8):
  ///
  /// |  | largest difference / largest logit | smallest cosine | mean KL | top-1 |
  /// |---|---|---|---|---|
  /// | f32, bf16 | 6e-6 |  | 1e-10 | 100% |
  /// | f16 |  | 0.99995 | 1.2e-5 | 98% |
  /// | int8, int4 in groups of 32 to 128 |  | 0.9957 | 0.0073 | 93% |
  /// | a matrix transposed, a layer missing, gate and up exchanged, zero points off by one in a layer |  | ≤ 0.944 | ≥ 0.1 | ≤ 79% |
  ///
  /// So the bounds of f32 are 17 times the largest seen, those of f16 some 20 times, and those of integers 4 to 8 times
  /// while they are half of what the mildest fault makes. Zero points off by one in a single matrix, or of
  /// 8 bits in a tiny model, may pass as honest.
  public init(for precision: Precision) {
    self.init()
    switch precision {
    case .f32, .bf16: maxScaled = 1e-4
    case .f16: (minCosine, maxMeanKL, minTop1) = (0.999, 3e-4, 0.9)
    case .int8, .int4: (minCosine, maxMeanKL, minTop1) = (0.98, 0.05, 0.75)
    }
  }
}
