public import Checkpoints
public import IngotCore
public import ONNXRuntime

/// An export in ONNX, run by ONNX Runtime.
///
/// Which of the forms it has is seen from files and port names: a whole decoder (`genai`, and what optimum and others
/// export), `staged`, `packed` or `device`; lengths are read from shapes.
public final class ONNXModel: LanguageModel {
  /// What an export is opened with.
  public struct Options: Sendable {
    /// Most tokens of one sequence; nil for what the shapes fix, else the model's own length, at most
    /// `TextModel.defaultContextLength`.
    public var contextLength: Int?
    /// Threads; nil for what ONNX Runtime thinks best.
    public var threads: Int?
    /// Whether ONNX Runtime may multiply what `DequantizeLinear` makes with activations rounded to 8 bits, as it does
    /// unless told otherwise.
    public var roundsActivations = true

    /// Takes the lengths and threads.
    public init(contextLength: Int? = nil, threads: Int? = nil) {
      (self.contextLength, self.threads) = (contextLength, threads)
    }
  }

  /// The model's configuration, as far as the files beside the export tell it.
  public let config: DecoderConfig
  /// Most tokens of one sequence.
  public let contextLength: Int
  /// The folder.
  public let path: String
  /// The form that was found, as `staged`.
  public let form: String
  /// As `ObservableModel.observations`.
  public let observations: [String]
  private let driver: Locked<any ONNXDriver>

  /// Opens an export and loads its models.
  /// - Throws: `.io` for missing files; `.unsupported` for forms that cannot be driven, saying what was found;
  ///   `.argument` for a context longer than the export's; errors of the models.
  public init(
    directory: String, runtime: OrtRuntime, options: Options = Options()
  ) throws(IngotError) {
    let found = try ONNXForm(directory: directory)
    let facts = try ModelFacts(folder: found.descriptions)
    var session = OrtSession.Options()
    session.threads = options.threads
    // Of the products that DequantizeLinear and MatMul are joined to; 1 is 32-bit floats.
    if !options.roundsActivations { session.entries["session.qdq_matmulnbits_accuracy_level"] = "1" }
    let context = ONNXContext(runtime: runtime, folder: found.folder, options: session, facts: facts)
    let driver = try found.driver(context)
    config = try facts.config(for: driver)
    contextLength = try Self.contextLength(options, driver, config, directory)
    (path, form, observations) = (directory, found.name, driver.observations)
    self.driver = Locked(driver)
  }

  private static func contextLength(
    _ options: Options, _ driver: any ONNXDriver, _ config: DecoderConfig, _ path: String
  ) throws(IngotError) -> Int {
    guard let wanted = options.contextLength else {
      return min(driver.fixedLength ?? TextModel.defaultContextLength, config.maxPositions)
    }
    // A model with dynamic axes may be asked for more than it was trained for.
    let longest = driver.fixedLength ?? TextModel.maximumContextLength
    guard (1...longest).contains(wanted) else {
      throw IngotError(
        .argument, "the context length is \(wanted); this export holds 1 to \(longest) tokens",
        at: .init(file: path))
    }
    return wanted
  }

  /// Begins an empty sequence; see `LanguageModel`.
  public func makeSequence(plannedLength: Int) throws(IngotError) -> any ModelSequence {
    guard plannedLength <= contextLength else {
      throw IngotError(
        .limit, "a sequence of \(plannedLength) tokens is planned; the context holds \(contextLength)",
        at: .init(file: path))
    }
    return try driver.withLock { (driver) throws(IngotError) in
      ONNXSequence(try driver.makeCache(contextLength: contextLength), of: self)
    }
  }

  /// Appends tokens and computes logits, one sequence after another; see `LanguageModel`.
  public func forward(
    _ inputs: [ModelInput], onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    try forward(inputs, observing: [], onTensor: { _, _, _, _ in }, onLogits: onLogits)
  }

  /// Appends tokens and shows values between the models of the export; see `ObservableModel`.
  public func forward(
    _ inputs: [ModelInput], observing names: Set<String>,
    onTensor: (Int, Int, String, HostTensor) -> Void, onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    if let unknown = names.subtracting(observations).min() {
      throw IngotError(
        .argument, "\"\(unknown)\" cannot be observed", at: .init(file: path),
        hint: observations.isEmpty
          ? "the export is one model, which shows nothing inside"
          : "it shows \(observations.joined(separator: ", "))")
    }
    try driver.withLock { (driver) throws(IngotError) in
      let sequences = try check(inputs)
      for (index, (input, sequence)) in zip(inputs, sequences).enumerated() where !input.tokens.isEmpty {
        let request = ONNXRequest(tokens: input.tokens, logits: input.logits, observed: names)
        let before = sequence.cache.count
        do throws(IngotError) {
          try driver.append(
            request, to: sequence.cache, onTensor: { onTensor(index, $0, $1, $2) },
            onLogits: { onLogits(index, $0, $1) })
        } catch {
          // What was appended before the failure is forgotten.
          sequence.cache.count = before
          throw error
        }
      }
    }
  }

  /// - Throws: `.argument`, `.limit`, before anything has changed.
  private func check(_ inputs: [ModelInput]) throws(IngotError) -> [ONNXSequence] {
    var sequences: [ONNXSequence] = []
    for input in inputs {
      let sequence = try own(input.sequence)
      guard !sequences.contains(where: { $0 === sequence }) else {
        throw IngotError(.argument, "a sequence occurs twice in a forward")
      }
      for id in input.tokens where id < 0 || id >= config.vocabSize {
        throw IngotError(.argument, "token id \(id) is outside the vocabulary of \(config.vocabSize)")
      }
      guard input.tokens.count <= contextLength - sequence.count else {
        throw IngotError(
          .limit,
          "\(input.tokens.count) tokens after \(sequence.count) are more than the context of \(contextLength)",
          at: .init(file: path))
      }
      sequences.append(sequence)
    }
    return sequences
  }

  private func own(_ sequence: any ModelSequence) throws(IngotError) -> ONNXSequence {
    guard let sequence = sequence as? ONNXSequence, sequence.model === self else {
      throw IngotError(.argument, "the sequence belongs to another model")
    }
    return sequence
  }

  /// The keys and values of a layer, as the export stores them; see `ObservableModel`.
  public func cache(
    of sequence: any ModelSequence, layer: Int
  ) throws(IngotError) -> (key: HostTensor, value: HostTensor) {
    let sequence = try own(sequence)
    return try driver.withLock { (driver) throws(IngotError) in
      guard (0..<driver.layerCount).contains(layer) else {
        throw IngotError(
          .argument,
          "there is no cache of layer \(layer); the export has those of \(driver.layerCount) layers",
          at: .init(file: path))
      }
      return try sequence.cache.layer(layer)
    }
  }
}

extension ONNXModel: ObservableModel {}

/// A sequence in an export's cache.
final class ONNXSequence: ModelSequence, @unchecked Sendable {
  let model: ONNXModel
  let cache: any ONNXCache

  init(_ cache: any ONNXCache, of model: ONNXModel) { (self.cache, self.model) = (cache, model) }

  var count: Int { cache.count }
  func truncate(to count: Int) { cache.count = min(cache.count, max(0, count)) }
  func fork() -> any ModelSequence { ONNXSequence(cache.fork(), of: model) }
}
