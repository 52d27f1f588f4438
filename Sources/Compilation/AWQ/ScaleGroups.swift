internal import Graph
internal import IngotCore
internal import Models

/// The groups of each layer of a graph, found from what reads what and not from names.
///
/// Three patterns are known: linear layers that read a norm nothing else reads; one that reads a product (as of gate and up)
/// of which one factor comes straight from a linear layer; one that reads attention whose values come straight from a
/// linear layer. With grouped queries a value channel reaches several channels of x, which share a scale.
struct ScaleGroups {
  struct Layer {
    var input: Graph.Value
    var output: Graph.Value
    var groups: [(group: ScaleGroup, value: Graph.Value)]
  }

  let graph: Graph
  private(set) var layers: [Layer] = []
  private let useCounts: [Int]
  /// How many nodes a tensor of the checkpoint is used by: only what has one user may change.
  private var tensorUses: [String: Int] = [:]
  private let compared: Set<Int>

  init(_ graph: Graph) throws(IngotError) {
    let boundaries = try LayerBoundaries(graph)
    self.graph = graph
    useCounts = graph.useCounts()
    compared = Self.comparedLinears(graph)
    for node in graph.nodes.indices {
      guard case .parameter(let parameter) = graph.nodes[node].op else { continue }
      for part in parameter.parts { tensorUses[part.name, default: 0] += useCounts[node] }
    }
    let borders = boundaries.layerInputs + [boundaries.layersOutput]
    for layer in 0..<boundaries.layerCount {
      let (input, output) = (borders[layer], borders[layer + 1])
      var groups: [(ScaleGroup, Graph.Value)] = []
      for (value, linears) in readers(after: input.node, upTo: output.node) {
        guard let group = group(value, linears, name: "x\(groups.count)") else { continue }
        groups.append((group, value))
      }
      layers.append(Layer(input: input, output: output, groups: groups))
    }
  }

  /// The linear layers of a stretch of nodes by what they read, in order.
  private func readers(after first: Int, upTo last: Int) -> [(Graph.Value, [Int])] {
    var order: [Graph.Value] = []
    var linears: [Graph.Value: [Int]] = [:]
    for node in first + 1...max(first + 1, last) {
      guard case .linear = graph.nodes[node].op else { continue }
      let value = graph.nodes[node].inputs[0]
      if linears[value] == nil { order.append(value) }
      linears[value, default: []].append(node)
    }
    return order.map { ($0, linears[$0] ?? []) }
  }

  private func group(_ value: Graph.Value, _ linears: [Int], name: String) -> ScaleGroup? {
    guard let width = graph.type(of: value).dims.last?.value else { return nil }
    var readers: [ScaleGroup.Reader] = []
    for node in linears {
      guard case .linear(let linear) = graph.nodes[node].op, linear.transposeB,
        let parts = parameter(graph.nodes[node].inputs[1])?.parts
      else { return nil }
      for part in parts {
        guard part.dims.count == 2, tensorUses[part.name] == 1 else { return nil }
        readers.append(.init(weight: part.name, outputs: part.dims[0], clips: !compared.contains(node)))
      }
    }
    // Scales change what other readers of the value see.
    let isAlone = useCounts[value.node] == linears.count
    return ScaleGroup(
      name: name, width: width, readers: readers, source: isAlone ? source(of: value, width: width) : nil)
  }

  private func source(of value: Graph.Value, width: Int) -> ScaleGroup.Source? {
    let node = graph.nodes[value.node]
    switch node.op {
    case .rmsNorm(_, let offset):
      guard let weight = tensor(node.inputs[1], [width]) else { return nil }
      return .norm(weight: weight, bias: nil, offset: offset)
    case .layerNorm:
      guard let weight = tensor(node.inputs[1], [width]), let bias = tensor(node.inputs[2], [width]) else {
        return nil
      }
      return .norm(weight: weight, bias: bias, offset: 0)
    case .binary(.mul):
      guard graph.type(of: node.inputs[0]) == graph.type(of: node.inputs[1]) else { return nil }
      let factors = [node.inputs[1], node.inputs[0]]
      return factors.lazy.compactMap { linear($0, rows: Array(0..<width)) }.first
    case .gated: return linear(node.inputs[1], rows: Array(0..<width))
    case .reshape:
      guard useCounts[node.inputs[0].node] == 1, case .attention = graph.nodes[node.inputs[0].node].op else {
        return nil
      }
      return attention(node.inputs[0], width: width)
    case .input, .parameter, .constant, .embedding, .gather, .linear, .matmul, .rope, .attention, .unary,
      .binary,
      .cast, .softmax, .reduce, .topK, .sort, .permute, .slice, .concat, .split, .tile:
      return nil
    }
  }

  /// The linear layer that makes the values of attention: channel d of head h comes from row d of h's value head.
  private func attention(_ value: Graph.Value, width: Int) -> ScaleGroup.Source? {
    let node = graph.nodes[value.node]
    let (queries, values) = (graph.type(of: value).dims, graph.type(of: node.inputs[2]).dims)
    guard case .reshape = graph.nodes[node.inputs[2].node].op, useCounts[node.inputs[2].node] == 1,
      queries.count == 3, values.count == 3, let heads = queries[1].value, let kvHeads = values[1].value,
      let headDim = queries[2].value, heads * headDim == width, kvHeads > 0, heads % kvHeads == 0
    else { return nil }
    let rows = (0..<width).map { $0 / headDim / (heads / kvHeads) * headDim + $0 % headDim }
    return linear(graph.nodes[node.inputs[2].node].inputs[0], rows: rows)
  }

  private func linear(_ value: Graph.Value, rows: [Int]) -> ScaleGroup.Source? {
    let node = graph.nodes[value.node]
    guard case .linear(let linear) = node.op, linear.transposeB, !linear.hasResidual,
      useCounts[value.node] == 1,
      let outputs = graph.type(of: value).dims.last?.value, (rows.max() ?? 0) + 1 == outputs,
      let parts = parameter(node.inputs[1])?.parts, parts.count == 1, tensorUses[parts[0].name] == 1
    else { return nil }
    guard linear.hasBias else { return .linear(weight: parts[0].name, bias: nil, rows: rows) }
    guard let bias = tensor(node.inputs[2], [outputs]) else { return nil }
    return .linear(weight: parts[0].name, bias: bias, rows: rows)
  }

  private func parameter(_ value: Graph.Value) -> Parameter? {
    if case .parameter(let parameter) = graph.nodes[value.node].op { parameter } else { nil }
  }

  /// The one tensor of a parameter that nothing else uses.
  private func tensor(_ value: Graph.Value, _ dims: [Int]) -> String? {
    guard let parts = parameter(value)?.parts, parts.count == 1, parts[0].dims == dims,
      tensorUses[parts[0].name] == 1
    else { return nil }
    return parts[0].name
  }

  /// Linear layers whose outputs become queries and keys.
  private static func comparedLinears(_ graph: Graph) -> Set<Int> {
    var found: Set<Int> = []
    for node in graph.nodes {
      guard case .attention = node.op else { continue }
      var pending = [node.inputs[0].node, node.inputs[1].node]
      while let index = pending.popLast() {
        switch graph.nodes[index].op {
        case .linear: found.insert(index)
        // What lies between a projection and attention; positions and weights end the walk by themselves.
        case .reshape, .rope, .rmsNorm, .layerNorm, .permute, .slice, .split, .concat, .cast, .unary, .binary:
          pending += graph.nodes[index].inputs.map(\.node)
        case .input, .parameter, .constant, .embedding, .gather, .matmul, .attention, .gated, .softmax,
          .reduce,
          .topK, .sort, .tile:
          break
        }
      }
    }
    return found
  }
}
