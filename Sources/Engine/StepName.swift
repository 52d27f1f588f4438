internal import Graph

/// Which part of the model a step belongs to.
struct StepName: Equatable {
  /// The weights it reads, without layer and without what is common to all, as `self_attn.q_proj+k_proj+v_proj`.
  var parameter = ""
  /// The layer, where the weights name one or those before did.
  var layer: Int?

  init() {}

  init(_ parameter: Parameter) {
    let paths = parameter.parts.map { part in
      let names = part.name.split(separator: ".").map(String.init)
      return names.count > 1 && names.last == "weight" ? Array(names.dropLast()) : names
    }
    guard let first = paths.first else { return }
    let number = first.firstIndex { Int($0) != nil }
    layer = number.flatMap { Int(first[$0]) }
    func short(_ path: [String]) -> ArraySlice<String> {
      if let number, path.count > number { return path[(number + 1)...] }
      return path.count > 1 && path[0] == "model" ? path[1...] : path[...]
    }
    let rest = paths.dropFirst().compactMap(\.last)
    self.parameter = ([short(first).joined(separator: ".")] + rest).joined(separator: "+")
  }
}

extension Lowering {
  /// Names the steps that a node has become, after the node itself.
  mutating func nameSteps(of index: Int) {
    // A gate is computed with its product, by whose weight the step is known.
    let node = graph.nodes[fusions.gates[index] ?? index]
    let parameters = node.inputs.compactMap { self.parameter($0) }
    var name = StepName()
    if let parameter = parameters.first {
      name = StepName(parameter)
    } else if case .attention(let attention) = node.op, case .paged(let layer) = attention.cache {
      name.layer = layer
    } else {
      // What has no weights is taken to belong where the step before it does.
      name.layer = plan.names.last?.layer
    }
    while plan.names.count > plan.steps.count { plan.names.removeLast() }
    while plan.names.count < plan.steps.count { plan.names.append(name) }
  }
}
