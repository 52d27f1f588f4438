public import Graph
public import IngotCore

extension Graph {
  /// Makes the graph that computes named results, by walking back from them.
  /// - Parameter inputTypes: types of inputs that were declared by name only.
  /// - Throws: `.shape` at the first operator whose operands do not fit, or an input without a type.
  public init(
    outputs: [(name: String, tensor: Tensor)], inputTypes: [String: TensorType] = [:]
  ) throws(IngotError) {
    self.init()
    var recorder = Recorder(inputTypes: inputTypes)
    for (name, tensor) in outputs {
      let value = try recorder.record(tensor, into: &self)
      try markOutput(value, name)
    }
  }
}

/// Appends expressions to a graph, each once, operands first, without recursion.
private struct Recorder {
  let inputTypes: [String: TensorType]
  private var recorded: [ObjectIdentifier: Graph.Value] = [:]
  private var inputs: [String: Graph.Value] = [:]

  init(inputTypes: [String: TensorType]) { self.inputTypes = inputTypes }

  mutating func record(_ tensor: Tensor, into graph: inout Graph) throws(IngotError) -> Graph.Value {
    var pending = [tensor.expression]
    while let expression = pending.last {
      let missing = expression.operands.filter { recorded[ObjectIdentifier($0.expression)] == nil }
      if missing.isEmpty {
        pending.removeLast()
        if recorded[ObjectIdentifier(expression)] == nil { try append(expression, to: &graph) }
      } else {
        // Reversed, so that operands are recorded from left to right.
        pending += missing.reversed().map(\.expression)
      }
    }
    return value(of: tensor)
  }

  private func value(of tensor: Tensor) -> Graph.Value {
    guard let value = recorded[ObjectIdentifier(tensor.expression)] else {
      preconditionFailure("an operand was not recorded before its use")
    }
    return Graph.Value(node: value.node, output: tensor.output)
  }

  private mutating func append(_ expression: Tensor.Expression, to graph: inout Graph) throws(IngotError) {
    var type = expression.declaredType
    if case .input(let name) = expression.op {
      type = type ?? inputTypes[name]
      // Two tensors of one name are one input.
      if let earlier = inputs[name] {
        guard type == nil || type == graph.type(of: earlier) else {
          throw IngotError(
            .shape, "input \"\(name)\" is declared as \(graph.type(of: earlier)) and as \(type!)",
            at: .init(line: expression.place))
        }
        recorded[ObjectIdentifier(expression)] = earlier
        return
      }
    }
    let value = try graph.append(
      expression.op, expression.operands.map(value(of:)), inputType: type, place: expression.place)
    recorded[ObjectIdentifier(expression)] = value
    if case .input(let name) = expression.op { inputs[name] = value }
  }
}
