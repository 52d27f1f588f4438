internal import Artifact
public import Checkpoints
internal import Generation
public import IngotCore

/// What a benchmark calls a model.
public struct ModelDescription: Sendable, Equatable {
  /// The path it was opened by.
  public var path: String
  /// Family and what most of its weights are stored as: `llama Q4_1`.
  public var name: String
  /// Bytes of its tensors, or of its files in ONNX.
  public var byteCount: Int
  /// Weights; nil where nothing says.
  public var parameterCount: Int?

  /// Takes all.
  public init(path: String, name: String, byteCount: Int, parameterCount: Int?) {
    (self.path, self.name) = (path, name)
    (self.byteCount, self.parameterCount) = (byteCount, parameterCount)
  }

  /// Looks at a checkpoint's tensors, without reading them.
  public init(_ checkpoint: any Checkpoint) {
    // A head that is the embedding under a second name is not counted twice.
    var seen: Set<String> = []
    let tensors = checkpoint.tensorNames.compactMap { checkpoint.tensor(named: $0) }.filter {
      seen.insert($0.identity).inserted
    }
    var sizes: [String: Int] = [:]
    for tensor in tensors { sizes[tensor.encoding.description, default: 0] += tensor.byteRange.count }
    let encoding = sizes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    self.init(
      path: checkpoint.path,
      name: checkpoint.config.modelType + (encoding.map { " " + $0 } ?? ""),
      byteCount: tensors.reduce(0) { $0 + $1.byteRange.count },
      parameterCount: tensors.reduce(0) { $0 + $1.shape.count })
  }

  /// Looks at whatever `ingot run` opens.
  /// - Throws: errors of the files.
  public static func of(_ path: String) throws(IngotError) -> ModelDescription {
    guard isONNXExport(path) else { return ModelDescription(try openWeights(path)) }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return ModelDescription(
      path: path, name: name, byteCount: bytes(under: path, levels: 3), parameterCount: nil)
  }

  private static func bytes(under path: String, levels: Int) -> Int {
    switch FileSystem.item(at: path) {
    case .file: return (try? MappedFile(path: path).bytes.count) ?? 0
    case .directory:
      guard levels > 0, let names = try? FileSystem.names(in: path) else { return 0 }
      return names.reduce(0) { $0 + bytes(under: FileSystem.join(path, $1), levels: levels - 1) }
    case .other, .missing: return 0
    }
  }
}
