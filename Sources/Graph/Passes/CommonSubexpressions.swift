internal import IngotCore

extension Pass {
  /// Computes an operator applied twice to the same operands once.
  ///
  ///     %1 = silu(x)                %1 = silu(x)
  ///     %2 = silu(x)          →     %2 = mul(%1, %1)
  ///     %3 = mul(%1, %2)
  ///
  /// Attention is left alone: it writes its layer's cache, so two of a layer are a mistake worth seeing.
  public static let commonSubexpressions = Pass("common-subexpressions") { (graph) throws(IngotError) in
    struct Key: Hashable {
      let op: Op
      let inputs: [Graph.Value]
    }
    var seen: [Key: Graph.Value] = [:]
    var rewriter = Rewriter(graph)
    for (index, node) in graph.nodes.enumerated() {
      let key = Key(op: node.op, inputs: node.inputs.map(rewriter.translate))
      if let earlier = seen[key] {
        for output in node.types.indices {
          rewriter.replace(
            .init(node: index, output: output), by: .init(node: earlier.node, output: output))
        }
        continue
      }
      try rewriter.copy(index)
      if case .attention = node.op { continue }
      seen[key] = rewriter.translate(.init(node: index))
    }
    return try rewriter.finish()
  }
}
