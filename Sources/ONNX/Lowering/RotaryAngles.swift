package import Checkpoints
internal import IngotCore

/// The frequencies of a rotary table: known when the model is made, or chosen by the length of the sequence each
/// time it runs, as transformers does.
package enum RotaryAngles: Sendable {
  case fixed(RotaryFrequencies)
  /// One set up to a length, another beyond it ("longrope").
  case byLength(short: RotaryFrequencies, long: RotaryFrequencies, threshold: Int)
  /// A base that grows once the length exceeds the configured context ("dynamic NTK").
  case growing(plain: RotaryFrequencies, theta: Double, factor: Double, dim: Int, maxPositions: Int)

  /// The angles of a layer.
  /// - Parameter plannedLength: chooses once and for all; nil to choose when it runs.
  /// - Throws: `.config` for frequencies that are no numbers.
  init(_ config: DecoderConfig, layer: Int, plannedLength: Int?) throws(IngotError) {
    let rope = config.rope(layer: layer)
    func frequencies(_ length: Int) throws(IngotError) -> RotaryFrequencies {
      try RotaryFrequencies(
        rope, headDim: config.headDim, maxPositions: config.maxPositions, plannedLength: length)
    }
    switch rope.scaling {
    case .longrope(let longrope) where plannedLength == nil:
      let original = longrope.originalMaxPositions
      self = .byLength(
        short: try frequencies(original), long: try frequencies(original + 1), threshold: original)
    case .dynamic(let factor) where plannedLength == nil:
      self = .growing(
        plain: try frequencies(1), theta: rope.theta, factor: factor,
        dim: rope.rotaryDim(headDim: config.headDim), maxPositions: config.maxPositions)
    case .none, .linear, .dynamic, .llama3, .yarn, .longrope, .factors:
      self = .fixed(try frequencies(plannedLength ?? config.maxPositions))
    }
  }

  /// Factor of cosines and sines.
  var attentionFactor: Float {
    switch self {
    case .fixed(let frequencies), .growing(let frequencies, _, _, _, _): frequencies.attentionFactor
    case .byLength(let short, _, _): short.attentionFactor
    }
  }
}
