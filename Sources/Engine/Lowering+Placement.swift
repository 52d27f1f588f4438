internal import Graph
internal import IngotCore

/// Round one: where values live, and for how long.
extension Lowering {
  mutating func findLastUses() {
    for (index, node) in graph.nodes.enumerated() {
      for output in node.types.indices { lastUse[.init(node: index, output: output)] = index }
      for input in node.inputs { lastUse[input] = index }
    }
    for output in graph.outputs { lastUse[output.value] = graph.nodes.count }
    // What a fused operator reads is read when its host runs.
    for (index, host) in fusions.hosts.merging(fusions.deferred, uniquingKeysWith: { host, _ in host }) {
      for input in graph.nodes[index].inputs { lastUse[input] = max(lastUse[input] ?? 0, host) }
    }
    // An alias keeps what it looks at alive.
    for index in graph.nodes.indices.reversed() where isView(index) {
      let node = graph.nodes[index]
      for output in node.types.indices {
        let use = lastUse[.init(node: index, output: output)] ?? index
        lastUse[node.inputs[0]] = max(lastUse[node.inputs[0]] ?? 0, use)
      }
    }
  }

  mutating func placeValues() throws(IngotError) {
    for (index, node) in graph.nodes.enumerated() {
      if node.op.isParameter || fusions.hosts[index] != nil { continue }
      for operand in node.inputs.indices where needsDense(index, operand) { densify(index, operand) }
      if isView(index) {
        placeViews(index)
      } else if let reused = reusableOperand(index) {
        locations[.init(node: index)] = locations[node.inputs[reused]]
        extendLife(of: node.inputs[reused], to: lastUse[.init(node: index)] ?? index)
      } else {
        for output in node.types.indices { place(.init(node: index, output: output)) }
      }
    }
  }

  private mutating func place(_ value: Graph.Value) {
    let type = graph.type(of: value)
    let isOutput = graph.outputs.contains { $0.value == value }
    buffers.append(
      Buffer(
        byteCount: capacity(type) * type.dtype.storage.byteCount, firstStep: value.node,
        lastStep: lastUse[value] ?? value.node, isPermanent: graph.nodes[value.node].op.isSource || isOutput))
    locations[value] = Location(buffer: buffers.count - 1)
  }

  private mutating func extendLife(of value: Graph.Value, to step: Int) {
    guard let buffer = locations[value]?.buffer else { return }
    buffers[buffer].lastStep = max(buffers[buffer].lastStep, step)
  }

  private mutating func densify(_ node: Int, _ operand: Int) {
    let type = graph.type(of: graph.nodes[node].inputs[operand])
    buffers.append(
      Buffer(byteCount: capacity(type) * type.dtype.storage.byteCount, firstStep: node, lastStep: node))
    dense[OperandKey(node: node, operand: operand)] = buffers.count - 1
  }

  // MARK: Views

  /// Whether a node's results are other looks at its operand's elements. Decided by types alone, so that both
  /// rounds agree; a view's operand may itself be a view with gaps between rows.
  func isView(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    guard let first = node.inputs.first, !graph.nodes[first.node].op.isParameter else { return false }
    let type = graph.type(of: first)
    switch node.op {
    case .reshape: return true
    case .cast(let dtype): return dtype == .f32 && type.dtype.storage == .f32 || dtype == type.dtype
    case .split(let axis, _):
      return type.rank == 2 && (axis == 1 || axis == -1) && !gaps(after: first)
    case .input, .parameter, .constant, .embedding, .gather, .linear, .matmul, .rmsNorm, .layerNorm, .rope,
      .attention, .unary, .binary, .gated, .softmax, .reduce, .topK, .sort, .permute, .slice, .concat, .tile:
      return false
    }
  }

  /// Whether a value's elements lie in rows with gaps, judged from the nodes.
  private func gaps(after value: Graph.Value) -> Bool {
    guard isView(value.node) else { return false }
    if case .split = graph.nodes[value.node].op { return true }
    return gaps(after: graph.nodes[value.node].inputs[0])
  }

  private mutating func placeViews(_ index: Int) {
    let node = graph.nodes[index]
    // A dense copy made for this node is what it looks at.
    var base =
      dense[OperandKey(node: index, operand: 0)].map { Location(buffer: $0) } ?? locations[node.inputs[0]]
      ?? Location(buffer: 0)
    if case .split(_, let sizes) = node.op {
      let width = sizes.reduce(0, +)
      for (output, size) in sizes.enumerated() {
        locations[.init(node: index, output: output)] = Location(
          buffer: base.buffer, offset: base.offset, rowStride: sizes.count == 1 ? base.rowStride : width)
        base.offset += size
      }
    } else {
      locations[.init(node: index)] = base
    }
    let last = node.types.indices.map { lastUse[.init(node: index, output: $0)] ?? index }.max() ?? index
    buffers[base.buffer].lastStep = max(buffers[base.buffer].lastStep, last)
  }

  // MARK: Dense copies

  /// Whether an operand lies in rows with gaps that the operator cannot step over.
  private func needsDense(_ index: Int, _ operand: Int) -> Bool {
    let node = graph.nodes[index]
    let value = node.inputs[operand]
    guard locations[value]?.rowStride != nil else { return false }
    switch node.op {
    case .linear: return operand > 0
    case .rmsNorm, .layerNorm, .rope, .attention, .gated: return false
    case .reshape:
      // Rows stay rows: [T, H·D] → [T, H, D].
      return node.types[0].dims.first != graph.type(of: value).dims.first
    case .cast, .split: return !isView(index)
    case .input, .parameter, .constant, .embedding, .gather, .matmul, .unary, .binary, .softmax, .reduce,
      .topK,
      .sort, .permute, .slice, .concat, .tile:
      return true
    }
  }

  // MARK: Working in place

  /// An operand whose memory the result may take over, because nobody reads it later.
  private func reusableOperand(_ index: Int) -> Int? {
    let node = graph.nodes[index]
    let candidate: Int
    switch node.op {
    case .rope: candidate = 0
    case .linear(let linear) where linear.hasResidual: candidate = node.inputs.count - 1
    case .linear, .input, .parameter, .constant, .embedding, .gather, .matmul, .rmsNorm, .layerNorm,
      .attention,
      .unary, .binary, .gated, .cast, .softmax, .reduce, .topK, .sort, .reshape, .permute, .slice, .concat,
      .split, .tile:
      return nil
    }
    let value = node.inputs[candidate]
    let isOutput = graph.outputs.contains { $0.value.node == index }
    guard !isOutput, dense[OperandKey(node: index, operand: candidate)] == nil, !isReadAfter(index, value),
      node.inputs.enumerated().allSatisfy({
        $0.offset == candidate || locations[$0.element]?.buffer != locations[value]?.buffer
      })
    else { return nil }
    return candidate
  }

  /// Whether anything besides disjoint pieces of the same buffer reads a value's elements after a node.
  private func isReadAfter(_ index: Int, _ value: Graph.Value) -> Bool {
    if (lastUse[value] ?? 0) > fusions.step(of: index) { return true }
    let node = graph.nodes[value.node]
    if node.op.isSource { return true }
    guard isView(value.node) else { return false }
    // The operand of a split is read through its pieces only, and those do not overlap.
    if case .split = node.op { return useCounts[node.inputs[0].node] > 1 }
    return isReadAfter(index, node.inputs[0])
  }
}

extension Op {
  var isParameter: Bool { if case .parameter = self { true } else { false } }

  /// Inputs and constants: their memory is theirs alone.
  var isSource: Bool {
    switch self {
    case .input, .constant, .parameter: true
    case .embedding, .gather, .linear, .matmul, .rmsNorm, .layerNorm, .rope, .attention, .unary, .binary,
      .gated,
      .cast, .softmax, .reduce, .topK, .sort, .reshape, .permute, .slice, .concat, .split, .tile:
      false
    }
  }
}
