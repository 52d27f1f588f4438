public import IngotCore

/// Where a decoder's graph can be cut: values that alone carry what the tokens have become so far.
///
/// Found by liveness, not by names: after such a value's node, no other value that depends on the tokens is still
/// needed. Between the attention of two layers the last of them is the border of the layers.
public struct LayerBoundaries: Sendable {
  /// The input of each layer; that of layer 0 is the output of the embedding.
  public let layerInputs: [Graph.Value]
  /// The output of the last layer.
  public let layersOutput: Graph.Value
  /// What the final norm reads: the rows of `layersOutput` whose logits are wanted, or itself.
  public let normInput: Graph.Value
  /// What the output head reads: the operand of the last linear layer.
  public let headInput: Graph.Value
  /// The logits.
  public let logits: Graph.Value

  /// Number of layers.
  public var layerCount: Int { layerInputs.count }

  /// Finds the borders in a graph as `ModelRegistry.graph(for:)` makes it.
  /// - Parameters:
  ///   - ids: the input that tokens enter by.
  ///   - rows: the input that names the rows whose logits are wanted.
  /// - Throws: `.unsupported` for a graph whose layers cannot be told apart.
  public init(
    _ graph: Graph, ids: String = "input_ids", rows: String = "lm_head_indices"
  ) throws(IngotError) {
    guard let output = graph.outputs.first else { throw Self.error("it has no outputs") }
    let attention = try Self.attentionNodes(of: graph)
    let bottlenecks = Self.bottlenecks(of: graph, ids: ids)
    var inputs: [Graph.Value] = []
    var previous = -1
    for (layer, node) in attention.enumerated() {
      guard let border = bottlenecks.last(where: { $0.node < node && $0.node > previous }) else {
        throw Self.error("no single value enters layer \(layer)")
      }
      inputs.append(border)
      previous = node
    }
    let gather = graph.nodes.firstIndex { node in
      guard case .gather(axis: 0) = node.op, node.inputs[0].node > previous,
        case .input(let name) = graph.nodes[node.inputs[1].node].op
      else { return false }
      return name == rows
    }
    guard
      let last = gather.map({ graph.nodes[$0].inputs[0] })
        ?? bottlenecks.first(where: { $0.node > previous }), bottlenecks.contains(last),
      let head = graph.nodes.indices.last(where: {
        if case .linear = graph.nodes[$0].op { $0 > last.node } else { false }
      })
    else { throw Self.error("no single value leaves the last layer") }
    layerInputs = inputs
    layersOutput = last
    normInput = gather.map { Graph.Value(node: $0) } ?? last
    headInput = graph.nodes[head].inputs[0]
    logits = output.value
  }

  /// Nodes of the attention of each layer, which must be in order.
  private static func attentionNodes(of graph: Graph) throws(IngotError) -> [Int] {
    var nodes: [Int] = []
    for (index, node) in graph.nodes.enumerated() {
      guard case .attention(let attention) = node.op, case .paged(let layer) = attention.cache else {
        continue
      }
      guard layer == nodes.count else {
        throw Self.error("attention of layer \(layer) comes where that of layer \(nodes.count) was expected")
      }
      nodes.append(index)
    }
    guard !nodes.isEmpty else { throw Self.error("it has no attention with a cache") }
    return nodes
  }

  /// Values after which nothing else that depends on the tokens is needed, in order.
  private static func bottlenecks(of graph: Graph, ids: String) -> [Graph.Value] {
    var lastUse: [Graph.Value: Int] = [:]
    for (index, node) in graph.nodes.enumerated() { for input in node.inputs { lastUse[input] = index } }
    for output in graph.outputs { lastUse[output.value] = graph.nodes.count }
    var carries = [Bool](repeating: false, count: graph.nodes.count)
    var alive: Set<Graph.Value> = []
    var found: [Graph.Value] = []
    for (index, node) in graph.nodes.enumerated() {
      if case .input(let name) = node.op { carries[index] = name == ids }
      carries[index] = carries[index] || node.inputs.contains { carries[$0.node] }
      guard carries[index] else { continue }
      for input in node.inputs where lastUse[input] == index { alive.remove(input) }
      for output in node.types.indices {
        let value = Graph.Value(node: index, output: output)
        if lastUse[value] != nil { alive.insert(value) }
      }
      if alive.count == 1, let only = alive.first, only.node == index { found.append(only) }
    }
    return found
  }

  private static func error(_ what: String) -> IngotError {
    IngotError(.unsupported, "the graph cannot be cut into layers: \(what)")
  }
}
