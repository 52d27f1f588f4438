internal import IngotCore

/// Result types of the operators that models are made of.
extension Checker {
  func parameter(_ parameter: Parameter) throws(IngotError) -> TensorType {
    try require(!parameter.parts.isEmpty, "a parameter needs a part")
    for part in parameter.parts {
      try require(
        !part.dims.isEmpty && part.dims.allSatisfy { $0 > 0 },
        "\(part.name) has impossible extents \(part.dims)")
      try require(
        part.dims.dropFirst() == parameter.parts[0].dims.dropFirst(),
        "\(part.name) \(part.dims) does not lie along \(parameter.parts[0].name) \(parameter.parts[0].dims)")
    }
    return TensorType(.f32, parameter.dims.map(Dim.fixed))
  }

  func constant(_ constant: Constant) throws(IngotError) -> TensorType {
    try require(
      constant.dims.allSatisfy { $0 >= 0 } && constant.dims.reduce(1, *) == constant.values.count,
      "\(constant.values.count) elements for extents \(constant.dims)")
    return TensorType(constant.dtype, constant.dims.map(Dim.fixed))
  }

  func embedding() throws(IngotError) -> TensorType {
    try require(operands[0].rank == 2, "the table must be [vocabulary, hidden]")
    try require(!operands[1].dtype.isFloat, "ids must be integers")
    return TensorType(operands[0].dtype, operands[1].dims + [operands[0].dims[1]])
  }

  func linear(_ linear: Op.Linear) throws(IngotError) -> TensorType {
    let x = operands[0]
    let weight = operands[1]
    try require(x.rank >= 1 && weight.rank == 2, "needs x [..., K] and a weight of two dims")
    try require(x.dtype.isFloat && weight.dtype.isFloat, "needs floating-point operands")
    let outputs = weight.dims[linear.transposeB ? 0 : 1]
    let inputs = weight.dims[linear.transposeB ? 1 : 0]
    try require(x.dims[x.rank - 1] == inputs, "x has \(x.dims[x.rank - 1]) inputs, the weight \(inputs)")
    let result = TensorType(x.dtype, x.dims.dropLast() + [outputs])
    if linear.hasBias {
      try require(operands[2].dims == [outputs], "the bias must be [\(outputs)]")
    }
    if linear.hasResidual, let residual = operands.last {
      try require(residual.dims == result.dims, "the residual must be \(result)")
    }
    return result
  }

  func matmul(_ transposeA: Bool, _ transposeB: Bool) throws(IngotError) -> TensorType {
    let (a, b) = (operands[0], operands[1])
    try require(a.rank >= 2 && b.rank >= 2, "needs operands of two dims or more")
    try require(a.dtype.isFloat && b.dtype.isFloat, "needs floating-point operands")
    let (rows, inner) =
      transposeA ? (a.dims[a.rank - 1], a.dims[a.rank - 2]) : (a.dims[a.rank - 2], a.dims[a.rank - 1])
    let (other, columns) =
      transposeB ? (b.dims[b.rank - 1], b.dims[b.rank - 2]) : (b.dims[b.rank - 2], b.dims[b.rank - 1])
    try require(inner == other, "inner extents \(inner) and \(other) differ")
    let batch = try broadcast(a.dims.dropLast(2), b.dims.dropLast(2))
    return TensorType(common(a.dtype, b.dtype), batch + [rows, columns])
  }

  func norm() throws(IngotError) -> TensorType {
    let x = try float()
    try require(x.rank >= 1, "needs at least one dim")
    for weight in operands.dropFirst() {
      try require(weight.dims == [x.dims[x.rank - 1]], "weight and bias must be [\(x.dims[x.rank - 1])]")
    }
    return x
  }

  func rope(_ rope: Op.Rope) throws(IngotError) -> TensorType {
    let x = try float()
    try require(x.rank == 3, "needs x [tokens, heads, head dim]")
    try require(
      operands[1].dims == [x.dims[0]] && !operands[1].dtype.isFloat,
      "positions must be integers [\(x.dims[0])]")
    let headDim = x.dims[2].value ?? Int.max
    try require(
      rope.rotaryDim > 0 && rope.rotaryDim % 2 == 0 && rope.rotaryDim <= headDim,
      "rotary dim \(rope.rotaryDim) must be even and at most the head dim \(x.dims[2])")
    return x
  }

  func attention(_ attention: Op.Attention) throws(IngotError) -> TensorType {
    let (q, k, v) = (try float(), operands[1], operands[2])
    try require(q.rank == 3 && k.rank == 3 && k.dims == v.dims, "needs q, k, v [tokens, heads, head dim]")
    try require(q.dims[0] == k.dims[0] && q.dims[2] == k.dims[2], "q and k must agree in tokens and head dim")
    if let heads = q.dims[1].value, let kvHeads = k.dims[1].value {
      try require(
        kvHeads > 0 && heads % kvHeads == 0, "\(heads) query heads do not divide into \(kvHeads) groups")
    }
    try require((attention.window ?? 1) > 0, "a window of \(attention.window ?? 0) sees nothing")
    return q
  }

  func gated() throws(IngotError) -> TensorType {
    try require(operands[0] == operands[1], "gate and up must have one type")
    return try float()
  }
}
