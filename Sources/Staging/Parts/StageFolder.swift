package import IngotCore

/// A folder of `embed.onnx`, `block0.onnx`, … and `output.onnx`.
package final class StageFolder: StageSource {
  /// Loads an ONNX file.
  package typealias Loader = (_ path: String) throws(IngotError) -> any StagePart

  /// The folder.
  package let path: String
  private let loader: Loader
  private var headers: [StagePartName: ONNXHeader] = [:]

  /// Names a folder.
  /// - Throws: `.io` when it is not there or holds no parts.
  package init(_ path: String, loader: @escaping Loader) throws(IngotError) {
    guard Files.isFolder(path) else { throw IngotError(.io, "not a folder", at: .init(file: path)) }
    guard try Files.names(in: path).contains(where: { Self.isPart($0) }) else {
      throw IngotError(
        .io, "no embed.onnx, block0.onnx or output.onnx in the folder", at: .init(file: path),
        hint: "export the model with --preset staged, and name the folder of one length, as DIR/prefill")
    }
    (self.path, self.loader) = (path, loader)
  }

  private static func isPart(_ name: String) -> Bool {
    name == StagePartName.embed.fileName || name == StagePartName.output.fileName
      || StepFolder.index(of: name, "block", ".onnx") != nil
  }

  /// Of a path that holds folders for both lengths, the one for `phase`; else the path itself.
  /// - Parameter phase: `prefill` or `decode`.
  package static func resolve(_ path: String, phase: String) -> String {
    let inner = Files.join(path, phase)
    return !Files.exists(Files.join(path, "embed.onnx")) && Files.exists(Files.join(inner, "embed.onnx"))
      ? inner : path
  }

  package func has(_ part: StagePartName) -> Bool { Files.exists(file(part)) }

  package func blockCount() throws(IngotError) -> Int {
    let indices = try Files.names(in: path).compactMap { StepFolder.index(of: $0, "block", ".onnx") }.sorted()
    let missing = (0..<indices.count).first { indices[$0] != $0 }
    if let missing { throw self.missing(.block(missing)) }
    guard !indices.isEmpty else { throw self.missing(.block(0)) }
    return indices.count
  }

  package func ports(of part: StagePartName) throws(IngotError) -> StagePorts { try header(part).ports }

  package func print(of part: StagePartName) throws(IngotError) -> PartPrint { try header(part).print() }

  package func load(_ part: StagePartName) throws(IngotError) -> any StagePart {
    guard has(part) else { throw missing(part) }
    return try loader(file(part))
  }

  private func header(_ part: StagePartName) throws(IngotError) -> ONNXHeader {
    if let header = headers[part] { return header }
    guard has(part) else { throw missing(part) }
    let header = try ONNXHeader(path: file(part))
    headers[part] = header
    return header
  }

  private func missing(_ part: StagePartName) -> IngotError {
    let parts = ((try? Files.names(in: path)) ?? []).filter { Self.isPart($0) }.joined(separator: ", ")
    return IngotError(
      .io, "the part \(part.fileName) is missing; there are \(parts.isEmpty ? "none" : parts)",
      at: .init(file: file(part)), hint: "copy it there, or export the model again")
  }
}
