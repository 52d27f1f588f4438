public import IngotCore

/// One `.safetensors` file: a JSON header and the data of its tensors.
/// Source: https://github.com/huggingface/safetensors, "Format".
public struct SafetensorsFile: Sendable {
  /// Longest header read, as in the reference implementation.
  public static let maximumHeaderBytes = 100_000_000

  /// The tensors in the order of the header.
  public let tensors: [CheckpointTensor]
  /// The texts under `__metadata__`.
  public let metadata: [String: String]

  /// Maps a file and checks its header.
  /// - Throws: `.io`; `.format` naming the tensor at fault; `.unsupported` for a dtype not read.
  public init(path: String) throws(IngotError) { try self.init(MappedFile(path: path)) }

  /// Checks the header of a mapped file.
  /// - Throws: as `init(path:)`.
  public init(_ file: MappedFile) throws(IngotError) {
    let (header, dataStart) = try Self.header(of: file)
    var tensors: [CheckpointTensor] = []
    var names: Set<String> = []
    var metadata: [String: String] = [:]
    for member in header.members {
      guard names.insert(member.key).inserted else {
        throw IngotError(
          .format, "the header lists a name twice", at: .init(file: file.path, tensor: member.key))
      }
      if member.key == "__metadata__" {
        metadata = try Self.metadata(member.value, file: file)
      } else {
        let entry = SafetensorsEntry(name: member.key, json: member.value, file: file, dataStart: dataStart)
        tensors.append(try entry.tensor())
      }
    }
    try Self.checkCoverage(tensors, file: file, dataStart: dataStart)
    (self.tensors, self.metadata) = (tensors, metadata)
  }

  private static func header(of file: MappedFile) throws(IngotError) -> (JSONObject, dataStart: Int) {
    func broken(_ what: String, hint: String? = nil) -> IngotError {
      IngotError(.format, what, at: .init(file: file.path, offset: 0), hint: hint)
    }
    guard file.byteCount >= 8 else {
      throw broken("a file of \(file.byteCount) bytes is no safetensors file")
    }
    var reader = ByteReader(file)
    let length = try reader.read(UInt64.self)
    guard length <= UInt64(maximumHeaderBytes) else {
      throw broken("a header of \(length) bytes is longer than the \(maximumHeaderBytes) allowed")
    }
    guard length <= UInt64(reader.remaining) else {
      throw broken(
        "a header of \(length) bytes does not fit in the file's \(file.byteCount)",
        hint: "the download may be incomplete; fetch the file again")
    }
    let bytes = try reader.take(Int(length))
    guard bytes.first == UInt8(ascii: "{") else { throw broken("the header is not a JSON object") }
    guard let object = try JSONParser.parse(bytes, file: file.path, baseOffset: 8).object else {
      throw broken("the header is not a JSON object")
    }
    return (object, reader.offset)
  }

  private static func metadata(
    _ json: JSONValue, file: MappedFile
  ) throws(IngotError) -> [String: String] {
    func broken(_ key: String) -> IngotError {
      IngotError(.format, "metadata must be texts by name", at: .init(file: file.path, key: key))
    }
    guard let object = json.object else { throw broken("__metadata__") }
    var texts: [String: String] = [:]
    for member in object.members {
      guard let text = member.value.string else { throw broken("__metadata__.\(member.key)") }
      texts[member.key] = text
    }
    return texts
  }

  /// Checks that the tensors fill the data exactly: no overlap, no hole, nothing after the last.
  private static func checkCoverage(
    _ tensors: [CheckpointTensor], file: MappedFile, dataStart: Int
  ) throws(IngotError) {
    var end = dataStart
    let inOrder = tensors.sorted { a, b in
      (a.byteRange.lowerBound, a.byteRange.upperBound) < (b.byteRange.lowerBound, b.byteRange.upperBound)
    }
    for tensor in inOrder {
      let start = tensor.byteRange.lowerBound
      guard start >= end else { throw tensor.error(.format, "its data overlaps another tensor's") }
      guard start == end else {
        throw tensor.error(.format, "\(start - end) bytes before its data belong to no tensor")
      }
      end = tensor.byteRange.upperBound
    }
    guard end == file.byteCount else {
      throw IngotError(
        .format, "the last \(file.byteCount - end) bytes belong to no tensor",
        at: .init(file: file.path, offset: end))
    }
  }
}
