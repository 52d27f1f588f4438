internal import IngotCore

extension Pass {
  /// Drops nodes that no output needs; inputs stay, since callers name them.
  ///
  ///     %1 = exp(x)                 %1 = silu(x)
  ///     %2 = silu(x)          →     return y = %1
  ///     return y = %2
  public static let deadCode = Pass("dead-code") { (graph) throws(IngotError) in
    var live = [Bool](repeating: false, count: graph.nodes.count)
    for output in graph.outputs { live[output.value.node] = true }
    for index in graph.nodes.indices.reversed() {
      if case .input = graph.nodes[index].op { live[index] = true }
      if live[index] { for input in graph.nodes[index].inputs { live[input.node] = true } }
    }
    var rewriter = Rewriter(graph)
    for index in graph.nodes.indices where live[index] { try rewriter.copy(index) }
    return try rewriter.finish()
  }
}
