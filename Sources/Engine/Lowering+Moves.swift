internal import CKernels
internal import Graph
internal import IngotCore

/// Round two for the operators that only move elements: strided copies.
extension Lowering {
  /// Strides of a dense tensor, one per dim.
  private func strides(_ dims: [Dim]) -> [StrideExtent] {
    dims.indices.map { axis in
      StrideExtent(factor: 1, extents: dims[(axis + 1)...].map(symbols.extent))
    }
  }

  private func copy(_ index: Int, from operand: Int, to output: Int, dims: [Dim]) -> CopyStep {
    let value = graph.nodes[index].inputs[operand]
    let result = Graph.Value(node: index, output: output)
    return CopyStep(
      elementBytes: Int32(graph.type(of: value).dtype.storage.byteCount),
      x: UnsafeRawPointer(self.operand(index, operand)), y: address(result), dims: dims.map(symbols.extent),
      xStrides: strides(graph.type(of: value).dims), yStrides: strides(graph.type(of: result).dims),
      xOffset: StrideExtent(factor: 0), yOffset: StrideExtent(factor: 0))
  }

  mutating func emitMove(_ index: Int) throws(IngotError) {
    if isView(index) { return }
    let node = graph.nodes[index]
    let x = graph.type(of: node.inputs[0])
    guard x.rank <= 8 else { throw unsupported(index, "more than 8 dims") }
    for input in node.inputs where parameter(input) != nil {
      throw unsupported(index, "parameters are not moved; use them where they are needed")
    }
    if case .permute(let order) = node.op {
      var step = copy(index, from: 0, to: 0, dims: node.types[0].dims)
      step.xStrides = order.map { step.xStrides[$0] }
      plan.steps.append(.copy(step))
    }
    if case .slice(let axis, let start, _, let stride) = node.op {
      let axis = axis < 0 ? axis + x.rank : axis
      var step = copy(index, from: 0, to: 0, dims: node.types[0].dims)
      step.xOffset = step.xStrides[axis]
      step.xOffset.factor *= start
      step.xStrides[axis].factor *= stride
      plan.steps.append(.copy(step))
    }
    if case .split(let axis, let sizes) = node.op {
      let axis = axis < 0 ? axis + x.rank : axis
      var start = 0
      for (output, size) in sizes.enumerated() {
        var step = copy(index, from: 0, to: output, dims: node.types[output].dims)
        step.xOffset = step.xStrides[axis]
        step.xOffset.factor *= start
        plan.steps.append(.copy(step))
        start += size
      }
    }
    if case .concat(let axis) = node.op { emitConcat(index, axis < 0 ? axis + x.rank : axis) }
    if case .tile(let repeats) = node.op { try emitTile(index, repeats) }
  }

  private mutating func emitConcat(_ index: Int, _ axis: Int) {
    let node = graph.nodes[index]
    var start = Dim.fixed(0)
    for (operand, input) in node.inputs.enumerated() {
      let dims = graph.type(of: input).dims
      var step = copy(index, from: operand, to: 0, dims: dims)
      step.yOffset = step.yStrides[axis]
      step.yOffset.extents.append(symbols.extent(start))
      plan.steps.append(.copy(step))
      start = start + dims[axis]
    }
  }

  /// One axis at a time becomes two, (repeat, extent), of which the first has stride 0 in x.
  private mutating func emitTile(_ index: Int, _ repeats: [Int]) throws(IngotError) {
    let x = graph.type(of: graph.nodes[index].inputs[0]).dims
    guard x.count * 2 <= 8 else { throw unsupported(index, "more than 4 dims") }
    var step = copy(index, from: 0, to: 0, dims: x)
    let (xStrides, yStrides) = (step.xStrides, step.yStrides)
    step.dims = []
    step.xStrides = []
    step.yStrides = []
    for axis in x.indices {
      step.dims += [.fixed(repeats[axis]), symbols.extent(x[axis])]
      step.xStrides += [StrideExtent(factor: 0), xStrides[axis]]
      var outer = yStrides[axis]
      outer.extents.append(symbols.extent(x[axis]))
      step.yStrides += [outer, yStrides[axis]]
    }
    plan.steps.append(.copy(step))
  }

  /// Closes the gaps between an operand's rows.
  mutating func emitDenseCopy(_ index: Int, _ operand: Int) {
    let value = graph.nodes[index].inputs[operand]
    guard let buffer = dense[OperandKey(node: index, operand: operand)], let y = buffers[buffer].address
    else { return }
    plan.steps.append(.copy(denseCopy(of: value, to: y)))
  }

  func denseCopy(of value: Graph.Value, to y: UnsafeMutableRawPointer) -> CopyStep {
    let type = graph.type(of: value)
    let width = type.dims.dropFirst().reduce(1) { $0 * ($1.value ?? 1) }
    return CopyStep(
      elementBytes: Int32(type.dtype.storage.byteCount), x: UnsafeRawPointer(address(value)), y: y,
      dims: [symbols.extent(type.dims[0]), .fixed(width)],
      xStrides: [StrideExtent(factor: locations[value]?.rowStride ?? width), StrideExtent(factor: 1)],
      yStrides: [StrideExtent(factor: width), StrideExtent(factor: 1)], xOffset: StrideExtent(factor: 0),
      yOffset: StrideExtent(factor: 0))
  }

  mutating func emitGather(_ index: Int, _ axis: Int) throws(IngotError) {
    let node = graph.nodes[index]
    let dims = graph.type(of: node.inputs[0]).dims
    let axis = axis < 0 ? axis + dims.count : axis
    let indices = graph.type(of: node.inputs[1])
    guard indices.dtype == .i64 || indices.dtype == .i32 else {
      throw unsupported(index, "indices must be i64 or i32")
    }
    plan.steps.append(
      .gatherRows(
        GatherStep(
          elementBytes: graph.type(of: node.inputs[0]).dtype.storage.byteCount,
          x: UnsafeRawPointer(operand(index, 0)), indices: UnsafeRawPointer(operand(index, 1)),
          indexIsWide: indices.dtype == .i64, y: address(.init(node: index)), outer: extents(dims[..<axis]),
          axis: symbols.extent(dims[axis]), inner: extents(dims[(axis + 1)...]), count: extents(indices.dims))
      ))
  }
}
