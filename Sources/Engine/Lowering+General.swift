internal import CKernels
internal import Graph
internal import IngotCore

/// Round two for the operators that compute element by element or along an axis.
extension Lowering {
  mutating func emitConstant(_ index: Int, _ constant: Constant) throws(IngotError) {
    let target = address(.init(node: index))
    for (element, value) in constant.values.enumerated() {
      switch constant.dtype.storage {
      case .i64: target.storeBytes(of: Int64(value), toByteOffset: element * 8, as: Int64.self)
      case .i32: target.storeBytes(of: Int32(value), toByteOffset: element * 4, as: Int32.self)
      case .f32: target.storeBytes(of: Float(value), toByteOffset: element * 4, as: Float.self)
      case .f64, .f16, .bf16, .bool, .i16, .i8, .u64, .u32, .u16, .u8:
        throw unsupported(index, "constants are floats, i32 or i64")
      }
    }
  }

  private func requireFloats(_ index: Int) throws(IngotError) {
    for input in graph.nodes[index].inputs where graph.type(of: input).dtype.storage != .f32 {
      throw unsupported(index, "cast integers to f32 first")
    }
  }

  mutating func emitUnary(_ index: Int, _ function: Op.Unary) throws(IngotError) {
    try requireFloats(index)
    let count = extents(graph.nodes[index].types[0].dims)
    let from = UnsafePointer(try floatParameter(index, 0))
    if let kernel = function.kernel {
      plan.steps.append(.unary(kernel, from: from, to: floatResult(index), count: count))
    } else {
      plan.steps.append(.logicalNot(from: from, to: floatResult(index), count: count))
    }
  }

  mutating func emitBinary(_ index: Int, _ function: Op.Binary) throws(IngotError) {
    try requireFloats(index)
    let node = graph.nodes[index]
    let dims = node.types[0].dims
    guard dims.count <= 6 else { throw unsupported(index, "more than 6 dims") }
    func axes(_ operand: Int) -> [Bool] {
      let own = graph.type(of: node.inputs[operand]).dims
      return dims.indices.map { $0 >= dims.count - own.count && own[$0 - (dims.count - own.count)] != 1 }
    }
    plan.steps.append(
      .binary(
        BinaryStep(
          function: function.kernel, a: UnsafePointer(try floatParameter(index, 0)),
          b: UnsafePointer(try floatParameter(index, 1)), y: floatResult(index),
          dims: dims.map(symbols.extent),
          aHas: axes(0), bHas: axes(1))))
  }

  /// Operands of a matrix product as the kernel sees them: whether an operand has each batch axis.
  mutating func emitMatmul(_ index: Int, _ transposeA: Bool, _ transposeB: Bool) {
    let node = graph.nodes[index]
    let result = node.types[0].dims
    let batch = Array(result.dropLast(2))
    func axes(_ operand: Int) -> [Int] {
      let own = graph.type(of: node.inputs[operand]).dims.dropLast(2)
      return batch.indices.map {
        $0 >= batch.count - own.count && own[$0 - (batch.count - own.count)] != 1 ? 1 : 0
      }
    }
    let a = graph.type(of: node.inputs[0]).dims
    emitGemm(
      index,
      GemmStep(
        arguments: ingot_gemm_arguments(), batch: batch.map(symbols.extent),
        m: symbols.extent(result[result.count - 2]), n: symbols.extent(result[result.count - 1]),
        k: symbols.extent(transposeA ? a[a.count - 2] : a[a.count - 1]), transposeA: transposeA,
        transposeB: transposeB, aHas: axes(0), bHas: axes(1)))
  }

  private mutating func emitGemm(_ index: Int, _ step: GemmStep) {
    var step = step
    step.arguments.a = UnsafePointer(floatOperand(index, 0))
    step.arguments.b = UnsafePointer(floatOperand(index, 1))
    step.arguments.y = floatResult(index)
    reserveScratch(
      ingot_gemm_scratch_bytes(
        Int64(step.m.value(maxima)), Int64(step.n.value(maxima)), Int64(step.k.value(maxima)),
        Int32(runtime.threads)))
    plan.steps.append(.gemm(step))
  }

  /// A linear layer whose weight is computed, given by the caller, or stored [K, N].
  mutating func emitLinearOnValues(_ index: Int, _ linear: Op.Linear) throws(IngotError) {
    let node = graph.nodes[index]
    let x = graph.type(of: node.inputs[0]).dims
    guard x.count == 2 || x.allSatisfy({ $0.value != nil }), locations[node.inputs[0]]?.rowStride == nil
    else {
      throw unsupported(index, "x must be dense with at most its rows named")
    }
    let outputs = node.types[0].dims.last ?? 1
    let rows = x.dropLast().reduce(Dim.fixed(1)) { product, dim in dim.value.map { product * $0 } ?? dim }
    var step = GemmStep(
      arguments: ingot_gemm_arguments(), batch: [], m: symbols.extent(rows), n: symbols.extent(outputs),
      k: symbols.extent(x.last ?? 1), transposeA: false, transposeB: linear.transposeB, aHas: [], bHas: [])
    step.arguments.a = UnsafePointer(try floatParameter(index, 0))
    step.arguments.b = UnsafePointer(try floatParameter(index, 1))
    step.arguments.y = floatResult(index)
    reserveScratch(
      ingot_gemm_scratch_bytes(
        Int64(step.m.value(maxima)), Int64(step.n.value(maxima)), Int64(step.k.value(maxima)),
        Int32(runtime.threads)))
    plan.steps.append(.gemm(step))
    for operand in node.inputs.indices.dropFirst(2) {
      // y = y + operand: the bias along rows, the residual everywhere.
      let isBias = linear.hasBias && operand == 2
      plan.steps.append(
        .binary(
          BinaryStep(
            function: INGOT_ADD, a: UnsafePointer(floatResult(index)),
            b: UnsafePointer(try floatParameter(index, operand)), y: floatResult(index),
            dims: [symbols.extent(rows), symbols.extent(outputs)], aHas: [true, true], bHas: [!isBias, true]))
      )
    }
  }

  mutating func emitSoftmax(_ index: Int, _ axis: Int) throws(IngotError) {
    let dims = graph.nodes[index].types[0].dims
    guard axis == -1 || axis == dims.count - 1 else {
      throw unsupported(index, "only the last axis; permute first")
    }
    plan.steps.append(
      .softmax(
        from: UnsafePointer(floatOperand(index, 0)), to: floatResult(index), rows: extents(dims.dropLast()),
        width: symbols.extent(dims[dims.count - 1])))
  }

  mutating func emitReduce(_ index: Int, _ reduction: Op.Reduction, _ axis: Int) throws(IngotError) {
    try requireFloats(index)
    let dims = graph.type(of: graph.nodes[index].inputs[0]).dims
    let axis = axis < 0 ? axis + dims.count : axis
    plan.steps.append(
      .reduce(
        reduction.kernel, from: UnsafePointer(floatOperand(index, 0)), to: floatResult(index),
        ReduceExtents(
          outer: extents(dims[..<axis]), axis: symbols.extent(dims[axis]), inner: extents(dims[(axis + 1)...])
        )))
  }

  mutating func emitSort(_ index: Int, descending: Bool) throws(IngotError) {
    try requireFloats(index)
    let node = graph.nodes[index]
    let dims = graph.type(of: node.inputs[0]).dims
    plan.steps.append(
      .sort(
        SortStep(
          x: UnsafePointer(floatOperand(index, 0)), values: floatResult(index),
          indices: address(.init(node: index, output: 1)).assumingMemoryBound(to: Int64.self),
          rows: extents(dims.dropLast()), width: symbols.extent(dims[dims.count - 1]),
          kept: symbols.extent(node.types[0].dims[dims.count - 1]), descending: descending)))
  }

  mutating func emitCast(_ index: Int, _ dtype: DType) throws(IngotError) {
    if isView(index) { return }
    let node = graph.nodes[index]
    plan.steps.append(
      .convert(
        ConvertStep(
          from: graph.type(of: node.inputs[0]).dtype, to: dtype, x: UnsafeRawPointer(operand(index, 0)),
          y: address(.init(node: index)), count: extents(node.types[0].dims))))
  }
}

extension Op.Unary {
  /// The kernel's number; nil for logical not, which is a comparison.
  var kernel: ingot_unary? {
    switch self {
    case .neg: INGOT_NEG
    case .abs: INGOT_ABS
    case .exp: INGOT_EXP
    case .log: INGOT_LOG
    case .sqrt: INGOT_SQRT
    case .rsqrt: INGOT_RSQRT
    case .cos: INGOT_COS
    case .sin: INGOT_SIN
    case .tanh: INGOT_TANH
    case .sigmoid: INGOT_SIGMOID
    case .silu: INGOT_SILU
    case .relu: INGOT_RELU
    case .gelu: INGOT_GELU
    case .geluTanh: INGOT_GELU_TANH
    case .quickGelu: INGOT_QUICK_GELU
    case .reciprocal: INGOT_RECIPROCAL
    case .logicalNot: nil
    }
  }
}

extension Op.Binary {
  var kernel: ingot_binary {
    switch self {
    case .add: INGOT_ADD
    case .sub: INGOT_SUB
    case .mul: INGOT_MUL
    case .div: INGOT_DIV
    case .max: INGOT_MAX
    case .min: INGOT_MIN
    case .pow: INGOT_POW
    case .equal: INGOT_EQ
    case .notEqual: INGOT_NE
    case .less: INGOT_LT
    case .lessEqual: INGOT_LE
    case .greater: INGOT_GT
    case .greaterEqual: INGOT_GE
    case .logicalAnd: INGOT_AND
    case .logicalOr: INGOT_OR
    }
  }
}

extension Op.Reduction {
  var kernel: ingot_reduction {
    switch self {
    case .sum: INGOT_SUM
    case .mean: INGOT_MEAN
    case .amax: INGOT_AMAX
    case .amin: INGOT_AMIN
    case .norm: INGOT_NORM
    case .std: INGOT_STD
    }
  }
}
