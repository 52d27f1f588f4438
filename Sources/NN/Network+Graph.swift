package import Graph

extension Network {
  /// A network that computes what a graph does, so that a part of a model's graph can be run by itself.
  package convenience init(_ graph: Graph) {
    self.init()
    var tensors: [Tensor] = []
    tensors.reserveCapacity(graph.nodes.count)
    for node in graph.nodes {
      let operands = node.inputs.map { tensors[$0.node].outputs[$0.output] }
      var type: TensorType?
      if case .input = node.op { type = node.types.first }
      tensors.append(Tensor(node.op, operands, type: type, place: node.place))
    }
    for output in graph.outputs {
      markOutput(tensors[output.value.node].outputs[output.value.output], output.name)
    }
  }
}
