import Foundation
import Ingot
import IngotCore
import Testing

/// Replies with drafts against replies without, on checkpoints: the engine's logits do not depend on how a text is cut
/// into forwards, so nothing may differ.
@Suite struct SpeculativeReplyTests {
  private static let fixtures =
    ModelFixture.safetensors.filter {
      ["llama-gqa", "mistral-sliding", "qwen3-tied", "llama-rope-dynamic-above"].contains($0.name)
    } + ModelFixture.gguf.filter { ["llama-q4_0", "llama-q4_k_m", "llama-q8_0"].contains($0.name) }

  private static let ways: [GenerationOptions] = {
    var greedy = GenerationOptions()
    greedy.sampling = .greedy
    // Near zero, where tiny random models repeat themselves now and then.
    var cool = GenerationOptions()
    (cool.sampling.temperature, cool.sampling.topK) = (0.05, 0)
    var penalties = GenerationOptions()
    (penalties.sampling.repeatPenalty, penalties.sampling.frequencyPenalty) = (1.2, 0.1)
    penalties.sampling.repeatLastN = 7
    var hot = GenerationOptions()
    (hot.sampling.temperature, hot.sampling.topP, hot.sampling.minP) = (1.5, 0.9, 0.1)
    return [greedy, cool, penalties, hot]
  }()

  private static func model(_ checkpoint: String, contextLength: Int = 96) throws -> CPUModel {
    var options = DecoderEngine.Options(contextLength: contextLength)
    options.engine = EngineOptions(threads: 1)
    options.engine.spins = 0
    options.sequences = 3
    return try CPUModel(try openCheckpoint(checkpoint), options: options)
  }

  /// A reply, and the logits of a token after it in the same cache.
  private static func reply(
    _ model: any LanguageModel, _ prompt: [Int], _ options: GenerationOptions, _ drafter: (any Drafter)?
  ) throws -> (ids: [Int], reason: FinishReason, logits: [Float], timings: GenerationTimings) {
    let cache = try CachedSequence(model, plannedLength: model.contextLength)
    let result = try Generator(model).generate(
      prompt: prompt, options: options, cache: cache, drafter: drafter)
    var logits: [Float] = []
    #expect(cache.sequence.count == cache.ids.count)
    cache.sequence.truncate(to: min(cache.ids.count, model.contextLength - 1))
    try model.forward([ModelInput(cache.sequence, [prompt[0]])]) { _, _, row in logits = Array(row) }
    return (result.ids, result.finishReason, logits, result.timings)
  }

  @Test(arguments: fixtures) func repliesAndCachesAreTheSame(_ fixture: ModelFixture) throws {
    let model = try Self.model(fixture.checkpoint)
    // A prompt that repeats itself, so that there is something to look up.
    let ids = try fixture.ids().prefix(9)
    let prompt = Array(ids + ids.dropFirst(2) + ids)
    var accepted = 0
    for (index, way) in Self.ways.enumerated() {
      for seed in UInt64(0)..<3 {
        var options = way
        (options.sampling.seed, options.ignoresEOS) = (seed, seed != 2)
        let plain = try Self.reply(model, prompt, options, nil)
        let drafters: [any Drafter] = [
          try PromptLookup(.init(maxNGram: 3, minNGram: 1)), try ModelDrafter(model, minProbability: 0),
        ]
        for drafter in drafters {
          let drafted = try Self.reply(model, prompt, options, drafter)
          #expect(drafted.ids == plain.ids && drafted.reason == plain.reason, "way \(index), seed \(seed)")
          #expect(drafted.logits == plain.logits, "way \(index), seed \(seed)")
          accepted += drafted.timings.drafts?.accepted ?? 0
        }
      }
    }
    #expect(accepted > 100)
  }

  @Test func aTwinGuessesAllThatIsLikeliest() throws {
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "llama-gqa" })
    let (model, twin) = (try Self.model(fixture.checkpoint), try Self.model(fixture.checkpoint))
    var options = Self.ways[0]
    (options.ignoresEOS, options.maxTokens) = (true, 61)
    let drafted = try Self.reply(model, [1, 2, 3], options, ModelDrafter(twin, minProbability: 0))
    #expect(drafted.timings.drafts?.rate == 1)
    #expect(drafted.timings.decodeForwards <= 9)
  }

  @Test func aDraftModelIsOpenedForItsTarget() throws {
    let path = try #require(ModelFixture.safetensors.first { $0.name == "llama-gqa" }).checkpoint
    var options = TextModel.Options()
    (options.contextLength, options.threads) = (64, 1)
    let text = try TextModel(path, options: options)
    let drafter = try text.drafter(path, options: options)
    #expect(drafter.model.contextLength <= 64)
    #expect(throws: IngotError.self) { try text.drafter(path + "/none") }
  }

  /// ONNX Runtime rounds a token's logits differently in different company; these models' likeliest tokens are further
  /// apart than that.
  @Test(
    .enabled(if: onnxRuntime != nil, "ONNX Runtime is not installed"),
    arguments: [ExportCase.genai, .shared, .staged, .packed, .device])
  func exportsSpeculateToo(form: ExportCase) throws {
    let model = try ExportFolder(.qwen3, form.options).open()
    let ids = try ModelFixture.qwen3.ids().prefix(7)
    var options = GenerationOptions()
    (options.sampling, options.ignoresEOS) = (.greedy, true)
    let prompt = Array(ids + ids)
    let plain = try Generator(model).generate(prompt: prompt, options: options)
    let twin = try ModelDrafter(Self.model(ModelFixture.qwen3.checkpoint), minProbability: 0)
    for drafter in [try PromptLookup(.init(maxNGram: 3, minNGram: 1)), twin] as [any Drafter] {
      let drafted = try Generator(model).generate(prompt: prompt, options: options, drafter: drafter)
      #expect(drafted.ids == plain.ids && drafted.finishReason == plain.finishReason)
    }
  }
}

/// A real model, which can repeat what it is told.
@Suite(.enabled(if: SmolLM2.isPresent, "run Scripts/fetch_smollm2.sh first"))
struct SmolLM2SpeculationTests {
  @Test func lookupFindsWhatIsRepeated() throws {
    let text = TextModel(try SmolLM2.model(sequences: 1), tokenizer: try openTokenizer(SmolLM2.path))
    func reply(_ drafter: (any Drafter)?) throws -> GenerationResult {
      var options = ChatSession.Options()
      (options.generation.sampling, options.generation.maxTokens) = (.greedy, 64)
      options.drafter = drafter
      return try ChatSession(text, options: options).reply(
        to: """
          Repeat this text word for word: The river Thames rises in Gloucestershire and flows through Oxford, \
          Reading, Windsor and London before it reaches the North Sea near Southend.
          """)
    }
    let plain = try reply(nil)
    let drafted = try reply(try PromptLookup())
    #expect(drafted.ids == plain.ids)
    #expect(drafted.timings.decodeForwards < plain.timings.decodeForwards * 3 / 4)
    #expect(drafted.timings.drafts?.rate ?? 0 > 0.4)
  }
}
