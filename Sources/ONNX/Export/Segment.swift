internal import Graph
internal import IngotCore

/// A consecutive piece of a decoder: what one ONNX model holds.
package struct Segment: Sendable, Hashable {
  /// Whether it begins with token ids and the embedding.
  package var embeds = false
  /// Its layers, counted in the whole decoder.
  package var layers: Range<Int> = 0..<0
  /// Whether it holds the final norm.
  package var norms = false
  /// Whether it ends in logits.
  package var hasHead = false

  package init(embeds: Bool = false, layers: Range<Int> = 0..<0, norms: Bool = false, hasHead: Bool = false) {
    (self.embeds, self.layers, self.norms, self.hasHead) = (embeds, layers, norms, hasHead)
  }
}

extension Segment {
  /// What the segment computes and from what, as a graph with the output `result`; values between its layers are
  /// outputs `hidden_states.{i}`, the input of layer i.
  /// - Throws: `.shape`.
  func graph(of whole: Graph, _ borders: LayerBoundaries) throws(IngotError) -> Graph {
    var inputs: [(value: Graph.Value, name: String)] = []
    if !embeds {
      let start =
        !layers.isEmpty
        ? borders.layerInputs[layers.lowerBound] : norms ? borders.normInput : borders.headInput
      inputs.append((start, Segment.hidden))
    }
    let last = layers.upperBound == borders.layerCount
    let end =
      hasHead
      ? borders.logits
      : norms
        ? borders.headInput
        : layers.isEmpty
          ? borders.layerInputs[0] : last ? borders.layersOutput : borders.layerInputs[layers.upperBound]
    var outputs: [(value: Graph.Value, name: String)] = [(end, Segment.result)]
    if !layers.isEmpty {
      let inner = layers.dropFirst(embeds ? 0 : 1).map { ("hidden_states.\($0)", borders.layerInputs[$0]) }
      let tail = last && norms ? [("hidden_states.\(borders.layerCount)", borders.layersOutput)] : []
      outputs += (inner + tail).map { ($0.1, $0.0) }
    }
    return try whole.extracting(from: inputs, to: outputs)
  }

  /// The graph's name of what enters a segment without embedding.
  static let hidden = "hidden"
  /// The graph's name of what leaves it.
  static let result = "result"
}
