public import IngotCore

extension ExportPlan {
  /// A file to come.
  public struct File: Sendable {
    /// From the export's folder.
    public var path: String
    /// Its length.
    public var byteCount: Int
    /// Ports of a model; none of a data file.
    public var inputs: [Port] = []
    /// Ports of a model.
    public var outputs: [Port] = []
  }
  /// An input or output.
  public struct Port: Sendable {
    /// Its name.
    public var name: String
    /// Its element type.
    public var dtype: DType
    /// Its extents; names for those known only when it runs.
    public var dims: [String]
  }

  /// Models and data files in the order they are written.
  public var files: [File] {
    weights.files.map { File(path: $0.path, byteCount: $0.byteCount) }
      + models.map { model in
        File(
          path: model.path, byteCount: model.byteCount, inputs: model.builder.inputs.map(Port.init),
          outputs: model.builder.outputs.map(Port.init))
      }
  }

  /// Bytes of all files.
  public var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }
}

extension ExportPlan.Port {
  fileprivate init(_ proto: Onnx_ValueInfoProto) {
    let type = Onnx_TensorProto.DataType(rawValue: Int(proto.type.tensorType.elemType))
    name = proto.name
    dtype = DType.allCases.first { $0.onnx == type } ?? .f32
    dims = proto.type.tensorType.shape.dim.map { $0.dimParam.isEmpty ? "\($0.dimValue)" : $0.dimParam }
  }
}

extension ExportPlan.Port: CustomStringConvertible {
  /// As `logits f32 [batch_size, sequence_length, 32000]`.
  public var description: String { "\(name) \(dtype) [\(dims.joined(separator: ", "))]" }
}
