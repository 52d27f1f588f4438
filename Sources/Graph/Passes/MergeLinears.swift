internal import IngotCore

extension Pass {
  /// Turns linear layers that read the same tensor into one, so that it is read (and quantised) once and the
  /// product has more columns to share among threads: q, k and v; gate and up.
  ///
  ///     %1 = linear(x, @q)                %1 = linear(x, @[q; k; v])
  ///     %2 = linear(x, @k)          →     %2, %3, %4 = split(%1, axis: -1)
  ///     %3 = linear(x, @v)
  ///
  /// Each column keeps its own sum, so results do not change by a bit.
  /// - Parameter canMerge: whether tensors of these names can lie in one matrix; stored formats may differ.
  public static func mergeLinears(where canMerge: @escaping @Sendable ([String]) -> Bool) -> Pass {
    Pass("merge-linears") { (graph) throws(IngotError) in
      var groups: [Graph.Value: [Int]] = [:]
      for (index, node) in graph.nodes.enumerated() where graph.isMergeable(node) {
        groups[node.inputs[0], default: []].append(index)
      }
      var rewriter = Rewriter(graph)
      var done: Set<Int> = []
      for (index, node) in graph.nodes.enumerated() where !done.contains(index) {
        let candidates = graph.isMergeable(node) ? groups[node.inputs[0]] ?? [] : []
        let group = candidates.filter {
          !done.contains($0) && graph.nodes[$0].op == node.op
            && canMerge([graph.weightName(index), graph.weightName($0)])
        }
        guard group.count > 1 else {
          try rewriter.copy(index)
          continue
        }
        try rewriter.merge(group)
        done.formUnion(group)
      }
      return try rewriter.finish()
    }
  }
}

extension Graph {
  fileprivate func parameter(_ value: Value) -> Parameter? {
    if case .parameter(let parameter) = nodes[value.node].op { parameter } else { nil }
  }

  /// A linear layer whose operands besides x are parameters.
  fileprivate func isMergeable(_ node: Node) -> Bool {
    guard case .linear(let linear) = node.op, linear.transposeB, !linear.hasResidual else { return false }
    return node.inputs.dropFirst().allSatisfy { parameter($0) != nil }
  }

  fileprivate func weightName(_ index: Int) -> String {
    parameter(nodes[index].inputs[1])?.parts.first?.name ?? ""
  }
}

extension Rewriter {
  /// Appends one layer for all of `group`, at the place of its first.
  fileprivate mutating func merge(_ group: [Int]) throws(IngotError) {
    let first = source.nodes[group[0]]
    var inputs = [translate(first.inputs[0])]
    for operand in first.inputs.indices.dropFirst() {
      let parts = group.flatMap { source.parameter(source.nodes[$0].inputs[operand])?.parts ?? [] }
      inputs.append(try append(.parameter(Parameter(parts: parts)), [], place: first.place))
    }
    let product = try append(first.op, inputs, place: first.place)
    let sizes = group.compactMap { source.nodes[$0].types[0].dims.last?.value }
    let split = try append(.split(axis: -1, sizes: sizes), [product], place: first.place)
    for (output, index) in group.enumerated() {
      replace(.init(node: index), by: .init(node: split.node, output: output))
    }
  }
}
