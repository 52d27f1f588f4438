public import IngotCore

/// A static graph: nodes in an order in which every operand comes before its use.
///
/// A value type. Passes take one and return another.
public struct Graph: Sendable {
  /// Names a value: an output of a node.
  public struct Value: Sendable, Hashable {
    /// Index of the node in `nodes`.
    public let node: Int
    /// Which of its outputs.
    public let output: Int

    /// Names an output of a node.
    public init(node: Int, output: Int = 0) {
      self.node = node
      self.output = output
    }
  }

  /// An operator applied to values.
  public struct Node: Sendable {
    /// The operator.
    public var op: Op
    /// Its operands.
    public var inputs: [Value]
    /// The types of what it produces.
    public var types: [TensorType]
    /// `File.swift:12` of the line that recorded it.
    public var place: String
  }

  /// A result of the graph.
  public struct Output: Sendable {
    /// The name callers ask for.
    public var name: String
    /// The value.
    public var value: Value
  }

  /// Nodes in topological order.
  public private(set) var nodes: [Node] = []
  /// Results in the order they were marked.
  public private(set) var outputs: [Output] = []

  /// An empty graph.
  public init() {}

  /// The type of a value.
  public func type(of value: Value) -> TensorType { nodes[value.node].types[value.output] }

  /// Appends a node and infers the types of its results.
  /// - Parameter inputType: the type of an `.input`, which cannot be inferred.
  /// - Throws: `.shape` naming the operator, its operands' types and the recording line.
  /// - Precondition: the operands are values of this graph.
  @discardableResult
  public mutating func append(
    _ op: Op, _ inputs: [Value] = [], inputType: TensorType? = nil, place: String
  ) throws(IngotError) -> Value {
    for input in inputs {
      precondition(input.node < nodes.count && input.output < nodes[input.node].types.count)
    }
    let types: [TensorType]
    if case .input(let name) = op {
      guard let inputType else {
        throw IngotError(
          .shape, "the type of input \"\(name)\" is not known", at: .init(line: place),
          hint: "declare it: Tensor(\"\(name)\", .f32, [\"tokens\", 64])")
      }
      types = [inputType]
    } else {
      types = try op.resultTypes(inputs.map(type(of:)), place: place)
    }
    nodes.append(Node(op: op, inputs: inputs, types: types, place: place))
    return Value(node: nodes.count - 1)
  }

  /// Makes a value a result.
  /// - Throws: `.shape` when the name is taken.
  public mutating func markOutput(_ value: Value, _ name: String) throws(IngotError) {
    guard !outputs.contains(where: { $0.name == name }) else {
      throw IngotError(.shape, "two outputs are named \"\(name)\"", at: .init(line: nodes[value.node].place))
    }
    outputs.append(Output(name: name, value: value))
  }

  /// The inputs in the order of their nodes.
  public var inputs: [(name: String, value: Value)] {
    nodes.indices.compactMap { index in
      if case .input(let name) = nodes[index].op { (name, Value(node: index)) } else { nil }
    }
  }

  /// The parameters in the order of their nodes.
  public var parameters: [Parameter] {
    nodes.compactMap { if case .parameter(let parameter) = $0.op { parameter } else { nil } }
  }

  /// How often each node's values are used, outputs of the graph counted in.
  public func useCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: nodes.count)
    for node in nodes { for input in node.inputs { counts[input.node] += 1 } }
    for output in outputs { counts[output.value.node] += 1 }
    return counts
  }
}
