internal import IngotCore
internal import ONNXRuntime

/// Values between layers that a model names `hidden_states.{i}`, as our exports do, and a session that gives them out.
struct HiddenOutputs {
  private let path: String
  /// In the order of layers.
  let names: [String]

  /// Looks for the names in a model's file.
  init(path: String) {
    self.path = path
    let found = Set(OperatorScan.outputs(ofFile: path) { $0.starts(with: "hidden_states.".utf8) })
    var names: [String] = []
    while found.contains("hidden_states.\(names.count)") { names.append("hidden_states.\(names.count)") }
    self.names = names
  }

  /// Loads the model once more, with the values as outputs.
  /// - Throws: as `OrtSession`.
  func session(_ context: ONNXContext) throws(IngotError) -> OrtSession {
    let file = try MappedFile(path: path)
    var bytes = Array(file.bytes)
    // Messages one after another are one message: lists of the second follow those of the first.
    // ModelProto.graph = 7, GraphProto.output = 12, ValueInfoProto.name = 1; types are inferred.
    for name in names { bytes += field(7, field(12, field(1, Array(name.utf8)))) }
    let result: Result<OrtSession, IngotError> = bytes.withUnsafeBytes { bytes in
      do throws(IngotError) {
        return .success(
          try OrtSession(
            context.runtime, modelBytes: bytes, externalDataFolder: context.folder, options: context.options,
            name: path))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// A length-delimited field of protobuf.
  private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    var length = content.count
    var bytes: [UInt8] = [number << 3 | 2]
    while length >= 0x80 {
      bytes.append(UInt8(length & 0x7F) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + content
  }
}
