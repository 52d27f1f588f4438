internal import IngotCore

/// Result types of the operators that compute element by element, along an axis, or only move elements.
extension Checker {
  func binary(_ function: Op.Binary) throws(IngotError) -> TensorType {
    let dims = try broadcast(operands[0].dims, operands[1].dims)
    return TensorType(function.isPredicate ? .bool : common(operands[0].dtype, operands[1].dtype), dims)
  }

  func gather(_ axis: Int) throws(IngotError) -> TensorType {
    let index = try self.axis(axis)
    try require(!operands[1].dtype.isFloat, "indices must be integers")
    let dims = operands[0].dims
    return TensorType(operands[0].dtype, dims[..<index] + operands[1].dims + dims[(index + 1)...])
  }

  func reduce(_ axis: Int, _ keepDims: Bool) throws(IngotError) -> TensorType {
    let index = try self.axis(axis)
    var dims = operands[0].dims
    if keepDims { dims[index] = 1 } else { dims.remove(at: index) }
    return TensorType(operands[0].dtype, dims)
  }

  func topK(_ count: Int) throws(IngotError) -> [TensorType] {
    let last = try axis(-1)
    var dims = operands[0].dims
    try require(count > 0 && count <= dims[last].value ?? Int.max, "the largest \(count) of \(dims[last])")
    dims[last] = .fixed(count)
    return [TensorType(operands[0].dtype, dims), TensorType(.i64, dims)]
  }

  func reshape(_ targets: [ReshapeDim]) throws(IngotError) -> TensorType {
    let x = operands[0]
    // Names cancel pairwise; what is left on both sides must be numbers.
    var names: [Dim] = x.dims.filter { $0.value == nil }
    var left = x.dims.reduce(1) { $0 * ($1.value ?? 1) }
    var dims: [Dim] = []
    var inferred: Int?
    for target in targets {
      switch target {
      case .keep(let axis): dims.append(x.dims[try self.axis(axis)])
      case .fixed(let value): dims.append(.fixed(value))
      case .infer:
        try require(inferred == nil, "only one extent can be inferred")
        inferred = dims.count
        dims.append(1)
      }
    }
    for (index, dim) in dims.enumerated() where index != inferred {
      if let value = dim.value {
        try require(
          value > 0 && left % value == 0 || value == left, "cannot become \(dims.map(\.description))")
        left = value == 0 ? 1 : left / value
      } else {
        guard let match = names.firstIndex(of: dim) else {
          throw error("cannot become \(dims.map(\.description))")
        }
        names.remove(at: match)
      }
    }
    if let inferred {
      try require(names.count <= 1, "the inferred extent would be a product of names")
      dims[inferred] = (names.first ?? 1) * left
    } else {
      try require(names.isEmpty && left == 1, "cannot become \(dims.map(\.description))")
    }
    return TensorType(x.dtype, dims)
  }

  func permute(_ order: [Int]) throws(IngotError) -> TensorType {
    try require(order.sorted() == Array(0..<operands[0].rank), "\(order) is not an order of its axes")
    return TensorType(operands[0].dtype, order.map { operands[0].dims[$0] })
  }

  func slice(_ axis: Int, _ start: Int, _ end: Int, _ step: Int) throws(IngotError) -> TensorType {
    let index = try self.axis(axis)
    try require(start >= 0 && end >= start && step > 0, "cannot take \(start)..<\(end) by \(step)")
    var dims = operands[0].dims
    if let extent = dims[index].value {
      try require(end <= extent, "\(start)..<\(end) leaves the extent \(extent)")
    }
    dims[index] = .fixed((end - start + step - 1) / step)
    return TensorType(operands[0].dtype, dims)
  }

  func concat(_ axis: Int) throws(IngotError) -> TensorType {
    let index = try self.axis(axis)
    var result = operands[0]
    for operand in operands.dropFirst() {
      try require(operand.rank == result.rank && operand.dtype == result.dtype, "operands must be alike")
      for other in result.dims.indices where other != index {
        try require(operand.dims[other] == result.dims[other], "operands differ along axis \(other)")
      }
      result.dims[index] = result.dims[index] + operand.dims[index]
    }
    return result
  }

  func split(_ axis: Int, _ sizes: [Int]) throws(IngotError) -> [TensorType] {
    let index = try self.axis(axis)
    try require(
      !sizes.isEmpty && sizes.allSatisfy { $0 > 0 } && operands[0].dims[index] == .fixed(sizes.reduce(0, +)),
      "sizes \(sizes) do not add up to \(operands[0].dims[index])")
    return sizes.map { size in
      var type = operands[0]
      type.dims[index] = .fixed(size)
      return type
    }
  }

  func tile(_ repeats: [Int]) throws(IngotError) -> TensorType {
    let x = operands[0]
    try require(repeats.count == x.rank && repeats.allSatisfy { $0 > 0 }, "needs a positive count per axis")
    return TensorType(x.dtype, zip(x.dims, repeats).map { $0 * $1 })
  }
}
