public import Graph
public import IngotCore

/// The low-level way to a graph: name inputs, apply functions, mark outputs.
///
///     let network = Network()
///     let out = linear(Tensor("x"), Tensor("weight"), transposeB: false)
///     network.markOutput(out, "out")
///     let engine = try network.buildEngine()
///     let results = try engine.forward(["x": x, "weight": weight])
///
/// A network knows only the outputs marked on it. Several can be described and built at the same time.
public final class Network: Sendable {
  private let outputs = Locked<[(name: String, tensor: Tensor)]>([])

  /// An empty network.
  public init() {}

  /// Makes a tensor a result under a name.
  public func markOutput(_ tensor: Tensor, _ name: String) {
    outputs.withLock { $0.append((name, tensor)) }
  }

  /// The names of the results, in the order they were marked.
  public var outputNames: [String] { outputs.withLock { $0.map(\.name) } }

  /// The graph.
  /// - Parameter inputTypes: types of inputs that were declared by name only.
  /// - Throws: `.shape` at the first operator whose operands do not fit, an input without a type, or two
  ///   outputs of one name.
  public func graph(inputTypes: [String: TensorType] = [:]) throws(IngotError) -> Graph {
    let outputs = outputs.withLock { $0 }
    guard !outputs.isEmpty else {
      throw IngotError(.argument, "the network has no outputs", hint: "mark at least one with markOutput")
    }
    return try Graph(outputs: outputs, inputTypes: inputTypes)
  }

  /// The inputs that the outputs depend on: declared types, nil where only the name is known.
  public var inputs: [(name: String, type: TensorType?)] {
    var seen: Set<String> = []
    var inputs: [(String, TensorType?)] = []
    outputs.withLock { outputs in
      var pending = outputs.reversed().map(\.tensor.expression)
      var visited: Set<ObjectIdentifier> = []
      while let expression = pending.popLast() {
        guard visited.insert(ObjectIdentifier(expression)).inserted else { continue }
        if case .input(let name) = expression.op, seen.insert(name).inserted {
          inputs.append((name, expression.declaredType))
        }
        pending += expression.operands.reversed().map(\.expression)
      }
    }
    return inputs
  }
}
