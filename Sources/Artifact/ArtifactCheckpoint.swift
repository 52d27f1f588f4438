public import CKernels
public import Checkpoints
public import Graph
public import IngotCore
public import Quantization

/// The model in an `.ingot` file as a checkpoint: whatever works on checkpoints works on it. The engine maps its
/// weights as they lie; everybody else sees their rows.
public final class ArtifactCheckpoint: PackedWeightSource {
  /// The path it was opened by.
  public let path: String
  /// The model's configuration.
  public let config: DecoderConfig
  /// Names of the tensors, matrices first.
  public let tensorNames: [String]
  /// The metadata of the GGUF file it was compiled from; nil for other sources.
  public let metadata: GGUFMetadata?
  /// The file.
  public let artifact: ArtifactFile
  /// Lengths, quantisation and quality, as the manifest says them.
  public let manifest: ArtifactManifest

  private let tensors: [String: CheckpointTensor]
  private let packed: [Parameter: PackedWeight]

  /// Names of the segments.
  package enum SegmentName {
    package static let weights = "weights"
    package static let index = "weights.json"
    package static let gguf = "metadata.gguf"
    package static let filePrefix = "files/"
  }

  /// Opens a model.
  /// - Throws: as `ArtifactFile.init`, and what is wrong with index and configuration.
  public convenience init(path: String, keys: any KeyProvider = DefaultKeys()) throws(IngotError) {
    try self.init(try ArtifactFile(path: path, keys: keys))
  }

  /// Views the model in a file that is open.
  /// - Throws: as above.
  public init(_ artifact: ArtifactFile) throws(IngotError) {
    let path = artifact.path
    (self.path, self.artifact) = (path, artifact)
    manifest = try ArtifactManifest(artifact.manifest, path: path)
    let text = try artifact.content(of: SegmentName.index)
    let weights = try artifact.content(of: SegmentName.weights)
    let document = try text.withBytes { (bytes) throws(IngotError) in try JSONParser.parse(bytes, file: path)
    }
    let index = try WeightIndex(document, byteCount: weights.byteCount, path: path)
    var tensors: [CheckpointTensor] = []
    var packed: [Parameter: PackedWeight] = [:]
    var orders: [Int: [Int32]] = [:]
    for matrix in index.matrices {
      let format = ingot_format(rawValue: matrix.format)
      let known = matrix.order.flatMap { orders[$0] }
      let order = known == nil ? try Self.order(of: matrix, in: weights, path: path) : known
      if let place = matrix.order { orders[place] = order }
      let weight = PackedWeight(
        format: format, group: matrix.group, outputs: matrix.outputs, inputs: matrix.inputs,
        inputOrder: order, in: weights.file, offset: weights.offset + matrix.offset,
        byteCount: matrix.byteCount)
      packed[matrix.parameter] = weight
      let encoding = try TiledRows.encoding(of: format, group: matrix.group)
      var first = 0
      for part in matrix.parts {
        let tiled = CheckpointTensor(
          name: part.name, encoding: encoding, shape: Shape([part.rows, matrix.inputs]),
          file: weights.file, source: TiledRows(weight, first: first, encoding: encoding))
        tensors.append(order.map { ReorderedTensor(tiled, inputOrder: $0).natural } ?? tiled)
        first += part.rows
      }
    }
    // An embedding whose tiles do not hold it exactly lies beside them as rows; its rows are what it is.
    let rows = Set(index.tensors.map(\.name))
    tensors.removeAll { rows.contains($0.name) }
    for tensor in index.tensors {
      let start = weights.offset + tensor.offset
      tensors.append(
        CheckpointTensor(
          name: tensor.name, storedName: tensor.name, encoding: tensor.encoding,
          shape: Shape(tensor.shape), file: weights.file, byteRange: start..<start + tensor.byteCount))
    }
    var gguf: MappedFile?
    if artifact.segment(named: SegmentName.gguf) != nil {
      let content = try artifact.content(of: SegmentName.gguf)
      gguf = try content.withBytes { (bytes) throws(IngotError) in try MappedFile(copying: bytes, name: path)
      }
    }
    let files = ArtifactFiles(artifact)
    (config, metadata) = try containedConfig(files: files, gguf: gguf, tensors: tensors)
    tensorNames = tensors.map(\.name)
    self.tensors = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    self.packed = packed
  }

  /// The order of a matrix's inputs.
  private static func order(
    of matrix: WeightIndex.Matrix, in weights: ArtifactContent, path: String
  ) throws(IngotError) -> [Int32]? {
    guard let start = matrix.order else { return nil }
    let order = (0..<matrix.inputs).map {
      Int32(littleEndian: weights.bytes.loadUnaligned(fromByteOffset: start + 4 * $0, as: Int32.self))
    }
    guard ReorderedTensor.isPermutation(order) else {
      throw IngotError(
        .format, "the order of the inputs names some twice",
        at: .init(file: path, tensor: matrix.parts.first?.name))
    }
    return order
  }

  /// The files of configuration and tokenizer.
  public func files() -> any FileSource { ArtifactFiles(artifact) }

  /// A tensor; see `Checkpoint`.
  public func tensor(named name: String) -> CheckpointTensor? { tensors[name] }

  /// A parameter's tiles; see `PackedWeightSource`.
  public func packedWeight(of parameter: Parameter, format: ingot_format, group: Int) -> PackedWeight? {
    guard let weight = packed[parameter], weight.descriptor.format == format,
      Int(weight.descriptor.group) == group
    else { return nil }
    return weight
  }

  /// The segment `metadataAlone(of:)` gave; nil when the model did not come from GGUF.
  /// - Throws: as `ArtifactFile.content(of:)`.
  package func metadataSegment() throws(IngotError) -> [UInt8]? {
    guard artifact.segment(named: SegmentName.gguf) != nil else { return nil }
    return try artifact.content(of: SegmentName.gguf).withBytes { [UInt8]($0) }
  }

  /// The SHA-256 of the weights: two files with the same have the same weights, bit for bit.
  public var weightDigest: String { artifact.segment(named: SegmentName.weights)?.sha256 ?? "" }

  /// What tells these weights from any others: digests of the bytes and of what they are.
  /// - Throws: `.format` when the bytes are not what their digest says, which is checked once, at about 0.6 s per GB.
  package func weightIdentity() throws(IngotError) -> String {
    let weights = try artifact.content(of: SegmentName.weights)
    guard weights.isSound() else {
      throw IngotError(
        .format, "the weights are not what was written: their SHA-256 differs", at: .init(file: path),
        hint: "fetch or compile the file again")
    }
    return "\(weights.sha256) \(artifact.segment(named: SegmentName.index)?.sha256 ?? "")"
  }

  /// Bytes of the weights.
  public var weightBytes: Int { artifact.segment(named: SegmentName.weights)?.byteCount ?? 0 }
}

/// The files that an artefact holds.
struct ArtifactFiles: FileSource {
  private let artifact: ArtifactFile
  let names: [String]
  var path: String { artifact.path }

  init(_ artifact: ArtifactFile) {
    self.artifact = artifact
    let prefix = ArtifactCheckpoint.SegmentName.filePrefix
    names = artifact.segments.map(\.name).filter { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  func file(_ name: String) throws(IngotError) -> MappedFile {
    guard names.contains(name) else {
      throw IngotError(.io, "the file holds no \(name)", at: .init(file: path))
    }
    let content = try artifact.content(of: ArtifactCheckpoint.SegmentName.filePrefix + name)
    let name = FileSystem.join(path, name)
    return try content.withBytes { (bytes) throws(IngotError) in try MappedFile(copying: bytes, name: name) }
  }
}

/// Opens whatever holds a model's weights: an `.ingot` file, or a checkpoint as `openCheckpoint` does.
/// - Parameters:
///   - keys: asked for the key of an encrypted file.
///   - verifyKey: who must have signed an `.ingot` file, which is then checked whole; nil for anybody.
/// - Throws: as `ArtifactFile.init`, `ArtifactCheckpoint.init` and `openCheckpoint`; `.argument` for a signature asked of
///   a file that can have none.
public func openWeights(
  _ path: String, keys: any KeyProvider = DefaultKeys(), verifyKey: VerifyKey? = nil
) throws(IngotError) -> any Checkpoint {
  guard ArtifactHeader.recognizes(path: path) else {
    guard verifyKey == nil else {
      throw IngotError(
        .argument, "only .ingot files are signed", at: .init(file: path), hint: "leave --verify-key out")
    }
    return try openCheckpoint(path)
  }
  return try ArtifactCheckpoint(ArtifactFile(path: path, keys: keys, verifyKey: verifyKey))
}
