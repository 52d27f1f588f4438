extension Graph {
  /// The graph in readable lines: `%7 = linear(%5, @model.layers.0.mlp.up_proj.weight) : f32[tokens, 1536]`.
  ///
  /// Parameters and constants stand where they are used; values are numbered in order.
  public var text: String {
    var names: [Value: String] = [:]
    var lines: [String] = []
    let arguments = inputs.map { "\($0.name): \(type(of: $0.value))" }
    lines.append("graph(" + arguments.joined(separator: ", ") + ") {")
    var next = 0
    for (index, node) in nodes.enumerated() {
      if let name = node.op.sourceName {
        names[Value(node: index)] = name
        continue
      }
      let results = node.types.indices.map { output -> String in
        let name = "%\(next + output)"
        names[Value(node: index, output: output)] = name
        return name
      }
      next += results.count
      let operands = (node.inputs.map { names[$0] ?? "?" } + node.op.attributeText).joined(separator: ", ")
      let types = node.types.map(\.description).joined(separator: ", ")
      lines.append("  \(results.joined(separator: ", ")) = \(node.op.name)(\(operands)) : \(types)")
    }
    let results = outputs.map { "\($0.name) = \(names[$0.value] ?? "?") : \(type(of: $0.value))" }
    lines.append("  return " + results.joined(separator: ", "))
    lines.append("}")
    return lines.joined(separator: "\n")
  }
}

extension Op {
  /// How an operand that is an input, a parameter or a constant is written where it is used.
  fileprivate var sourceName: String? {
    if case .input(let name) = self { return name }
    if case .parameter(let parameter) = self { return parameter.description }
    if case .constant(let constant) = self { return constant.description }
    return nil
  }
}

extension Constant: CustomStringConvertible {
  /// The value of a scalar, or type and extents.
  public var description: String {
    dims.isEmpty && values.count == 1 ? "\(values[0])" : "constant \(dtype)\(dims)"
  }
}

extension Op {
  /// The attributes as `name: value`.
  var attributeText: [String] {
    switch self {
    case .input, .parameter, .constant, .embedding, .unary, .binary, .gated: []
    case .gather(let axis), .softmax(let axis), .concat(let axis): ["axis: \(axis)"]
    case .linear(let linear):
      (linear.transposeB ? [] : ["transposeB: false"]) + (linear.hasBias ? ["bias"] : [])
        + (linear.hasResidual ? ["residual"] : [])
    case .matmul(let a, let b): (a ? ["transposeA"] : []) + (b ? ["transposeB"] : [])
    case .rmsNorm(let epsilon, let offset):
      ["epsilon: \(epsilon)"] + (offset == 0 ? [] : ["weightOffset: \(offset)"])
    case .layerNorm(let epsilon): ["epsilon: \(epsilon)"]
    case .rope(let rope):
      ["rotaryDim: \(rope.rotaryDim)", "table: \(rope.table)"] + (rope.interleaved ? ["interleaved"] : [])
    case .attention(let attention):
      [attention.cache.text, "scale: \(attention.scale)"]
        + (attention.window.map { ["window: \($0)"] } ?? [])
        + (attention.softcap.map { ["softcap: \($0)"] } ?? [])
    case .cast(let dtype): ["\(dtype)"]
    case .reduce(_, let axis, let keepDims): ["axis: \(axis)"] + (keepDims ? ["keepDims"] : [])
    case .topK(let count): ["k: \(count)"]
    case .sort(let descending): descending ? ["descending"] : []
    case .reshape(let dims): [dims.map(\.text).joined(separator: "×")]
    case .permute(let order): ["\(order)"]
    case .slice(let axis, let start, let end, let step):
      ["axis: \(axis)", "\(start)..<\(end)" + (step == 1 ? "" : " by \(step)")]
    case .split(let axis, let sizes): ["axis: \(axis)", "\(sizes)"]
    case .tile(let repeats): ["\(repeats)"]
    }
  }
}

extension ReshapeDim {
  fileprivate var text: String {
    switch self {
    case .keep(let axis): "d\(axis)"
    case .fixed(let value): "\(value)"
    case .infer: "_"
    }
  }
}

extension Op.Attention.Cache {
  fileprivate var text: String {
    switch self {
    case .paged(let layer): "layer: \(layer)"
    case .none: "no cache"
    }
  }
}
