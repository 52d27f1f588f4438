public import ArgumentParser
public import Ingot

extension KVType: ExpressibleByArgument {
  /// The type of an argument; `q8_0` is what llama.cpp calls `i8`.
  public init?(argument: String) { self.init(named: argument) }
}
extension Precision: ExpressibleByArgument {}

/// The model.
struct ModelArgument: ParsableArguments {
  @Argument(
    help: "A folder of config.json and *.safetensors, a .gguf or .ingot file, or a folder of ONNX models.")
  var model: String

  @OptionGroup(title: "Keys") var keys: KeyArguments

  /// Opens what holds the weights.
  /// - Throws: as `openWeights`.
  func open() throws(IngotError) -> any Checkpoint {
    try openWeights(model, keys: keys.keys, verifyKey: keys.verifyKey())
  }
}

/// What an engine is built with.
struct EngineArguments: ParsableArguments {
  @Option(
    name: [.customShort("t"), .customLong("threads")], parsing: .unconditional,
    help: "Threads; by default one per core, at most one per processor.")
  var threads: Int?

  @OptionGroup var tuning: TuningArguments

  @Option(
    name: .customLong("kv-type"),
    help: "Element type of the key/value cache: f16 (the default), f32 or i8 (also q8_0).")
  var kvType: KVType?

  @Option(
    name: .customLong("ort-library"),
    help:
      "ONNX Runtime's library, for models in ONNX; by default INGOT_ORT_LIBRARY, or one that is installed.")
  var ortLibrary: String?

  /// - Parameter keys: those of the model's file; nil for a model that is not a file of the user's choice.
  /// - Throws: `.io`, `.format` for a key that cannot be read.
  func options(contextLength: Int?, keys: KeyArguments? = nil) throws(IngotError) -> TextModel.Options {
    var options = TextModel.Options()
    if let keys { (options.keys, options.verifyKey) = (keys.keys, try keys.verifyKey()) }
    (options.contextLength, options.threads, options.kvType) = (contextLength, threads, kvType)
    options.ortLibrary = ortLibrary
    (options.packedFolder, options.chunkTokens) = (tuning.packCache, tuning.chunkTokens)
    return options
  }
}

/// Where threads run, how much is computed together, and where packed weights are kept.
struct TuningArguments: ParsableArguments {
  @Option(
    name: [.customLong("cpu-range"), .customLong("Cr", withSingleDash: true)],
    help: "Processors to keep to, as 0-3, also for the number of threads.")
  var cpuRange: ProcessorRange?

  @Option(
    name: [.customLong("ubatch-size"), .customLong("ub", withSingleDash: true)], parsing: .unconditional,
    help: "Tokens of a prompt that are computed together; by default 512.")
  var chunkTokens: Int?

  @Option(
    name: .customLong("pack-cache"),
    help:
      "A folder where packed weights are kept, so that the next start maps them; files of checkpoints that have changed are not removed."
  )
  var packCache: String?

  /// Keeps the process to the processors; before any thread is made.
  /// - Throws: `.argument`, `.unsupported`.
  func placeThreads() throws(IngotError) {
    if let cpuRange { try Machine.keep(to: cpuRange.range) }
  }
}

/// Processors as `0-3` or `2`.
struct ProcessorRange: ExpressibleByArgument {
  var range: ClosedRange<Int>

  init?(argument: String) {
    let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, first >= 0, first <= last
    else {
      return nil
    }
    range = first...last
  }
}

/// The length of the context.
struct ContextArgument: ParsableArguments {
  @Option(
    name: [.customShort("c"), .customLong("context")], parsing: .unconditional,
    help: "Context length in tokens; by default the model's own, at most 4096.")
  var length: Int?
}

/// Named ways of drawing tokens.
enum GenerationMode: String, ExpressibleByArgument, CaseIterable {
  case greedy
  case penaltySample = "penalty_sample"

  /// The defaults it stands for.
  var sampling: SamplingOptions {
    switch self {
    case .greedy: .greedy
    case .penaltySample: .penaltyHead
    }
  }
}

/// A default that a generation mode may replace, as help shows it.
private func byDefault(_ value: String) -> String { "(default: \(value))" }

/// How a reply is made; the defaults are `GenerationOptions`'.
struct GenerationArguments: ParsableArguments {
  @Option(
    name: [.customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: "Most tokens of an answer; -1 for as many as the context holds.")
  var maxTokens = -1

  @Option(
    name: [.customShort("s"), .customLong("seed")], parsing: .unconditional,
    help: "Seed of the draws: the same seed gives the same text. -1 for a new one each time.")
  var seed = -1

  @Option(
    name: .customLong("generation-mode"),
    help: ArgumentHelp(
      "Sets the defaults of the draws: greedy takes the likeliest token, penalty_sample draws as compiled models' "
        + "sampling head does: penalty 1.2 over 32 tokens, temperature 1, of the 50 likeliest."))
  var mode: GenerationMode?

  @Option(
    name: .customLong("temp"), parsing: .unconditional,
    help: "Temperature; 0 takes the likeliest token. \(byDefault("\(SamplingOptions().temperature)"))")
  var temperature: Double?

  @Option(
    name: .customLong("top-k"), parsing: .unconditional,
    help: "Draw among so many; 0 for all. \(byDefault("\(SamplingOptions().topK)"))")
  var topK: Int?

  @Option(
    name: .customLong("top-p"), parsing: .unconditional,
    help: "Draw among this much probability; 1 for all. \(byDefault("\(SamplingOptions().topP)"))")
  var topP: Double?

  @Option(
    name: .customLong("min-p"), parsing: .unconditional,
    help:
      "Draw among tokens this probable relative to the likeliest; 0 for all. \(byDefault("\(SamplingOptions().minP)"))"
  )
  var minP: Double?

  @Option(
    name: .customLong("repeat-penalty"), parsing: .unconditional,
    help:
      "Divides positive logits of recent tokens, multiplies others; 1 for none. \(byDefault("\(SamplingOptions().repeatPenalty)"))"
  )
  var repeatPenalty: Double?

  @Option(
    name: .customLong("presence-penalty"), parsing: .unconditional, help: "Taken off logits of recent tokens."
  )
  var presencePenalty = SamplingOptions().presencePenalty

  @Option(
    name: .customLong("frequency-penalty"), parsing: .unconditional,
    help: "Taken off logits of recent tokens for each time they occur.")
  var frequencyPenalty = SamplingOptions().frequencyPenalty

  @Option(
    name: .customLong("repeat-last-n"), parsing: .unconditional,
    help:
      "Recent tokens that penalties look at; 0 for none, -1 for all. \(byDefault("\(SamplingOptions().repeatLastN)"))"
  )
  var repeatLastN: Int?

  @Option(
    name: .customLong("stop"), parsing: .unconditionalSingleValue,
    help: "A string that ends the answer; may be given several times.")
  var stop: [String] = []

  @Flag(name: .customLong("ignore-eos"), help: "Go on past the tokens that end a text.")
  var ignoresEOS = false

  /// - Throws: `.argument` naming the option and its range.
  func options() throws(IngotError) -> GenerationOptions {
    guard maxTokens >= -1 else {
      throw IngotError(.argument, "-n is \(maxTokens); it must be at least 0, or -1 for no limit")
    }
    guard seed >= -1 else {
      throw IngotError(.argument, "the seed is \(seed); it must be at least 0, or -1 for a new one")
    }
    var options = GenerationOptions()
    options.maxTokens = maxTokens < 0 ? nil : maxTokens
    options.sampling = mode?.sampling ?? SamplingOptions()
    set(\.temperature, temperature)
    set(\.topK, topK)
    set(\.topP, topP)
    set(\.minP, minP)
    set(\.repeatPenalty, repeatPenalty)
    set(\.repeatLastN, repeatLastN)
    options.sampling.presencePenalty = presencePenalty
    options.sampling.frequencyPenalty = frequencyPenalty
    func set<Value>(_ option: WritableKeyPath<SamplingOptions, Value>, _ value: Value?) {
      if let value { options.sampling[keyPath: option] = value }
    }
    options.sampling.seed = seed < 0 ? nil : UInt64(seed)
    options.stopStrings = stop
    options.ignoresEOS = ignoresEOS
    try options.validate()
    _ = try StopMatcher(stop)
    return options
  }
}

/// Token ids as a list.
struct IDList: ExpressibleByArgument {
  var ids: [Int]

  init?(argument: String) {
    let fields = argument.split { $0 == "," || $0 == " " }
    ids = fields.compactMap { Int($0) }
    guard ids.count == fields.count else { return nil }
  }
}
