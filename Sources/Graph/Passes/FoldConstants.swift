internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension Pass {
  /// Computes arithmetic on scalar constants when the graph is made.
  ///
  ///     %1 = mul(2.0, 0.5)          %1 = add(x, 1.0)
  ///     %2 = add(x, %1)       →
  public static let foldConstants = Pass("fold-constants") { (graph) throws(IngotError) in
    var rewriter = Rewriter(graph)
    for (index, node) in graph.nodes.enumerated() {
      let operands = node.inputs.map { rewriter.target.scalar(rewriter.translate($0)) }
      if let folded = node.op.folded(operands) {
        let constant = Constant(dtype: node.types[0].dtype, dims: [], values: [folded])
        rewriter.replace(
          .init(node: index), by: try rewriter.append(.constant(constant), [], place: node.place))
      } else {
        try rewriter.copy(index)
      }
    }
    return try rewriter.finish()
  }
}

extension Graph {
  /// The value of a scalar constant of floats.
  fileprivate func scalar(_ value: Value) -> Double? {
    guard case .constant(let constant) = nodes[value.node].op, constant.dims.isEmpty, constant.dtype.isFloat
    else { return nil }
    return constant.values.first
  }
}

extension Op {
  fileprivate func folded(_ operands: [Double?]) -> Double? {
    if case .unary(let function) = self, let x = operands[0] {
      if function == .neg { return -x }
      if function == .sqrt { return x.squareRoot() }
      if function == .reciprocal { return 1 / x }
      if function == .exp { return exp(x) }
    }
    if case .binary(let function) = self, let a = operands[0], let b = operands[1] {
      if function == .add { return a + b }
      if function == .sub { return a - b }
      if function == .mul { return a * b }
      if function == .div { return a / b }
    }
    return nil
  }
}
