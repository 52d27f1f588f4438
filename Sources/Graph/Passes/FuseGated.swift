internal import IngotCore

extension Pass {
  /// Joins an activation and the product that follows it: SwiGLU and its relatives.
  ///
  ///     %1 = silu(gate)             %1 = siluGated(gate, up)
  ///     %2 = mul(%1, up)      →
  public static let fuseGated = Pass("fuse-gated") { (graph) throws(IngotError) in
    let uses = graph.useCounts()
    var rewriter = Rewriter(graph)
    for (index, node) in graph.nodes.enumerated() {
      guard case .binary(.mul) = node.op,
        let side = node.inputs.indices.first(where: { graph.gate(node.inputs[$0], uses) != nil }),
        let (function, gate) = graph.gate(node.inputs[side], uses),
        graph.type(of: gate) == graph.type(of: node.inputs[1 - side])
      else {
        try rewriter.copy(index)
        continue
      }
      let operands = [rewriter.translate(gate), rewriter.translate(node.inputs[1 - side])]
      rewriter.replace(
        .init(node: index), by: try rewriter.append(.gated(function), operands, place: node.place))
    }
    return try Pass.deadCode.run(try rewriter.finish())
  }
}

extension Graph {
  /// The activation and its operand, when a value is an activation used once.
  fileprivate func gate(_ value: Value, _ uses: [Int]) -> (Op.Unary, Value)? {
    guard case .unary(let function) = nodes[value.node].op, uses[value.node] == 1,
      [.silu, .gelu, .geluTanh].contains(function)
    else { return nil }
    return (function, nodes[value.node].inputs[0])
  }
}
