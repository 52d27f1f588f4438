public import IngotCore

extension Graph {
  /// The part of the graph that computes some values from others.
  /// - Parameters:
  ///   - inputs: values that become inputs, with their names.
  ///   - outputs: values that become outputs.
  /// - Throws: `.shape` when two outputs have one name.
  public func extracting(
    from inputs: [(value: Value, name: String)], to outputs: [(value: Value, name: String)]
  ) throws(IngotError) -> Graph {
    var part = Graph()
    var translated: [Value: Value] = [:]
    var needed: Set<Int> = []
    var pending = outputs.map(\.value)
    let given = Set(inputs.map(\.value))
    while let value = pending.popLast() {
      guard !given.contains(value), needed.insert(value.node).inserted else { continue }
      pending += nodes[value.node].inputs
    }
    for (value, name) in inputs {
      let node = nodes[value.node]
      translated[value] = try part.append(
        .input(name: name), inputType: type(of: value), place: node.place)
    }
    for (index, node) in nodes.enumerated() where needed.contains(index) {
      let operands = node.inputs.compactMap { translated[$0] }
      let new = try part.append(node.op, operands, inputType: node.types.first, place: node.place)
      for output in node.types.indices where translated[Value(node: index, output: output)] == nil {
        translated[Value(node: index, output: output)] = Value(node: new.node, output: output)
      }
    }
    for (value, name) in outputs {
      guard let new = translated[value] else { continue }
      try part.markOutput(new, name)
    }
    return part
  }
}
