internal import CKernels
package import Graph
package import IngotCore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Collects the nodes, ports and initialisers of one ONNX model.
///
/// Values are named by strings, as in the format. Names of intermediate values are made from a scope, the operator
/// and a number, so that they read well in a viewer and stay the same from run to run.
package struct ModelBuilder: Sendable {
  /// Version of the standard operators.
  package let opset: Int
  /// Prefix of the names of nodes and values made next, as `layers.3`.
  package var scope = ""
  package private(set) var nodes: [Onnx_NodeProto] = []
  package private(set) var inputs: [Onnx_ValueInfoProto] = []
  package private(set) var outputs: [Onnx_ValueInfoProto] = []
  /// Small tensors that stand in the model itself.
  package private(set) var constants: [Onnx_TensorProto] = []
  /// Weights, by the names they have in the model, in order.
  package private(set) var weights: [(names: [String], piece: WeightPiece)] = []
  private var weightNames: [WeightPiece: [String]] = [:]
  private var constantNames: [String: String] = [:]
  private var names: Set<String> = []
  private var counts: [String: Int] = [:]
  private var renamed: [String: String] = [:]
  private var domains: Set<String> = [""]

  /// An empty model.
  package init(opset: Int) { self.opset = opset }

  /// Declares an input.
  package mutating func input(_ name: String, _ dtype: DType, _ dims: [Dim]) -> String {
    inputs.append(.port(name, dtype, dims))
    names.insert(name)
    return name
  }

  /// Declares an output and gives a value its name.
  package mutating func output(_ value: String, as name: String, _ dtype: DType, _ dims: [Dim]) {
    rename(value, to: name)
    outputs.append(.port(name, dtype, dims))
  }

  /// Gives a value a name of its own: the node that makes it says that name, or, where the value is an input, a
  /// weight or an output already, an `Identity` does.
  package mutating func rename(_ value: String, to name: String) {
    let value = current(value)
    let isPort = outputs.contains { $0.name == value }
    guard value != name else { return }
    names.insert(name)
    renamed[value] = name
    guard !isPort, let maker = nodes.lastIndex(where: { $0.output.contains(value) }) else {
      append("Identity", [value], outputs: [name], attributes: [], domain: "")
      return
    }
    for index in nodes[maker].output.indices where nodes[maker].output[index] == value {
      nodes[maker].output[index] = name
    }
    for node in nodes.indices {
      for index in nodes[node].input.indices where nodes[node].input[index] == value {
        nodes[node].input[index] = name
      }
    }
  }

  /// The name that a value has by now.
  package func current(_ value: String) -> String {
    var name = value
    while let next = renamed[name] { name = next }
    return name
  }

  /// Drops nodes, constants and weights that no output depends on.
  package mutating func removeDeadNodes() {
    var needed = Set(outputs.map(\.name))
    var kept: [Onnx_NodeProto] = []
    for node in nodes.reversed() where node.output.contains(where: needed.contains) {
      needed.formUnion(node.input)
      kept.append(node)
    }
    nodes = kept.reversed()
    constants.removeAll { !needed.contains($0.name) }
    weights.removeAll { weight in !weight.names.contains(where: needed.contains) }
  }

  /// Appends a node of one result.
  package mutating func node(
    _ op: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], domain: String = ""
  ) -> String {
    node(op, inputs, attributes, results: 1, domain: domain)[0]
  }

  /// Appends a node of several results.
  package mutating func node(
    _ op: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], results: Int,
    domain: String = ""
  ) -> [String] {
    let base = unique("\(scope.isEmpty ? "" : "/" + scope)/\(op)")
    let outputs = (0..<results).map { "\(base)_output_\($0)" }
    append(op, inputs, outputs: outputs, attributes: attributes, domain: domain, name: base)
    return outputs
  }

  private mutating func append(
    _ op: String, _ inputs: [String], outputs: [String], attributes: [(String, Attribute)], domain: String,
    name: String? = nil
  ) {
    var node = Onnx_NodeProto()
    node.name = name ?? unique("/\(op)")
    (node.opType, node.input, node.output) = (op, inputs, outputs)
    if !domain.isEmpty { node.domain = domain }
    node.attribute = attributes.map { $1.proto($0) }
    domains.insert(domain)
    nodes.append(node)
  }

  private mutating func unique(_ base: String) -> String {
    let count = counts[base, default: 0]
    counts[base] = count + 1
    let name = count == 0 ? base : "\(base)_\(count)"
    return names.insert(name).inserted ? name : unique(base)
  }

  /// The names of a weight's tensors; the first is named after the parameter.
  package mutating func weight(_ piece: WeightPiece) -> [String] {
    if let known = weightNames[piece] { return known }
    let base = piece.baseName
    var names: [String] = []
    for tensor in piece.tensors {
      switch tensor.role {
      case .values: names.append(unique(piece.isQuantized ? base + "_quantized" : base))
      case .scales: names.append(unique(base + "_scales"))
      case .zeroPoints: names.append(unique(base + "_zero_points"))
      }
    }
    weightNames[piece] = names
    weights.append((names, piece))
    return names
  }

  /// An i64 tensor; a scalar when `dims` is empty.
  package mutating func ints(_ values: [Int], dims: [Int]? = nil) -> String {
    let dims = dims ?? [values.count]
    return constant(.int64, dims, key: "i64\(dims)\(values)") { data in
      for value in values { withUnsafeBytes(of: Int64(value).littleEndian) { data.append(contentsOf: $0) } }
    }
  }

  /// An i64 scalar.
  package mutating func int(_ value: Int) -> String { ints([value], dims: []) }

  /// A tensor of an element type, from numbers.
  package mutating func constant(_ dtype: DType, _ dims: [Int], _ values: [Double]) -> String {
    constant(dtype.onnx, dims, key: "\(dtype)\(dims)\(values)") { data in
      for value in values { data.append(contentsOf: dtype.bytes(of: value)) }
    }
  }

  /// A scalar.
  package mutating func scalar(_ dtype: DType, _ value: Double) -> String { constant(dtype, [], [value]) }

  private mutating func constant(
    _ type: Onnx_TensorProto.DataType, _ dims: [Int], key: String, fill: (inout Data) -> Void
  ) -> String {
    if let known = constantNames[key] { return known }
    var tensor = Onnx_TensorProto()
    tensor.name = unique("constant_\(constants.count)")
    tensor.dataType = Int32(type.rawValue)
    tensor.dims = dims.map(Int64.init)
    var data = Data()
    fill(&data)
    tensor.rawData = data
    constants.append(tensor)
    constantNames[key] = tensor.name
    return tensor.name
  }

  /// The operator sets the model needs.
  package var operatorSets: [Onnx_OperatorSetIdProto] {
    domains.sorted().map { domain in
      var set = Onnx_OperatorSetIdProto()
      set.domain = domain
      set.version = domain.isEmpty ? Int64(opset) : 1
      return set
    }
  }
}

extension WeightPiece {
  /// The name of the parameter, of its first part if it has several.
  fileprivate var baseName: String {
    switch self {
    case .dense(let parameter, _, _), .matMulNBits(let parameter, _, _, _),
      .dequantizeLinear(let parameter, _, _, _):
      parameter.parts.first?.name ?? "weight"
    case .computed(let tensor): tensor.key
    case .inputOrder(let order): order.name
    }
  }

  fileprivate var isQuantized: Bool {
    switch self {
    case .dense, .computed, .inputOrder: false
    case .matMulNBits, .dequantizeLinear: true
    }
  }
}

extension Onnx_ValueInfoProto {
  fileprivate static func port(_ name: String, _ dtype: DType, _ dims: [Dim]) -> Onnx_ValueInfoProto {
    var port = Onnx_ValueInfoProto()
    port.name = name
    port.type.tensorType.elemType = Int32(dtype.onnx.rawValue)
    port.type.tensorType.shape.dim = dims.map { dim in
      var proto = Onnx_TensorShapeProto.Dimension()
      if let value = dim.value { proto.dimValue = Int64(value) } else { proto.dimParam = dim.description }
      return proto
    }
    return port
  }
}

extension DType {
  /// The little-endian bytes of a number in this type.
  fileprivate func bytes(of value: Double) -> [UInt8] {
    func raw(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    switch self {
    case .f64: return raw(value)
    case .f32: return raw(Float(value))
    case .f16, .bf16:
      var float = Float(value)
      var half: UInt16 = 0
      if self == .f16 { ingot_f32_to_f16(&float, &half, 1) } else { ingot_f32_to_bf16(&float, &half, 1) }
      return raw(half)
    case .i64, .u64: return raw(Int64(value))
    case .i32, .u32: return raw(Int32(truncatingIfNeeded: Int64(value)))
    case .i16, .u16: return raw(Int16(truncatingIfNeeded: Int64(value)))
    case .i8, .u8: return raw(Int8(truncatingIfNeeded: Int64(value)))
    case .bool: return [value == 0 ? 0 : 1]
    }
  }
}
