import ArgumentParser
import Ingot

/// How back ends compute that are looked at: nothing is rounded that need not be.
struct ExactEngineArguments: ParsableArguments {
  @Option(
    name: [.customShort("t"), .customLong("threads")], parsing: .unconditional,
    help: "Threads; by default, and at most, one per processor.")
  var threads: Int?

  @Option(name: .customLong("kv-type"), help: "Element type of our engine's key/value cache: f16 or f32.")
  var kvType = KVType.f32

  @Option(name: .customLong("ort-library"), help: "ONNX Runtime's library, for models in ONNX.")
  var ortLibrary: String?
}

/// What a path of a model stands for.
enum BackEnd {
  /// Opens a back end of any kind.
  /// - Parameters:
  ///   - contextLength: most tokens of a sequence, where the back end lets one choose.
  /// - Throws: what is wrong with the files.
  static func open(
    _ path: String, engine: ExactEngineArguments, contextLength: Int
  ) throws(IngotError) -> any LanguageModel {
    var options = TextModel.Options()
    (options.contextLength, options.threads, options.kvType) = (contextLength, engine.threads, engine.kvType)
    options.ortLibrary = engine.ortLibrary
    if isONNXExport(path) { return try openModel(path, options: options) }
    let checkpoint = try openCheckpoint(path)
    var engineOptions = try options.engineOptions(for: checkpoint.config)
    engineOptions.observesLayers = true
    return try CPUModel(checkpoint, options: engineOptions)
  }
}
