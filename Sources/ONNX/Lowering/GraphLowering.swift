package import Graph
package import IngotCore

/// Turns a graph into nodes of an ONNX model.
///
/// The axis of tokens becomes `style.tokens`, batch and sequence as a rule: a value whose first extent is `tokens`
/// has that many axes in its place, and every other axis moves up.
package struct GraphLowering {
  package var builder: ModelBuilder
  package var cache: CachePorts
  let graph: Graph
  let style: LoweringStyle
  private var names: [Graph.Value: String] = [:]
  /// The input with the positions, which sliding windows read.
  var positions: String?
  /// Tensors [tokens, heads · D] that hold what [tokens, heads, D] does.
  var flat: [String: String] = [:]
  /// Values gathered in an order of their own, by value and order.
  var gathered: [InputOrder: [String: String]] = [:]
  var rotaryAngles: [String: (cos: String, sin: String)] = [:]
  var masks: [Int?: String] = [:]

  /// - Parameter inputs: names that the builder has for the graph's inputs.
  package init(
    _ graph: Graph, _ builder: ModelBuilder, style: LoweringStyle, cache: CachePorts, inputs: [String: String]
  ) {
    (self.graph, self.builder, self.style, self.cache) = (graph, builder, style, cache)
    positions = inputs["position_ids"]
    for (name, value) in graph.inputs { names[value] = inputs[name] }
  }

  /// Lowers all nodes that the outputs depend on.
  /// - Returns: the name of each output of the graph.
  /// - Throws: `.unsupported` for what ONNX, or this opset, cannot say.
  package mutating func run() throws(IngotError) -> [String: String] {
    let needed = neededNodes()
    for (index, node) in graph.nodes.enumerated() where needed[index] {
      if case .parameter = node.op { continue }
      if case .input(let name) = node.op {
        guard names[Graph.Value(node: index)] != nil else {
          throw error(node, "input \"\(name)\" has no place in this layout")
        }
        continue
      }
      enter(node)
      let results = try lower(node)
      for (output, name) in results.enumerated() { names[Graph.Value(node: index, output: output)] = name }
    }
    builder.scope = ""
    var outputs: [String: String] = [:]
    for output in graph.outputs { outputs[output.name] = names[output.value] }
    return outputs
  }

  /// Attention does not read where the engine's cache lies, and logits are those of all tokens.
  private func neededNodes() -> [Bool] {
    var needed = [Bool](repeating: false, count: graph.nodes.count)
    var pending = graph.outputs.map(\.value.node)
    while let index = pending.popLast() {
      guard !needed[index] else { continue }
      needed[index] = true
      let node = graph.nodes[index]
      switch node.op {
      case .attention: pending += node.inputs.prefix(3).map(\.node)
      case .gather where choosesRows(node): pending.append(node.inputs[0].node)
      default: pending += node.inputs.map(\.node)
      }
    }
    return needed
  }

  /// Names what follows after the module a node belongs to, as far as its parameters tell.
  private mutating func enter(_ node: Graph.Node) {
    let path = node.inputs.compactMap { parameter($0)?.parts.first?.name }.first
    if let path {
      builder.scope = path.split(separator: ".").dropLast().joined(separator: ".")
    } else if let layer = builder.scope.split(separator: ".").lastIndex(where: { Int($0) != nil }) {
      // Between parameters all that is known is the layer.
      builder.scope = builder.scope.split(separator: ".")[...layer].joined(separator: ".")
    } else {
      builder.scope = ""
    }
  }

  // MARK: - What the operators share

  func error(_ node: Graph.Node, _ what: String, hint: String? = nil) -> IngotError {
    IngotError(.unsupported, "\(node.op.name): \(what)", at: .init(line: node.place), hint: hint)
  }

  func parameter(_ value: Graph.Value) -> Parameter? {
    if case .parameter(let parameter) = graph.nodes[value.node].op { parameter } else { nil }
  }

  /// The ONNX value of an operand; parameters come as plain tensors.
  mutating func operand(_ value: Graph.Value) throws(IngotError) -> String {
    if let name = names[value] { return name }
    guard let parameter = parameter(value) else {
      throw IngotError(.unsupported, "a value of the graph was used before it was made")
    }
    return plain(parameter)
  }

  /// Whether a value has the axis of tokens in front.
  func hasTokens(_ value: Graph.Value) -> Bool { hasTokens(graph.type(of: value)) }
  func hasTokens(_ type: TensorType) -> Bool { type.dims.first == "tokens" || type.dims.first == "rows" }

  /// Whether a node picks the tokens whose logits the engine is asked for.
  func choosesRows(_ node: Graph.Node) -> Bool {
    guard case .gather(axis: 0) = node.op,
      case .input(let name) = graph.nodes[node.inputs[1].node].op
    else { return false }
    return name == "lm_head_indices"
  }

  /// How many axes the value has more than in the graph.
  func shift(_ value: Graph.Value) -> Int { hasTokens(value) ? style.tokens.count - 1 : 0 }

  /// An axis of the graph as an axis in ONNX.
  func axis(_ axis: Int, of value: Graph.Value, _ node: Graph.Node) throws(IngotError) -> Int {
    let index = axis < 0 ? axis + graph.type(of: value).rank : axis
    guard index > 0 || shift(value) == 0 else {
      throw error(node, "the axis of tokens stands for batch and sequence, and cannot be worked along")
    }
    return index + shift(value)
  }

  /// The element type a value has in ONNX.
  func dtype(_ value: Graph.Value) -> DType { onnx(graph.type(of: value).dtype) }
  func onnx(_ dtype: DType) -> DType { dtype == .f32 ? style.dtype : dtype }

  /// Extents in ONNX.
  package func dims(_ type: TensorType) -> [Dim] {
    hasTokens(type) ? style.tokens + type.dims.dropFirst() : type.dims
  }

  mutating func cast(_ value: String, to dtype: DType) -> String {
    builder.node("Cast", [value], [("to", .int(dtype.onnx.rawValue))])
  }

  /// Computes in f32 whatever the style says, as transformers does where precision matters.
  mutating func inFloat32(_ x: String, _ body: (inout GraphLowering, String) -> String) -> String {
    guard style.dtype != .f32 else { return body(&self, x) }
    let wide = cast(x, to: .f32)
    return cast(body(&self, wide), to: style.dtype)
  }
}
