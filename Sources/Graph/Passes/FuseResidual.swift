internal import IngotCore

extension Pass {
  /// Lets a linear layer add the residual stream as it stores its result.
  ///
  ///     %1 = linear(x, @w)          %1 = linear(x, @w, h, residual)
  ///     %2 = add(h, %1)       →
  public static let fuseResidual = Pass("fuse-residual") { (graph) throws(IngotError) in
    let uses = graph.useCounts()
    var rewriter = Rewriter(graph)
    for (index, node) in graph.nodes.enumerated() {
      guard case .binary(.add) = node.op,
        let side = node.inputs.indices.last(where: { graph.canTakeResidual(node.inputs[$0], uses) }),
        graph.type(of: node.inputs[0]) == graph.type(of: node.inputs[1]),
        case .linear(var linear) = graph.nodes[node.inputs[side].node].op
      else {
        try rewriter.copy(index)
        continue
      }
      linear.hasResidual = true
      let layer = graph.nodes[node.inputs[side].node]
      let operands = (layer.inputs + [node.inputs[1 - side]]).map(rewriter.translate)
      rewriter.replace(
        .init(node: index), by: try rewriter.append(.linear(linear), operands, place: layer.place))
    }
    return try Pass.deadCode.run(try rewriter.finish())
  }
}

extension Graph {
  fileprivate func canTakeResidual(_ value: Value, _ uses: [Int]) -> Bool {
    guard case .linear(let linear) = nodes[value.node].op else { return false }
    return !linear.hasResidual && uses[value.node] == 1
  }
}
