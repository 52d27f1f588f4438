public import Checkpoints
internal import Generation
public import IngotCore
public import Models
public import ONNX

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The export of a checkpoint to a folder of ONNX models, with configuration and tokenizer beside them.
///
///     let export = try ModelExport(openCheckpoint("Qwen3-0.6B"), options: ExportOptions(.genai))
///     try export.write(to: "qwen3-onnx")
public struct ModelExport: Sendable {
  /// The checkpoint.
  public let checkpoint: any Checkpoint
  /// What will be written.
  public let plan: ExportPlan

  /// Plans an export; reads no weights.
  /// - Throws: as `ExportPlan.init`; `.unsupported` for an unknown family.
  public init(
    _ checkpoint: any Checkpoint, options: ExportOptions, registry: ModelRegistry = .standard
  ) throws(IngotError) {
    self.checkpoint = checkpoint
    do {
      plan = try ExportPlan(checkpoint, graph: registry.graph(for: checkpoint.config), options: options)
    } catch {
      throw error.inFile(checkpoint.path)
    }
  }

  /// Writes models, weights, configuration and tokenizer files.
  ///
  /// An export that was interrupted goes on; models of an older export of other options are removed.
  /// - Parameters:
  ///   - folder: is made where there is none.
  ///   - jobs: threads that read, convert and write.
  ///   - onProgress: called with the bytes done, of `plan.byteCount`.
  /// - Throws: `.io`, for example when the disk is full; `.argument` for a folder with models of somebody else's.
  @discardableResult
  public func write(
    to folder: String, jobs: Int = 2, onProgress: (Int) -> Void = { _ in }
  ) throws(IngotError) -> ExportPlan.Written {
    let folders = [folder] + plan.folders.map { "\(folder)/\($0)" }
    for (end, character) in zip(folder.indices, folder) where character == "/" && end != folder.startIndex {
      try makeFolder(String(folder[..<end]))
    }
    for folder in folders { try makeFolder(folder) }
    try plan.removeStaleModels(in: folder)
    let written = try plan.write(to: folder, jobs: jobs, onProgress: onProgress)
    for place in folders { try writeDescriptions(in: place) }
    if plan.folders.contains("prefill/decode") { try link("prefill/decode", at: "\(folder)/decode") }
    return written
  }

  private func writeDescriptions(in folder: String) throws(IngotError) {
    var names: [String] = []
    if !plan.options.isSubmodel { names = try writeTokenizerFiles(of: checkpoint, to: folder) }
    var config = try configJSON(of: checkpoint).object ?? JSONObject()
    config["ingot"] = plan.manifest
    try write(.object(config), to: "\(folder)/config.json")
    if plan.options.names == .genai, plan.options.split == .whole, !plan.options.isSubmodel {
      let generation = "\(folder)/generation_config.json"
      let defaults =
        names.contains("generation_config.json") ? try JSONParser.parse(path: generation) : nil
      let genai = GenAIConfig(
        config: checkpoint.config, sharesBuffers: plan.options.operators == .ort, generation: defaults)
      try write(genai.json, to: "\(folder)/genai_config.json")
    }
  }

  private func write(_ json: JSONValue, to path: String) throws(IngotError) {
    let file = try AtomicFile(path: path)
    try file.write(json.indented + "\n")
    try file.commit()
  }

  /// Gives a folder a second name; a folder or file of that name is left as it is.
  private func link(_ target: String, at path: String) throws(IngotError) {
    if symlink(target, path) != 0, errno != EEXIST { throw .system("cannot link", path: path) }
  }

  private func makeFolder(_ path: String) throws(IngotError) {
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw .system("cannot make the folder", path: path) }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw IngotError(.io, "a file is where the folder should be", at: .init(file: path))
    }
  }
}
