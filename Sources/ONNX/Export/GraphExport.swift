public import Checkpoints
public import Graph
public import IngotCore
internal import SwiftProtobuf

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Writes any graph as one ONNX model with its inputs and outputs under their own names; weights lie in the file.
/// - Parameters:
///   - checkpoint: where parameters are read; nil for a graph without.
///   - rotary: the angles of each rotary table.
///   - opset: version of the standard operators, 13 to 23.
/// - Throws: `.unsupported` for what the opset cannot say, or attention over a paged cache; `.argument`; `.limit`
///   beyond 2 GB; `.io`.
public func exportONNX(
  _ graph: Graph, _ checkpoint: (any Checkpoint)? = nil, rotary: [String: RotaryFrequencies] = [:],
  opset: Int = 17, to path: String
) throws(IngotError) {
  guard (13...23).contains(opset) else {
    throw IngotError(.argument, "opset \(opset) is not offered; 13 to 23 are")
  }
  for node in graph.nodes {
    guard case .attention(let attention) = node.op, attention.cache != .none else { continue }
    throw IngotError(
      .unsupported, "attention over a paged cache has no place in a single graph",
      at: .init(line: node.place),
      hint: "export the model's checkpoint, or use causalAttention")
  }
  var builder = ModelBuilder(opset: opset)
  var inputs: [String: String] = [:]
  for (name, value) in graph.inputs {
    let type = graph.type(of: value)
    inputs[name] = builder.input(name, type.dtype, type.dims)
  }
  var style = LoweringStyle()
  style.rotary = rotary.mapValues { .fixed($0) }
  var lowering = GraphLowering(graph, builder, style: style, cache: CachePorts(), inputs: inputs)
  let results = try lowering.run()
  builder = lowering.builder
  for output in graph.outputs {
    guard let value = results[output.name] else { continue }
    let type = graph.type(of: output.value)
    builder.output(builder.current(value), as: output.name, type.dtype, type.dims)
  }
  builder.removeDeadNodes()
  try write(builder, checkpoint, to: path)
}

private func write(
  _ builder: ModelBuilder, _ checkpoint: (any Checkpoint)?, to path: String
) throws(IngotError) {
  var proto = Onnx_ModelProto(builder, name: path.stem)
  for (names, piece) in builder.weights {
    guard let checkpoint else {
      throw IngotError(.argument, "the graph has parameters, and no checkpoint was given")
    }
    let bytes = try WeightWriter(checkpoint, jobs: 1).bytes(of: piece)
    for (index, tensor) in piece.tensors.enumerated() {
      var weight = Onnx_TensorProto(names[index], tensor)
      weight.rawData = Data(bytes[index])
      proto.graph.initializer.append(weight)
    }
  }
  let bytes: [UInt8]
  do { bytes = try proto.serializedBytes() } catch {
    throw IngotError(.limit, "the model cannot be written: \(error)", at: .init(file: path))
  }
  let file = try AtomicFile(path: path)
  try file.write(bytes)
  try file.commit()
}
