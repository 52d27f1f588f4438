import Generation
import IngotCore
import Staging
import TestSupport
import Testing

@Suite struct PipelineTests {
  static let prompt = [3, 17, 5, 5, 11, 0, 8]

  static func options(_ root: String, steps: Int = 9) -> PipelineOptions {
    var options = PipelineOptions(runRoot: root)
    options.steps = steps
    options.sampling.temperature = 0
    return options
  }

  static func pipeline(
    _ source: ToySource, decode: ToySource? = nil, _ options: PipelineOptions, prompt: [Int] = prompt,
    text: StageText = .plain()
  ) throws -> Pipeline {
    try Pipeline(prefill: source, decode: decode ?? source, text: text, prompt: prompt, options: options)
  }

  @Test(arguments: [1, 3, 4, 7, 8], [DType.f32, .f16])
  func chunksAndPaddingDoNotChangeTheTokens(inputLength: Int, cacheType: DType) throws {
    let folder = try Folder()
    var model = ToyModel(inputLength: inputLength, cacheType: cacheType)
    let source = ToySource(model)
    model.inputLength = 1
    let decode = ToySource(model)
    let result = try Self.pipeline(source, decode: decode, Self.options(folder / "run")).run()
    #expect(result.ids == model.greedy(Self.prompt, steps: 9))
    #expect(result.reason == .length)
    let chunks = (Self.prompt.count + inputLength - 1) / inputLength
    #expect(result.steps == chunks + 8)
  }

  @Test func logitsAreThoseOfTheWholeModel() throws {
    let folder = try Folder()
    let model = ToyModel()
    _ = try Self.pipeline(ToySource(model), Self.options(folder / "run")).run()
    let tokens = Self.prompt + model.greedy(Self.prompt, steps: 9)
    var position = 0
    for index in 0..<10 {
      let step = StepFolder(root: folder / "run", step: index)
      let logits = try NPY.read(path: step.logits)
      let values: [Float] = logits.array()
      for row in 0..<logits.shape[0] {
        let expected = model.logits(model.whole(Array(tokens[...position])).last ?? [])
        let found = values[row * model.vocabularySize..<(row + 1) * model.vocabularySize]
        // Keys and values of earlier steps are rounded to 2^-11 of themselves.
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 2e-2 })
        position += 1
      }
    }
    #expect(position == Self.prompt.count + 8)
  }

  @Test func partsAreLoadedOnce() throws {
    let folder = try Folder()
    let (source, decode) = (ToySource(ToyModel()), ToySource(ToyModel(inputLength: 1)))
    _ = try Self.pipeline(source, decode: decode, Self.options(folder / "run")).run()
    for source in [source, decode] {
      #expect(source.loads == [.embed: 1, .block(0): 1, .block(1): 1, .output: 1])
    }
    let both = ToySource(ToyModel())
    _ = try Self.pipeline(both, Self.options(folder / "both")).run()
    #expect(both.loads == [.embed: 1, .block(0): 1, .block(1): 1, .output: 1])
  }

  @Test func aTokenThatEndsTheTextEndsTheRun() throws {
    let folder = try Folder()
    let model = ToyModel()
    let free = model.greedy(Self.prompt, steps: 9)
    let end = free[3]
    let first = free.firstIndex(of: end) ?? 3
    let result = try Self.pipeline(
      ToySource(model), Self.options(folder / "run"), text: .plain(eos: [end])
    ).run()
    #expect(result.ids == Array(free[..<first]) && result.reason == .endOfText && result.endID == end)
    var options = Self.options(folder / "on")
    options.ignoresEOS = true
    let on = try Self.pipeline(ToySource(model), options, text: .plain(eos: [end])).run()
    #expect(on.ids == free)
  }

  @Test func memoryAndFilesAgreeBitForBit() throws {
    let folder = try Folder()
    var inMemory = Self.options(folder / "memory")
    inMemory.cacheFolder = nil
    let a = try Self.pipeline(ToySource(ToyModel()), inMemory).run()
    let b = try Self.pipeline(ToySource(ToyModel()), Self.options(folder / "files")).run()
    #expect(a.ids == b.ids)
    // Cut after every step, so that each step reads what the one before wrote.
    var cut = Self.options(folder / "cut", steps: 1)
    cut.start = .resume
    for steps in 1...9 {
      cut.steps = steps
      _ = try Self.pipeline(ToySource(ToyModel()), cut).run()
    }
    let files = try Folder.contents(folder / "memory")
    #expect(files.count > 80 && !files.keys.contains { $0.hasPrefix("kv") })
    for (name, bytes) in files where name != "summary.json" {
      #expect(try Folder.contents(folder / "files")[name] == bytes || name == "run.json", "\(name)")
      #expect(try Folder.contents(folder / "cut")[name] == bytes || name == "run.json", "\(name)")
    }
    #expect(Files.exists(folder / "files/kv/past_key_block1.npy"))
  }

  @Test func theSummaryHasWhatWasDrawn() throws {
    let folder = try Folder()
    let result = try Self.pipeline(ToySource(ToyModel()), Self.options(folder / "run", steps: 4)).run()
    let summary = try JSONParser.parse(path: folder / "run/summary.json")
    #expect(summary["prompt_tokens"]?.int == Self.prompt.count)
    #expect(summary["generated_ids"]?.array?.compactMap(\.int) == result.ids && result.ids.count == 4)
    #expect(summary["generated_text"] == .null)
    #expect(summary["finish_reason"]?.string == "length")
  }

  @Test func whatDoesNotFitIsRefusedBeforeAnythingIsWritten() throws {
    let folder = try Folder()
    let root = folder / "run"
    func refuse(
      _ kind: IngotError.Kind, _ words: [String], prompt: [Int] = Self.prompt, decode: ToySource? = nil,
      _ change: (inout PipelineOptions) -> Void = { _ in }
    ) {
      var options = Self.options(root)
      change(&options)
      do {
        _ = try Self.pipeline(ToySource(ToyModel()), decode: decode, options, prompt: prompt).run()
        Issue.record("no error: \(words)")
      } catch {
        let error = error as? IngotError
        #expect(
          error?.kind == kind && words.allSatisfy { error?.description.contains($0) == true },
          "\(error as Any)")
      }
    }
    refuse(.limit, ["7 tokens", "takes 4", "max_input_len"]) { $0.chunks = false }
    refuse(.limit, ["7 tokens", "30 steps", "24 rows"]) { $0.steps = 30 }
    refuse(.limit, ["100 tokens", "24 rows"], prompt: [Int](repeating: 1, count: 100))
    refuse(.argument, ["--steps is 0"]) { $0.steps = 0 }
    refuse(.argument, ["--max-cache-len is 1024", "has 24"]) { $0.cacheLength = 1024 }
    refuse(.argument, ["--max-input-len is 1", "has 4"]) { $0.inputLength = 1 }
    refuse(.argument, ["no tokens"], prompt: [])
    refuse(.argument, ["19", "vocabulary"], prompt: [19])
    refuse(.argument, ["-1"], prompt: [-1])
    refuse(.argument, ["temperature"]) { $0.sampling.temperature = -1 }
    refuse(.argument, ["other weights"], decode: ToySource(ToyModel(inputLength: 1, seed: 2)))
    refuse(
      .shape, ["rows of the cache is 16", "24"], decode: ToySource(ToyModel(inputLength: 1, cacheLength: 16)))
    refuse(.shape, ["number of blocks"], decode: ToySource(ToyModel(inputLength: 1, blocks: [3])))
    refuse(.shape, ["cache of block 0"], decode: ToySource(ToyModel(inputLength: 1, blocks: [1, 2])))
    #expect(!Files.exists(root))
  }
}
