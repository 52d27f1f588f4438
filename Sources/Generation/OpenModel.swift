internal import Artifact
internal import Checkpoints
internal import Engine
public import IngotCore
internal import ONNXRuntime

/// Opens whatever can turn tokens into logits: a checkpoint, run by the CPU engine, or a folder with an export in
/// ONNX, run by ONNX Runtime.
/// - Throws: errors of the files; `.argument` for options out of range; `.io` without ONNX Runtime; `.memory`.
public func openModel(
  _ path: String, options: TextModel.Options = TextModel.Options()
) throws(IngotError) -> any LanguageModel {
  guard isONNXExport(path) else {
    if path.hasSuffix(".onnx"), FileSystem.item(at: path) == .file {
      throw IngotError(
        .argument, "not a folder", at: .init(file: path), hint: "name the folder of the export")
    }
    let checkpoint = try openWeights(path, keys: options.keys, verifyKey: options.verifyKey)
    return try CPUModel(checkpoint, options: try options.engineOptions(for: checkpoint))
  }
  try options.check()
  // More threads than processors take turns.
  let threads = options.threads.map { min($0, Machine.current.threads) }
  let runtime = try OrtRuntime.load(library: options.ortLibrary)
  return try ONNXModel(
    directory: path, runtime: runtime,
    options: ONNXModel.Options(contextLength: options.contextLength, threads: threads))
}

/// Whether a path is a folder with models in ONNX, in it or in the folders that exports have, and without weights
/// of a checkpoint.
public func isONNXExport(_ path: String) -> Bool {
  guard FileSystem.item(at: path) == .directory, let names = try? FileSystem.names(in: path) else {
    return false
  }
  guard !names.contains(where: { $0.hasSuffix(".safetensors") || $0.lowercased().hasSuffix(".gguf") }) else {
    return false
  }
  if names.contains(where: { $0.hasSuffix(".onnx") }) { return true }
  return ["prefill", "decode", "onnx"].contains { folder in
    names.contains(folder)
      && ((try? FileSystem.names(in: FileSystem.join(path, folder))) ?? []).contains { $0.hasSuffix(".onnx") }
  }
}
