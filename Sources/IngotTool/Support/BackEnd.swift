import ArgumentParser
import Ingot

/// How back ends compute that are looked at: nothing is rounded that need not be.
struct ExactEngineArguments: ParsableArguments {
  @Option(
    name: [.customShort("t"), .customLong("threads")], parsing: .unconditional,
    help: "Threads; by default, and at most, one per processor.")
  var threads: Int?

  @Option(
    name: .customLong("kv-type"),
    help: "Element type of our engine's key/value cache: f16, f32 or i8 (also q8_0).")
  var kvType = KVType.f32

  @Option(
    name: .customLong("ort-library"), help: "The library of ONNX Runtime; by default the first that is found."
  )
  var ortLibrary: String?
}

/// What a path of a model stands for.
enum BackEnd {
  /// Opens a back end of any kind.
  /// - Parameters:
  ///   - contextLength: most tokens of a sequence; an export of fixed shapes may hold fewer.
  ///   - isReference: whether quantised weights are unpacked, so that activations are not rounded to 8 bits.
  ///   - keys: of an encrypted or signed file.
  ///   - rounding: what is done to the weights of a checkpoint first.
  ///   - checking: looks at a compiled file's lengths before its weights are touched.
  /// - Throws: what is wrong with the files.
  static func open(
    _ path: String, engine: ExactEngineArguments, contextLength: Int, isReference: Bool = false,
    rounding: WeightRounding? = nil, keys: KeyArguments? = nil,
    checking check: (ArtifactManifest) throws(IngotError) -> Void = { _ in }
  ) throws(IngotError) -> any LanguageModel {
    if isONNXExport(path) {
      guard rounding == nil else {
        throw IngotError(.argument, "only weights of a checkpoint can be rounded", at: .init(file: path))
      }
      return try ONNXModel.open(
        directory: path, runtime: OrtRuntime.load(library: engine.ortLibrary), tokens: contextLength,
        threads: engine.threads)
    }
    var checkpoint = try openWeights(
      path, keys: keys?.keys ?? DefaultKeys(), verifyKey: keys?.verifyKey())
    if let artifact = checkpoint as? ArtifactCheckpoint { try check(artifact.manifest) }
    var rounded: RoundedCheckpoint?
    if let rounding {
      let copy = try RoundedCheckpoint(checkpoint, rounding)
      (rounded, checkpoint) = (copy, copy)
    }
    var options = TextModel.Options()
    (options.contextLength, options.threads, options.kvType) = (contextLength, engine.threads, engine.kvType)
    var engineOptions = try options.engineOptions(for: checkpoint)
    (engineOptions.observesLayers, engineOptions.dequantizesWeights) = (true, isReference)
    do throws(IngotError) { return try CPUModel(checkpoint, options: engineOptions) } catch {
      throw rounded?.failure ?? error
    }
  }
}
