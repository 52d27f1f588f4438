internal import CKernels
internal import Graph
internal import IngotCore
internal import Quantization

/// Operators that a matrix product takes in: the kernel computes them with the rows at hand, so what lies between
/// is never stored as a whole and needs no fork-join of its own.
///
///     %1 = rmsNorm(x, @norm)                    %1, %2 = split(linear(x, @[gate; up]))
///     %2 = linear(%1, @w)       → one step      %3 = gated(%1, %2)                       → one step
///
/// Attention takes in what is done to single heads of its queries and keys, and writes the cache along with it:
///
///     %3 = rope(rmsNorm(%1, @q_norm), positions)
///     %4 = rope(rmsNorm(%2, @k_norm), positions)
///     %5 = attention(%3, %4, v)                   → one step
struct Fusions {
  /// The norm of a linear layer's x.
  private(set) var norms: [Int: Int] = [:]
  /// The linear layer whose two halves a gate joins.
  private(set) var gates: [Int: Int] = [:]
  /// Nodes without a step of their own and without memory for their results, and the node whose step computes them.
  private(set) var hosts: [Int: Int] = [:]
  /// Nodes without a step of their own whose results do lie in memory, and the attention that computes them.
  private(set) var deferred: [Int: Int] = [:]

  /// None.
  init() {}

  /// Finds them.
  /// - Parameter isInteger: whether a weight is packed as integers, so that x is quantised.
  init(_ graph: Graph, where isInteger: (Parameter) -> Bool) {
    let uses = graph.useCounts()
    let outputs = Set(graph.outputs.map(\.value.node))
    for (index, node) in graph.nodes.enumerated() {
      if case .gated(let activation) = node.op, activation.isGateOfProducts,
        let split = graph.sharedSplit(of: node), uses[split] == 2, !outputs.contains(split)
      {
        let product = graph.nodes[split].inputs[0].node
        guard uses[product] == 1, graph.weight(of: product) != nil,
          case .linear(let linear) = graph.nodes[product].op, !linear.hasResidual
        else { continue }
        gates[index] = product
        (hosts[split], hosts[product]) = (index, index)
      }
    }
    for (index, node) in graph.nodes.enumerated() {
      guard case .linear = node.op, let weight = graph.weight(of: index), isInteger(weight) else { continue }
      let norm = node.inputs[0].node
      guard uses[norm] == 1, graph.isNormOfRows(norm) else { continue }
      norms[index] = norm
      hosts[norm] = hosts[index] ?? index
    }
    for (index, node) in graph.nodes.enumerated() {
      guard case .attention = node.op else { continue }
      for operand in 0..<2 {
        for step in graph.headSteps(of: node.inputs[operand], uses) where !outputs.contains(step) {
          deferred[step] = index
        }
      }
    }
  }

  /// The nodes whose steps compute others: where results that are read there must still be.
  func step(of node: Int) -> Int { hosts[node] ?? deferred[node] ?? node }
}

extension Graph {
  /// The parameter a linear layer on rows multiplies with.
  fileprivate func weight(of index: Int) -> Parameter? {
    guard case .linear(let linear) = nodes[index].op, linear.transposeB,
      type(of: nodes[index].inputs[0]).rank == 2,
      case .parameter(let parameter) = nodes[nodes[index].inputs[1].node].op
    else { return nil }
    return parameter
  }

  /// The split in two equal halves of columns whose results are a gate's two operands.
  fileprivate func sharedSplit(of gate: Node) -> Int? {
    let split = gate.inputs[0].node
    guard gate.inputs[1].node == split, gate.inputs[0].output != gate.inputs[1].output,
      case .split(let axis, let sizes) = nodes[split].op, axis == 1 || axis == -1,
      sizes.count == 2, sizes[0] == sizes[1], sizes[0] % Int(INGOT_TILE) == 0
    else { return nil }
    return split
  }

  /// The rotation that makes queries or keys, and before it the norm of single heads, where nothing else reads them.
  func headSteps(of value: Value, _ uses: [Int]) -> [Int] {
    guard case .rope = nodes[value.node].op, uses[value.node] == 1 else { return [] }
    let norm = nodes[value.node].inputs[0].node
    switch nodes[norm].op {
    case .rmsNorm, .layerNorm:
      let type = self.type(of: nodes[norm].inputs[0])
      return type.rank == 3 && uses[norm] == 1 ? [norm, value.node] : [value.node]
    case .input, .parameter, .constant, .embedding, .linear, .matmul, .rope, .attention, .unary, .binary,
      .gated, .cast, .softmax, .reduce, .topK, .sort, .gather, .reshape, .permute, .slice, .concat, .split,
      .tile:
      return [value.node]
    }
  }

  fileprivate func isNormOfRows(_ index: Int) -> Bool {
    switch nodes[index].op {
    case .rmsNorm, .layerNorm: type(of: nodes[index].inputs[0]).rank == 2
    case .input, .parameter, .constant, .embedding, .linear, .matmul, .rope, .attention, .unary, .binary,
      .gated,
      .cast, .softmax, .reduce, .topK, .sort, .gather, .reshape, .permute, .slice, .concat, .split, .tile:
      false
    }
  }
}

extension Op.Unary {
  fileprivate var isGateOfProducts: Bool { self == .silu || self == .gelu || self == .geluTanh }
}

extension Lowering {
  /// What a norm does to rows, for the product that takes it in.
  mutating func normArguments(_ index: Int) throws(IngotError) -> (
    pointer: UnsafePointer<ingot_norm_arguments>, isLayerNorm: Bool
  ) {
    let (arguments, isLayerNorm) = try normParameters(index)
    let pointer = UnsafeMutablePointer<ingot_norm_arguments>.allocate(capacity: 1)
    pointer.initialize(to: arguments)
    plan.retained.append(Allocation(pointer))
    return (UnsafePointer(pointer), isLayerNorm)
  }

  /// Tells every product which weights the one after it reads; the last of a forward, those of the first.
  mutating func announceWeights() {
    var next: ingot_matmul_arguments?
    for step in plan.steps {
      guard case .matmul(let matmul) = step else { continue }
      next = matmul.arguments
      break
    }
    for index in plan.steps.indices.reversed() {
      guard case .matmul(var matmul) = plan.steps[index], let after = next else { continue }
      let weight = after.weight.pointee
      matmul.arguments.next = weight.data
      // A gated product begins with the halves of its outputs side by side: the first is announced.
      matmul.arguments.next_bytes =
        ingot_weight_bytes(weight.format, weight.n, weight.k, weight.group) / (after.gated == 0 ? 1 : 2)
      next = matmul.arguments
      plan.steps[index] = .matmul(matmul)
    }
  }
}
