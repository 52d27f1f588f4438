extension Onnx_ModelProto {
  /// A model of everything but its weights.
  init(_ builder: ModelBuilder, name: String) {
    self.init()
    irVersion = Int64(version(opset: builder.opset))
    producerName = "ingot"
    opsetImport = builder.operatorSets
    graph.name = name
    graph.node = builder.nodes
    (graph.input, graph.output) = (builder.inputs, builder.outputs)
    graph.initializer = builder.constants
  }
}

extension Onnx_TensorProto {
  /// A weight without its elements.
  init(_ name: String, _ tensor: WeightTensor) {
    self.init()
    self.name = name
    dataType = Int32(tensor.type.rawValue)
    dims = tensor.dims.map(Int64.init)
  }
}

/// The version of the container that knows what an opset says.
/// Source: the table in ONNX's `Versioning.md`.
private func version(opset: Int) -> Int {
  switch opset {
  case ...14: 7
  case ...18: 8
  case ...20: 9
  case ...22: 10
  default: 11
  }
}
