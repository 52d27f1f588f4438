internal import Graph
internal import IngotCore

extension Graph {
  /// The same graph with the values that pass from layer to layer as further outputs: `hidden_states.0` goes into
  /// the first layer, `hidden_states.i` comes out of layer i - 1, the last before the final norm.
  ///
  /// A layer ends at the last point before the next attention where a single value that depends on the tokens is
  /// still needed. To be called before passes, which keep outputs.
  /// - Throws: never for a graph whose outputs have other names.
  func markingHiddenStates() throws(IngotError) -> Graph {
    var graph = self
    for (index, value) in hiddenStates.enumerated() { try graph.markOutput(value, "hidden_states.\(index)") }
    return graph
  }

  /// The values between layers, [tokens, hidden]; empty for a graph that is not cut in layers so.
  private var hiddenStates: [Value] {
    var attentions: [Int] = []
    for (index, node) in nodes.enumerated() { if case .attention = node.op { attentions.append(index) } }
    let points = lonelyValues
    var states: [Value] = []
    for (start, end) in zip([-1] + attentions, attentions + [nodes.count]) {
      guard
        let value = points.last(where: {
          $0.node > start && $0.node < end && type(of: $0).rank == 2 && isPerToken($0)
        })
      else { return [] }
      states.append(value)
    }
    return attentions.isEmpty ? [] : states
  }

  private func isPerToken(_ value: Value) -> Bool {
    let dims = type(of: value).dims
    return dims[0].value == nil && dims[0] == idsLength && dims[1].value != nil
  }

  private var idsLength: Dim? {
    inputs.first { $0.name == "input_ids" }.flatMap { type(of: $0.value).dims.first }
  }

  /// The values that alone are needed later when their node is done, of those that depend on the ids.
  private var lonelyValues: [Value] {
    var depends = [Bool](repeating: false, count: nodes.count)
    var lastUse: [Value: Int] = [:]
    for (index, node) in nodes.enumerated() {
      if case .input(let name) = node.op { depends[index] = name == "input_ids" }
      if node.inputs.contains(where: { depends[$0.node] }) { depends[index] = true }
      for input in node.inputs { lastUse[input] = index }
    }
    for output in outputs { lastUse[output.value] = nodes.count }
    var live: Set<Value> = []
    var lonely: [Value] = []
    for (index, node) in nodes.enumerated() {
      for input in node.inputs where lastUse[input] == index { live.remove(input) }
      for output in node.types.indices {
        let value = Value(node: index, output: output)
        if depends[index], lastUse[value] != nil { live.insert(value) }
      }
      if live.count == 1, let value = live.first, value.node == index { lonely.append(value) }
    }
    return lonely
  }
}
