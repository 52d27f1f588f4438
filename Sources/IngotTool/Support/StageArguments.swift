import ArgumentParser
import Ingot

/// How ONNX Runtime runs.
struct OrtArguments: ParsableArguments {
  @Option(
    name: .customLong("ort-library"), parsing: .unconditional,
    help: "ONNX Runtime's library; by default the one that pip or the system installed.")
  var library: String?

  @Option(
    name: [.customShort("t"), .customLong("threads")], parsing: .unconditional,
    help: "Threads; by default what ONNX Runtime thinks best.")
  var threads: Int?

  /// The parts in a folder.
  /// - Parameter phase: `prefill` or `decode`, for a folder that holds both.
  func folder(_ path: String, phase: String) throws(IngotError) -> StageFolder {
    if let threads, !(1...TextModel.maximumThreads).contains(threads) {
      throw IngotError(
        .argument, "--threads is \(threads); it must be from 1 to \(TextModel.maximumThreads)")
    }
    return try StageFolder(
      StageFolder.resolve(path, phase: phase), library: library, threads: threads)
  }
}

/// A prompt, in one of its forms.
struct StagePromptArguments: ParsableArguments {
  @Option(
    name: [.customShort("p"), .customLong("prompt")], parsing: .unconditional, help: "The prompt as text.")
  var prompt: String?

  @Option(parsing: .unconditional, help: "The prompt as token ids, separated by commas.")
  var ids: IDList?

  @Option(
    name: .customLong("tokens-file"), parsing: .unconditional, help: "The prompt as a .npy file of token ids."
  )
  var tokensFile: String?

  @Flag(help: "Put the model's chat template around the prompt.")
  var chat = false

  func tokens(_ text: StageText) throws(IngotError) -> [Int] {
    guard [prompt != nil, ids != nil, tokensFile != nil].filter({ $0 }).count == 1 else {
      throw IngotError(.argument, "give one of --prompt, --ids and --tokens-file")
    }
    if chat && prompt == nil { throw IngotError(.argument, "--chat needs a --prompt") }
    if let prompt { return try text.encode(prompt, chat: chat) }
    if let tokensFile { return try TokenFile.read(tokensFile) }
    return ids?.ids ?? []
  }
}

/// How tokens are drawn.
struct DrawArguments: ParsableArguments {
  @Option(
    name: [.customLong("temperature"), .customLong("temp")], parsing: .unconditional,
    help: "Temperature; 0 takes the likeliest token.")
  var temperature = PipelineOptions.defaultSampling.temperature

  @Option(name: .customLong("top-k"), parsing: .unconditional, help: "Draw among so many; 0 for all.")
  var topK = PipelineOptions.defaultSampling.topK

  @Option(
    name: .customLong("top-p"), parsing: .unconditional, help: "Draw among this much probability; 1 for all.")
  var topP = PipelineOptions.defaultSampling.topP

  @Flag(help: "Take the likeliest token, as --temperature 0 does.")
  var greedy = false

  @Option(
    name: [.customShort("s"), .customLong("seed")], parsing: .unconditional,
    help: "Seed of the draws: the same seed gives the same text. -1 for a new one each time.")
  var seed = -1

  func options() throws(IngotError) -> SamplingOptions {
    guard seed >= -1 else {
      throw IngotError(.argument, "the seed is \(seed); it must be at least 0, or -1 for a new one")
    }
    var options = PipelineOptions.defaultSampling
    options.temperature = greedy ? 0 : temperature
    (options.topK, options.topP) = (topK, topP)
    options.seed = seed < 0 ? nil : UInt64(seed)
    try options.validate()
    return options
  }
}
