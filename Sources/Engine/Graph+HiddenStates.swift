internal import Graph
internal import IngotCore

extension Graph {
  /// The same graph with the values that pass from layer to layer as further outputs: `hidden_states.0` goes into
  /// the first layer, `hidden_states.i` comes out of layer i - 1, the last before the final norm. To be called
  /// before passes, which keep outputs.
  /// - Throws: `.unsupported` for a graph that is not cut into layers.
  func markingHiddenStates() throws(IngotError) -> Graph {
    let boundaries = try LayerBoundaries(self)
    var graph = self
    for (index, value) in (boundaries.layerInputs + [boundaries.layersOutput]).enumerated() {
      try graph.markOutput(value, "hidden_states.\(index)")
    }
    return graph
  }
}
