public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The frequencies of a rotary embedding and the factor of its cosines and sines.
///
/// Computed as transformers does, in float32 and in its order of operations, for logits to agree; only
/// `pow` may differ, by a unit in the last place.
/// Source: `modeling_rope_utils.py`, transformers 5.23.
public struct RotaryFrequencies: Sendable, Hashable {
  /// Radians per position, `[rotaryDim / 2]`.
  public let inverseFrequencies: [Float]
  /// Factor of cosine and sine.
  public let attentionFactor: Float

  /// Computes the frequencies of a layer.
  /// - Parameter plannedLength: the longest sequence to come; `dynamic` and `longrope` depend on it.
  /// - Throws: `.config` when the parameters lead to infinite frequencies.
  public init(_ config: DecoderConfig, layer: Int = 0, plannedLength: Int) throws(IngotError) {
    try self.init(
      config.rope(layer: layer), headDim: config.headDim, maxPositions: config.maxPositions,
      plannedLength: plannedLength)
  }

  /// Computes the frequencies of given parameters.
  /// - Parameter maxPositions: the context length of the configuration.
  /// - Throws: as above.
  public init(
    _ rope: RopeParameters, headDim: Int, maxPositions: Int, plannedLength: Int
  ) throws(IngotError) {
    let plan = RotaryPlan(
      theta: rope.theta, dim: rope.rotaryDim(headDim: headDim), maxPositions: maxPositions,
      length: plannedLength)
    var attention = 1.0
    switch rope.scaling {
    case .none: inverseFrequencies = plan.plain()
    case .linear(let factor): inverseFrequencies = plan.plain().map { $0 / Float(factor) }
    case .dynamic(let factor): inverseFrequencies = plan.dynamic(factor)
    case .llama3(let llama3): inverseFrequencies = plan.llama3(llama3)
    case .yarn(let yarn): (inverseFrequencies, attention) = plan.yarn(yarn)
    case .longrope(let longrope): (inverseFrequencies, attention) = plan.longrope(longrope)
    case .factors(let factors): inverseFrequencies = zip(plan.plain(), factors).map { $0 / $1 }
    }
    attentionFactor = Float(attention)
    guard inverseFrequencies.allSatisfy(\.isFinite), attentionFactor.isFinite else {
      throw IngotError(.config, "\(rope.scaling.name) rope leads to frequencies that are no numbers")
    }
  }
}

/// What the formulas share.
private struct RotaryPlan {
  let theta: Double
  /// Dimensions that turn.
  let dim: Int
  let maxPositions: Int
  let length: Int

  /// `0, 2, 4, … / dim`.
  var exponents: [Float] { stride(from: 0, to: dim, by: 2).map { Float($0) / Float(dim) } }

  /// Base to the exponents, each correctly rounded.
  func powers(_ base: Float) -> [Float] {
    exponents.map { Float(pow(Double(base), Double($0))) }
  }

  func plain() -> [Float] { powers(Float(theta)).map { 1 / $0 } }

  func dynamic(_ factor: Double) -> [Float] {
    guard length > maxPositions else { return plain() }
    // Here the length is a tensor in transformers, so that all of this is in float32.
    let ratio = Float(factor) * Float(length) / Float(maxPositions) - Float(factor - 1)
    let exponent = Float(Double(dim) / Double(dim - 2))
    let base = Float(theta) * Float(pow(Double(ratio), Double(exponent)))
    return powers(base).map { 1 / $0 }
  }

  func llama3(_ p: RopeScaling.Llama3) -> [Float] {
    let original = Double(p.originalMaxPositions)
    let lowWavelength = Float(original / p.lowFrequencyFactor)
    let highWavelength = Float(original / p.highFrequencyFactor)
    let low = Float(p.lowFrequencyFactor), factor = Float(p.factor)
    let span = Float(p.highFrequencyFactor - p.lowFrequencyFactor)
    return plain().map { frequency in
      // A number divided by a tensor is the tensor's reciprocal times the number.
      let wavelength = (1 / frequency) * Float(2 * Double.pi)
      if wavelength > lowWavelength { return frequency / factor }
      if wavelength < highWavelength { return frequency }
      let smooth = ((1 / wavelength) * Float(original) - low) / span
      return (1 - smooth) * frequency / factor + smooth * frequency
    }
  }

  func yarn(_ p: RopeScaling.YaRN) -> ([Float], attention: Double) {
    func temperature(_ mscale: Double) -> Double {
      p.factor <= 1 ? 1 : 0.1 * mscale * log(p.factor) + 1
    }
    var attention = p.attentionFactor ?? temperature(1)
    if p.attentionFactor == nil, let mscale = p.mscale, let all = p.mscaleAllDim, mscale != 0, all != 0 {
      attention = temperature(mscale) / temperature(all)
    }
    // The dimension whose frequency makes so many rotations over the original context.
    func dimension(rotations: Double) -> Double {
      let positions = Double(p.originalMaxPositions)
      return Double(dim) * log(positions / (rotations * 2 * Double.pi)) / (2 * log(theta))
    }
    var low = dimension(rotations: p.betaFast), high = dimension(rotations: p.betaSlow)
    if p.truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, Double(dim - 1)))
    if low == high { high += 0.001 }
    let start = Float(low), span = Float(high - low), factor = Float(p.factor)
    let frequencies = powers(Float(theta)).enumerated().map { index, power in
      let ramp = min(max((Float(index) - start) / span, 0), 1)
      let kept = 1 - ramp
      return (1 / (factor * power)) * (1 - kept) + (1 / power) * kept
    }
    return (frequencies, attention)
  }

  func longrope(_ p: RopeScaling.LongRoPE) -> ([Float], attention: Double) {
    let original = Double(p.originalMaxPositions)
    let factor = p.factor ?? Double(maxPositions) / original
    let attention = p.attentionFactor ?? (factor <= 1 ? 1 : (1 + log(factor) / log(original)).squareRoot())
    let factors = length > p.originalMaxPositions ? p.longFactors : p.shortFactors
    let frequencies = zip(factors, powers(Float(theta))).map { 1 / (Float($0) * $1) }
    return (frequencies, attention)
  }
}
