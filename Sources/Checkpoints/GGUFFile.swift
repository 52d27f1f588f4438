public import IngotCore

/// One GGUF file, versions 2 and 3: metadata and tensors, as they stand there.
///
/// `openCheckpoint` gives the tensors their Hugging Face names and row order.
public struct GGUFFile: Sendable {
  /// Largest alignment accepted.
  public static let maximumAlignment = 65_536

  /// The key-value pairs.
  public let metadata: GGUFMetadata
  /// The tensors in the order of the header.
  public let tensors: [CheckpointTensor]

  /// Maps a file and checks its header.
  /// - Throws: `.io`; `.format` naming key or tensor; `.unsupported` for a version or type not read.
  public init(path: String) throws(IngotError) { try self.init(MappedFile(path: path)) }

  /// Checks the header of a mapped file.
  /// - Throws: as `init(path:)`.
  public init(_ file: MappedFile) throws(IngotError) { try self.init(file) { _ in nil } }

  /// Checks the header and renames the tensors, where `naming` knows how.
  init(
    _ file: MappedFile, naming: (GGUFMetadata) throws(IngotError) -> GGUFNames?
  ) throws(IngotError) {
    var reader = GGUFHeaderReader(file)
    let (metadata, infos, infoEnd) = try reader.header()
    let alignment = try Self.alignment(metadata, file: file)
    let dataStart = (infoEnd + alignment - 1) / alignment * alignment
    let names = try naming(metadata)
    var tensors: [CheckpointTensor] = []
    var seen: Set<String> = []
    for info in infos {
      guard seen.insert(info.name).inserted else {
        throw IngotError(.format, "two tensors have this name", at: info.place)
      }
      let name = names?.huggingFaceName(info.name) ?? info.name
      let tensor = try info.tensor(
        in: file, dataStart: dataStart, alignment: alignment, name: name
      ) { names?.rowOrder(info.name, shape: $0) ?? .natural }
      tensors.append(tensor)
    }
    try Self.checkOverlap(tensors)
    (self.metadata, self.tensors) = (metadata, tensors)
  }

  private static func alignment(
    _ metadata: GGUFMetadata, file: MappedFile
  ) throws(IngotError) -> Int {
    let key = "general.alignment"
    guard let value = try metadata.integer(key) else { return 32 }
    guard value > 0, value <= maximumAlignment, value & (value - 1) == 0 else {
      throw IngotError(
        .format, "an alignment of \(value) is no power of two up to \(maximumAlignment)",
        at: .init(file: file.path, key: key))
    }
    return value
  }

  private static func checkOverlap(_ tensors: [CheckpointTensor]) throws(IngotError) {
    var end = 0
    let inOrder = tensors.filter { !$0.byteRange.isEmpty }
      .sorted { $0.byteRange.lowerBound < $1.byteRange.lowerBound }
    for tensor in inOrder {
      guard tensor.byteRange.lowerBound >= end else {
        throw tensor.error(.format, "its data overlaps another tensor's")
      }
      end = tensor.byteRange.upperBound
    }
  }
}
