internal import Graph
internal import IngotCore

extension GraphLowering {
  /// The ONNX values of a node's outputs.
  mutating func lower(_ node: Graph.Node) throws(IngotError) -> [String] {
    switch node.op {
    case .input, .parameter: throw error(node, "sources are not lowered")
    case .constant(let constant):
      return [builder.constant(onnx(constant.dtype), constant.dims, constant.values)]
    case .embedding:
      return [builder.node("Gather", [try operand(node.inputs[0]), try operand(node.inputs[1])])]
    case .gather(let axis):
      return [choosesRows(node) ? try operand(node.inputs[0]) : try gather(node, axis)]
    case .linear(let linear): return [try self.linear(node, linear)]
    case .matmul(let transposeA, let transposeB): return [try matmul(node, transposeA, transposeB)]
    case .rmsNorm(let epsilon, let offset): return [try rmsNorm(node, epsilon: epsilon, offset: offset)]
    case .layerNorm(let epsilon): return [try layerNorm(node, epsilon: epsilon)]
    case .rope(let rope): return [try self.rope(node, rope)]
    case .attention(let attention): return [try self.attention(node, attention)]
    case .unary(let function): return [unary(function, try operand(node.inputs[0]), dtype(node.inputs[0]))]
    case .binary(let function): return [try binary(node, function)]
    case .gated(let function):
      let gate = unary(function, try operand(node.inputs[0]), dtype(node.inputs[0]))
      return [builder.node("Mul", [gate, try operand(node.inputs[1])])]
    case .cast(let dtype): return [cast(try operand(node.inputs[0]), to: onnx(dtype))]
    case .softmax(let axis):
      let index = try self.axis(axis, of: node.inputs[0], node)
      return [
        inFloat32(try operand(node.inputs[0])) {
          $0.builder.node("Softmax", [$1], [("axis", .int(index))])
        }
      ]
    case .reduce(let reduction, let axis, let keepDims):
      return [try reduce(node, reduction, axis: axis, keepDims: keepDims)]
    case .topK(let count):
      return builder.node(
        "TopK", [try operand(node.inputs[0]), builder.ints([count])], [("axis", .int(-1))], results: 2)
    case .sort(let descending): return try sort(node, descending: descending)
    case .reshape(let dims): return [try reshape(node, dims)]
    case .permute(let order): return [try permute(node, order)]
    case .slice(let axis, let start, let end, let step):
      let index = try self.axis(axis, of: node.inputs[0], node)
      return [
        builder.node(
          "Slice",
          [
            try operand(node.inputs[0]), builder.ints([start]), builder.ints([end]), builder.ints([index]),
            builder.ints([step]),
          ])
      ]
    case .concat(let axis):
      var operands: [String] = []
      for input in node.inputs { operands.append(try operand(input)) }
      let index = try self.axis(axis, of: node.inputs[0], node)
      return [builder.node("Concat", operands, [("axis", .int(index))])]
    case .split(let axis, let sizes):
      let index = try self.axis(axis, of: node.inputs[0], node)
      return builder.node(
        "Split", [try operand(node.inputs[0]), builder.ints(sizes)], [("axis", .int(index))],
        results: sizes.count)
    case .tile(let repeats):
      guard shift(node.inputs[0]) == 0 || repeats[0] == 1 else {
        throw error(node, "the axis of tokens cannot be repeated")
      }
      let ones = [Int](repeating: 1, count: shift(node.inputs[0]))
      return [builder.node("Tile", [try operand(node.inputs[0]), builder.ints(ones + repeats)])]
    }
  }

  private mutating func gather(_ node: Graph.Node, _ axis: Int) throws(IngotError) -> String {
    let index = try self.axis(axis, of: node.inputs[0], node)
    guard shift(node.inputs[1]) == 0 || index == 0 else {
      throw error(node, "indices of tokens can only choose along the first axis")
    }
    let operands = [try operand(node.inputs[0]), try operand(node.inputs[1])]
    return builder.node("Gather", operands, [("axis", .int(index))])
  }

  private mutating func binary(_ node: Graph.Node, _ function: Op.Binary) throws(IngotError) -> String {
    var operands = [try operand(node.inputs[0]), try operand(node.inputs[1])]
    let types = node.inputs.map(dtype)
    if types[0] != types[1] {
      // As the graph's inference: a float beside an integer decides; of two, the wider.
      let common =
        function.isPredicate
        ? (types[0].isFloat || !types[1].isFloat && types[0].byteCount >= types[1].byteCount
          ? types[0] : types[1])
        : onnx(node.types[0].dtype)
      for side in 0...1 where types[side] != common { operands[side] = cast(operands[side], to: common) }
    }
    // A vector of tokens and a matrix of them would not line up from the right.
    guard
      shift(node.inputs[0]) == shift(node.inputs[1])
        || node.inputs.allSatisfy({ !hasTokens($0) || graph.type(of: $0).rank == node.types[0].rank })
    else { throw error(node, "operands with and without the axis of tokens do not line up") }
    let name: String =
      switch function {
      case .add: "Add"
      case .sub: "Sub"
      case .mul: "Mul"
      case .div: "Div"
      case .max: "Max"
      case .min: "Min"
      case .pow: "Pow"
      case .equal, .notEqual: "Equal"
      case .less: "Less"
      case .lessEqual: "LessOrEqual"
      case .greater: "Greater"
      case .greaterEqual: "GreaterOrEqual"
      case .logicalAnd: "And"
      case .logicalOr: "Or"
      }
    let result = builder.node(name, operands)
    return function == .notEqual ? builder.node("Not", [result]) : result
  }

  private mutating func sort(_ node: Graph.Node, descending: Bool) throws(IngotError) -> [String] {
    guard let count = node.types[0].dims.last?.value else {
      throw error(node, "the extent of the sorted axis must be known")
    }
    return builder.node(
      "TopK", [try operand(node.inputs[0]), builder.ints([count])],
      [("axis", .int(-1)), ("largest", .int(descending ? 1 : 0))], results: 2)
  }

  private mutating func permute(_ node: Graph.Node, _ order: [Int]) throws(IngotError) -> String {
    let shift = shift(node.inputs[0])
    guard shift == 0 || order.first == 0 else { throw error(node, "the axis of tokens must stay in front") }
    let full = shift == 0 ? order : Array(0...shift) + order.dropFirst().map { $0 + shift }
    return builder.node("Transpose", [try operand(node.inputs[0])], [("perm", .ints(full))])
  }

  private mutating func reshape(_ node: Graph.Node, _ targets: [ReshapeDim]) throws(IngotError) -> String {
    let (source, result) = (graph.type(of: node.inputs[0]), node.types[0])
    let x = try operand(node.inputs[0])
    var dims: [Int] = []
    var leading = 0
    if hasTokens(source) {
      guard case .keep(0)? = targets.first else { throw error(node, "the axis of tokens must stay in front") }
      dims = [Int](repeating: 0, count: style.tokens.count)
      leading = 1
    }
    for (index, target) in targets.enumerated().dropFirst(leading) {
      if let value = result.dims[index].value {
        dims.append(value)
      } else if case .keep(let axis) = target, axis == index {
        dims.append(0)
      } else {
        guard !dims.contains(-1) else { throw error(node, "two extents are only known when it runs") }
        dims.append(-1)
      }
    }
    // [tokens, heads · D] and [tokens, heads, D] are one tensor: whoever wants the other form takes it.
    if hasTokens(source), result.rank == 2, let known = flat[x] { return known }
    let reshaped = builder.node("Reshape", [x, builder.ints(dims)])
    if hasTokens(source), source.rank == 2, result.rank == 3 { flat[reshaped] = x }
    return reshaped
  }

  private mutating func reduce(
    _ node: Graph.Node, _ reduction: Op.Reduction, axis: Int, keepDims: Bool
  ) throws(IngotError) -> String {
    let index = try self.axis(axis, of: node.inputs[0], node)
    let x = try operand(node.inputs[0])
    switch reduction {
    case .sum: return reduce("ReduceSum", x, axis: index, keepDims: keepDims)
    case .mean: return reduce("ReduceMean", x, axis: index, keepDims: keepDims)
    case .amax: return reduce("ReduceMax", x, axis: index, keepDims: keepDims)
    case .amin: return reduce("ReduceMin", x, axis: index, keepDims: keepDims)
    case .norm: return reduce("ReduceL2", x, axis: index, keepDims: keepDims)
    case .std:
      let rank = graph.type(of: node.inputs[0])
      guard let count = rank.dims[axis < 0 ? axis + rank.rank : axis].value, count > 1 else {
        throw error(node, "the extent of the reduced axis must be known and more than 1")
      }
      let mean = reduce("ReduceMean", x, axis: index, keepDims: true)
      let centred = builder.node("Sub", [x, mean])
      let squares = reduce(
        "ReduceSum", builder.node("Mul", [centred, centred]), axis: index, keepDims: keepDims)
      let variance = builder.node(
        "Div", [squares, builder.scalar(dtype(node.inputs[0]), Double(count - 1))])
      return builder.node("Sqrt", [variance])
    }
  }

  /// Axes became an operand in opset 18, of `ReduceSum` in 13.
  mutating func reduce(_ op: String, _ x: String, axis: Int, keepDims: Bool) -> String {
    let keeps = ("keepdims", Attribute.int(keepDims ? 1 : 0))
    if builder.opset >= (op == "ReduceSum" ? 13 : 18) {
      return builder.node(op, [x, builder.ints([axis])], [keeps])
    }
    return builder.node(op, [x], [("axes", .ints([axis])), keeps])
  }

  /// An elementwise function.
  mutating func unary(_ function: Op.Unary, _ x: String, _ dtype: DType) -> String {
    func scalar(_ value: Double, _ lowering: inout GraphLowering) -> String {
      lowering.builder.scalar(dtype, value)
    }
    switch function {
    case .neg: return builder.node("Neg", [x])
    case .abs: return builder.node("Abs", [x])
    case .exp: return builder.node("Exp", [x])
    case .log: return builder.node("Log", [x])
    case .sqrt: return builder.node("Sqrt", [x])
    case .rsqrt: return builder.node("Reciprocal", [builder.node("Sqrt", [x])])
    case .cos: return builder.node("Cos", [x])
    case .sin: return builder.node("Sin", [x])
    case .tanh: return builder.node("Tanh", [x])
    case .sigmoid: return builder.node("Sigmoid", [x])
    case .relu: return builder.node("Relu", [x])
    case .reciprocal: return builder.node("Reciprocal", [x])
    case .logicalNot: return builder.node("Not", [x])
    case .silu: return builder.node("Mul", [x, builder.node("Sigmoid", [x])])
    case .quickGelu:
      let scaled = builder.node("Mul", [x, scalar(1.702, &self)])
      return builder.node("Mul", [x, builder.node("Sigmoid", [scaled])])
    case .gelu:
      if builder.opset >= 20 { return builder.node("Gelu", [x]) }
      // x/2 · (1 + erf(x/√2)).
      let erf = builder.node("Erf", [builder.node("Mul", [x, scalar(0.5.squareRoot(), &self)])])
      let half = builder.node("Mul", [x, scalar(0.5, &self)])
      return builder.node("Mul", [half, builder.node("Add", [erf, scalar(1, &self)])])
    case .geluTanh:
      if builder.opset >= 20 { return builder.node("Gelu", [x], [("approximate", .string("tanh"))]) }
      // x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
      let cube = builder.node("Mul", [builder.node("Mul", [x, x]), x])
      let sum = builder.node("Add", [x, builder.node("Mul", [cube, scalar(0.044715, &self)])])
      let inner = builder.node("Mul", [sum, scalar((2 / Double.pi).squareRoot(), &self)])
      let half = builder.node("Mul", [x, scalar(0.5, &self)])
      let outer = builder.node("Add", [builder.node("Tanh", [inner]), scalar(1, &self)])
      return builder.node("Mul", [half, outer])
    }
  }
}
