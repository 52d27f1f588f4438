internal import Checkpoints
internal import Graph
internal import NN

// The layers of NN as a configuration asks for them: what every family would otherwise repeat.

extension Rope {
  /// The rotary embedding of a layer, at the positions of a batch.
  init(_ c: DecoderConfig, layer: Int, _ batch: Batch) {
    let parameters = c.rope(layer: layer)
    self.init(
      at: batch.positions, rotaryDim: parameters.rotaryDim(headDim: c.headDim),
      table: c.ropeTable(layer: layer).rawValue)
  }
}

extension GatedMLP {
  /// The feed-forward network of a layer.
  init(_ path: ParameterPath, _ c: DecoderConfig) {
    self.init(
      path, c.hiddenSize, c.intermediateSize, activation: c.hiddenActivation.function, bias: c.mlpBias)
  }
}

/// Attention over the cache of a layer with the scale and window of the configuration.
func pagedAttention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, _ c: DecoderConfig, layer: Int, _ batch: Batch
) -> Tensor {
  pagedAttention(
    q, k, v, layer: layer, batch, scale: 1 / Double(c.headDim).squareRoot(),
    window: c.slidingWindow(layer: layer))
}

extension HiddenActivation {
  /// The graph's function of that name.
  fileprivate var function: Op.Unary {
    switch self {
    case .silu: .silu
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    case .relu: .relu
    case .quickGELU: .quickGelu
    }
  }
}
