internal import IngotCore

extension Op {
  /// The types of the results for operands of these types.
  /// - Throws: `.shape` naming operator, operand types and the recording line.
  func resultTypes(_ operands: [TensorType], place: String) throws(IngotError) -> [TensorType] {
    let checker = Checker(op: self, operands: operands, place: place)
    try checker.requireArity()
    switch self {
    case .input: throw checker.error("an input has a declared type")
    case .parameter(let parameter): return [try checker.parameter(parameter)]
    case .constant(let constant): return [try checker.constant(constant)]
    case .embedding: return [try checker.embedding()]
    case .gather(let axis): return [try checker.gather(axis)]
    case .linear(let linear): return [try checker.linear(linear)]
    case .matmul(let a, let b): return [try checker.matmul(a, b)]
    case .rmsNorm, .layerNorm: return [try checker.norm()]
    case .rope(let rope): return [try checker.rope(rope)]
    case .attention(let attention): return [try checker.attention(attention)]
    case .unary(let function): return [function == .logicalNot ? checker.with(.bool) : try checker.float()]
    case .binary(let function): return [try checker.binary(function)]
    case .gated: return [try checker.gated()]
    case .cast(let dtype): return [checker.with(dtype)]
    case .softmax(let axis):
      _ = try checker.axis(axis)
      return [try checker.float()]
    case .reduce(_, let axis, let keepDims): return [try checker.reduce(axis, keepDims)]
    case .topK(let count): return try checker.topK(count)
    case .sort: return [operands[0], checker.with(.i64)]
    case .reshape(let dims): return [try checker.reshape(dims)]
    case .permute(let order): return [try checker.permute(order)]
    case .slice(let axis, let start, let end, let step):
      return [try checker.slice(axis, start, end, step)]
    case .concat(let axis): return [try checker.concat(axis)]
    case .split(let axis, let sizes): return try checker.split(axis, sizes)
    case .tile(let repeats): return [try checker.tile(repeats)]
    }
  }

  /// How many operands the operator takes.
  fileprivate var arity: ClosedRange<Int> {
    switch self {
    case .input, .parameter, .constant: 0...0
    case .embedding, .gather, .matmul, .rmsNorm, .rope, .binary, .gated: 2...2
    case .linear(let linear):
      (2 + (linear.hasBias ? 1 : 0) + (linear.hasResidual ? 1 : 0)).asRange
    case .layerNorm: 3...3
    case .attention(let attention): attention.cache == .none ? 3...3 : 7...7
    case .unary, .cast, .softmax, .reduce, .topK, .sort, .reshape, .permute, .slice, .split, .tile: 1...1
    case .concat: 1...Int.max
    }
  }
}

extension Int {
  fileprivate var asRange: ClosedRange<Int> { self...self }
}

/// Checks one operator's operands; the rules of each kind of operator are in `Inference+….swift`.
struct Checker {
  let op: Op
  let operands: [TensorType]
  let place: String

  func error(_ what: String) -> IngotError {
    let types = operands.map(\.description).joined(separator: ", ")
    return IngotError(.shape, "\(op.name)(\(types)): \(what)", at: .init(line: place))
  }

  func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(IngotError) {
    guard condition else { throw error(what()) }
  }

  func requireArity() throws(IngotError) {
    try require(
      op.arity.contains(operands.count), "takes \(op.arity.lowerBound) operands, got \(operands.count)")
  }

  /// The first operand's type with another element type.
  func with(_ dtype: DType) -> TensorType { TensorType(dtype, operands[0].dims) }

  /// The first operand's type, which must be of floats.
  func float() throws(IngotError) -> TensorType {
    try require(operands[0].dtype.isFloat, "needs floating-point operands")
    return operands[0]
  }

  /// An axis of the first operand, counted from the end when negative.
  func axis(_ axis: Int) throws(IngotError) -> Int {
    let rank = operands[0].rank
    let index = axis < 0 ? axis + rank : axis
    try require(index >= 0 && index < rank, "axis \(axis) of a tensor with \(rank) dims")
    return index
  }

  /// The element type two float operands give: the wider of the two, f32 for f16 with bf16.
  func common(_ a: DType, _ b: DType) -> DType {
    if a == b { return a }
    if a.isFloat && b.isFloat { return a == .f64 || b == .f64 ? .f64 : .f32 }
    if a.isFloat { return a }
    if b.isFloat { return b }
    return a.byteCount >= b.byteCount ? a : b
  }

  /// NumPy's broadcast of two lists of extents.
  func broadcast(_ a: [Dim], _ b: [Dim]) throws(IngotError) -> [Dim] {
    let rank = max(a.count, b.count)
    var dims: [Dim] = []
    for index in 0..<rank {
      let left = index < rank - a.count ? 1 : a[index - (rank - a.count)]
      let right = index < rank - b.count ? 1 : b[index - (rank - b.count)]
      try require(left == right || left == 1 || right == 1, "extents \(left) and \(right) do not broadcast")
      dims.append(left == 1 ? right : left)
    }
    return dims
  }
}
