internal import Checkpoints
internal import IngotCore

/// Which form an export has, seen from the names of its files.
enum ONNXForm {
  /// One model; its file and the folder it is in.
  case whole(folder: String, file: String, descriptions: String)
  /// Embedding, blocks and output: the folder for many tokens and the one for single ones.
  case staged(folder: String, decode: String?)
  case packed(folder: String)
  case device(folder: String)

  static let known = """
    model.onnx (genai, optimum); embed, block{i}, output (staged, alone or in prefill/ and decode/); embedding, \
    decoders or decoders_{k}, norm, lm_head (packed); embedding, block_{i}, block_unshare_{i}, block_cache_{i}, \
    lm_head (device)
    """

  /// - Throws: `.io` for a folder that cannot be listed, `.unsupported` for one of no known form.
  init(directory: String) throws(IngotError) {
    let names = try FileSystem.names(in: directory)
    func files(in folder: String) -> [String] {
      (try? FileSystem.names(in: FileSystem.join(directory, folder))) ?? []
    }
    func isStaged(_ names: [String]) -> Bool {
      names.contains { $0 == "embed.onnx" || $0 == "block0.onnx" }
    }
    if isStaged(files(in: "prefill")) {
      let prefill = FileSystem.join(directory, "prefill")
      let decode = ["decode", "prefill/decode"].first { isStaged(files(in: $0)) }
      self = .staged(folder: prefill, decode: decode.map { FileSystem.join(directory, $0) })
    } else if isStaged(names) {
      self = .staged(
        folder: directory, decode: isStaged(files(in: "decode")) ? FileSystem.join(directory, "decode") : nil)
    } else if isStaged(files(in: "decode")) {
      self = .staged(folder: FileSystem.join(directory, "decode"), decode: nil)
    } else if names.contains(where: { $0.hasPrefix("decoders") && $0.hasSuffix(".onnx") }) {
      self = .packed(folder: directory)
    } else if names.contains(where: { $0.hasPrefix("block_") && $0.hasSuffix(".onnx") }) {
      self = .device(folder: directory)
    } else {
      self = try Self.whole(directory, names, files(in: "onnx"))
    }
  }

  /// One model: what `genai_config.json` names, or one of the usual names, or the only one.
  private static func whole(
    _ directory: String, _ names: [String], _ nested: [String]
  ) throws(IngotError) -> ONNXForm {
    let genai = FileSystem.join(directory, "genai_config.json")
    if names.contains("genai_config.json") {
      let decoder = try JSONParser.parse(path: genai)["model"]?["decoder"]
      if let file = decoder?["filename"]?.string {
        return .whole(folder: directory, file: file, descriptions: directory)
      }
      if decoder?["pipeline"] != nil {
        throw IngotError(
          .unsupported, "a pipeline of models cannot be driven",
          at: .init(file: genai, key: "model.decoder.pipeline"),
          hint: "use a model of one file")
      }
    }
    // A model with a past takes an empty one, so the one without is the last choice.
    let usual = [
      "model.onnx", "decoder_model_merged.onnx", "decoder_with_past_model.onnx", "model_merged.onnx",
      "decoder_model.onnx", "model_quantized.onnx", "model_fp16.onnx",
    ]
    for (folder, names) in [(directory, names), (FileSystem.join(directory, "onnx"), nested)] {
      let models = names.filter { $0.hasSuffix(".onnx") }
      if let file = usual.first(where: models.contains) ?? (models.count == 1 ? models[0] : nil) {
        return .whole(folder: folder, file: file, descriptions: directory)
      }
    }
    let found = names.filter { $0.hasSuffix(".onnx") }
    throw IngotError(
      .unsupported,
      found.isEmpty
        ? "the folder has no .onnx file"
        : "the models are of no form that can be driven: \(found.prefix(8).joined(separator: ", "))",
      at: .init(file: directory), hint: "the forms are: " + known)
  }

  var name: String {
    switch self {
    case .whole: "genai"
    case .staged: "staged"
    case .packed: "packed"
    case .device: "device"
    }
  }

  /// The folder of the models.
  var folder: String {
    switch self {
    case .whole(let folder, _, _), .staged(let folder, _), .packed(let folder), .device(let folder): folder
    }
  }

  /// The folder of `config.json`.
  var descriptions: String {
    switch self {
    case .whole(_, _, let descriptions): descriptions
    case .staged(let folder, _), .packed(let folder), .device(let folder): folder
    }
  }

  /// Loads the models.
  func driver(_ context: ONNXContext) throws(IngotError) -> any ONNXDriver {
    switch self {
    case .whole(_, let file, _): return try WholeDriver(context, file: file)
    case .staged(_, let decode): return try StagedDriver(context, decode: decode.map { context.at($0) })
    case .packed: return try PackedDriver(context, files: try FileSystem.names(in: folder))
    case .device: return try DeviceDriver(context, files: try FileSystem.names(in: folder))
    }
  }
}
