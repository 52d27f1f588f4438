internal import Graph
internal import IngotCore
internal import Quantization

extension GraphLowering {
  /// A parameter as the checkpoint has it, in the type operators compute in.
  mutating func plain(_ parameter: Parameter) -> String { dense(parameter, transposed: false) }

  private mutating func dense(_ parameter: Parameter, transposed: Bool) -> String {
    let name = builder.weight(.dense(parameter, style.storage, transposed: transposed))[0]
    return style.storage == style.dtype ? name : cast(name, to: style.dtype)
  }

  mutating func linear(_ node: Graph.Node, _ linear: Op.Linear) throws(IngotError) -> String {
    let x = try operand(node.inputs[0])
    var result: String
    if let parameter = parameter(node.inputs[1]) {
      result = product(x, parameter, transposeB: linear.transposeB)
    } else {
      var weight = try operand(node.inputs[1])
      if linear.transposeB { weight = builder.node("Transpose", [weight], [("perm", .ints([1, 0]))]) }
      result = builder.node("MatMul", [x, weight])
    }
    if linear.hasBias { result = builder.node("Add", [result, try operand(node.inputs[2])]) }
    if linear.hasResidual, let residual = node.inputs.last {
      result = builder.node("Add", [result, try operand(residual)])
    }
    return result
  }

  /// x W or x Wᵀ for a weight of the checkpoint.
  private mutating func product(_ x: String, _ parameter: Parameter, transposeB: Bool) -> String {
    guard transposeB else { return builder.node("MatMul", [x, plain(parameter)]) }
    if let quantization = style.quantization {
      let order = style.inputOrders[parameter]
      let x = order.map { gathered(x, $0) } ?? x
      return quantization.standard
        ? dequantized(x, parameter, quantization, reordered: order != nil)
        : nbits(x, parameter, quantization, reordered: order != nil)
    }
    if style.tied.contains(parameter) {
      let weight = builder.node("Transpose", [plain(parameter)], [("perm", .ints([1, 0]))])
      return builder.node("MatMul", [x, weight])
    }
    return builder.node("MatMul", [x, dense(parameter, transposed: true)])
  }

  /// x with its last axis in the order of a weight's groups; layers that read one x in one order share it.
  private mutating func gathered(_ x: String, _ order: InputOrder) -> String {
    if let known = gathered[order]?[x] { return known }
    let indices = builder.weight(.inputOrder(order))[0]
    let value = builder.node("Gather", [x, indices], [("axis", .int(-1))])
    gathered[order, default: [:]][x] = value
    return value
  }

  private mutating func nbits(
    _ x: String, _ parameter: Parameter, _ quantization: LoweringStyle.Weights, reordered: Bool
  ) -> String {
    let scheme = quantization.scheme
    let weights = WeightPiece.matMulNBits(parameter, scheme, scales: style.dtype, reordered: reordered)
    let operands = [x] + builder.weight(weights)
    return builder.node(
      "MatMulNBits", operands,
      [
        ("K", .int(parameter.dims[1])), ("N", .int(parameter.dims[0])), ("bits", .int(scheme.bits)),
        ("block_size", .int(scheme.nbitsBlock(inputs: parameter.dims[1]))),
        // Activations are rounded to 8 bits: many times faster than the alternatives, which keep them in floats.
        ("accuracy_level", .int(4)),
      ], domain: "com.microsoft")
  }

  private mutating func dequantized(
    _ x: String, _ parameter: Parameter, _ quantization: LoweringStyle.Weights, reordered: Bool
  ) -> String {
    let scheme = quantization.scheme
    let operands = builder.weight(
      .dequantizeLinear(parameter, scheme, scales: scalesDType, reordered: reordered))
    var attributes: [(String, Attribute)] = [("axis", .int(scheme.groupSize == nil ? 1 : 0))]
    if let group = scheme.groupSize { attributes.append(("block_size", .int(group))) }
    var weight = builder.node("DequantizeLinear", operands, attributes)
    if scalesDType != style.dtype { weight = cast(weight, to: style.dtype) }
    return builder.node("MatMul", [x, weight])
  }

  /// Before opset 19 `DequantizeLinear` gives 32-bit floats only.
  private var scalesDType: DType { builder.opset < 19 ? .f32 : style.dtype }

  mutating func matmul(
    _ node: Graph.Node, _ transposeA: Bool, _ transposeB: Bool
  ) throws(IngotError) -> String {
    var operands: [String] = []
    for (side, transposes) in [transposeA, transposeB].enumerated() {
      let input = node.inputs[side]
      let rank = graph.type(of: input).rank
      guard shift(input) == 0 || rank > 2 || side == 0 && !transposes else {
        throw error(node, "a product over the axis of tokens would mix the sequences of a batch")
      }
      var operand = try operand(input)
      if transposes {
        let count = rank + shift(input)
        var order = Array(0..<count)
        order.swapAt(count - 1, count - 2)
        operand = builder.node("Transpose", [operand], [("perm", .ints(order))])
      }
      operands.append(operand)
    }
    return builder.node("MatMul", operands)
  }

  mutating func rmsNorm(_ node: Graph.Node, epsilon: Float, offset: Float) throws(IngotError) -> String {
    let x = try operand(node.inputs[0])
    var weight = try operand(node.inputs[1])
    if offset != 0 { weight = builder.node("Add", [weight, builder.scalar(style.dtype, Double(offset))]) }
    let attributes: [(String, Attribute)] = [
      ("axis", .int(-1)), ("epsilon", .float(epsilon)), ("stash_type", .int(1)),
    ]
    if style.usesRuntimeOperators {
      return builder.node("SimplifiedLayerNormalization", [x, weight], attributes)
    }
    if builder.opset >= 23 { return builder.node("RMSNormalization", [x, weight], attributes) }
    let normed = inFloat32(x) { lowering, x in
      let square = lowering.builder.node("Pow", [x, lowering.builder.scalar(.f32, 2)])
      let mean = lowering.reduce("ReduceMean", square, axis: -1, keepDims: true)
      let sum = lowering.builder.node("Add", [mean, lowering.builder.scalar(.f32, Double(epsilon))])
      return lowering.builder.node("Div", [x, lowering.builder.node("Sqrt", [sum])])
    }
    return builder.node("Mul", [normed, weight])
  }

  mutating func layerNorm(_ node: Graph.Node, epsilon: Float) throws(IngotError) -> String {
    let operands = [try operand(node.inputs[0]), try operand(node.inputs[1]), try operand(node.inputs[2])]
    if builder.opset >= 17 {
      return builder.node(
        "LayerNormalization", operands,
        [("axis", .int(-1)), ("epsilon", .float(epsilon)), ("stash_type", .int(1))])
    }
    let normed = inFloat32(operands[0]) { lowering, x in
      let mean = lowering.reduce("ReduceMean", x, axis: -1, keepDims: true)
      let centred = lowering.builder.node("Sub", [x, mean])
      let square = lowering.builder.node("Mul", [centred, centred])
      let variance = lowering.reduce("ReduceMean", square, axis: -1, keepDims: true)
      let sum = lowering.builder.node("Add", [variance, lowering.builder.scalar(.f32, Double(epsilon))])
      return lowering.builder.node("Div", [centred, lowering.builder.node("Sqrt", [sum])])
    }
    return builder.node("Add", [builder.node("Mul", [normed, operands[1]]), operands[2]])
  }
}
