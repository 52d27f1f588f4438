import Generation
import IngotCore
import Staging
import TestSupport
import Testing

@Suite struct ResumeTests {
  static func options(_ root: String) -> PipelineOptions {
    var options = PipelineOptions(runRoot: root)
    options.steps = 6
    (options.sampling.temperature, options.sampling.topK, options.sampling.seed) = (1.5, 12, 42)
    return options
  }

  static func run(_ options: PipelineOptions, _ source: ToySource = ToySource(ToyModel())) throws
    -> PipelineResult
  {
    try PipelineTests.pipeline(source, options).run()
  }

  /// Numbers in rows that a crash may have left half-written.
  static func spoilRows(from row: Int, _ path: String) throws {
    let tensor = try NPY.read(path: path)
    let (dims, length) = (tensor.shape.dims, tensor.shape[3] * tensor.shape[4])
    var halves: [UInt16] = tensor.array()
    for piece in 0..<dims[0] * dims[2] {
      for at in row * dims[4]..<length { halves[piece * length + at] = 0x7E00 &+ UInt16(at) }
    }
    try NPY.write(HostTensor(halves, dtype: .f16, shape: tensor.shape), to: path)
  }

  /// Two prompt chunks and five decode steps of four parts each.
  @Test(arguments: 0..<28)
  func aRunThatWasCutOffEndsAsIfItHadNot(runs: Int) throws {
    let folder = try Folder()
    let whole = try Self.run(Self.options(folder / "whole"))
    let source = ToySource(ToyModel())
    source.runsLeft = runs
    var options = Self.options(folder / "cut")
    expectError(.io, "went away") { _ = try Self.run(options, source) }
    // What the crash may have left of the step in the making.
    let steps = runs / 4
    let past = min(steps * 4, 7) + max(0, steps - 2)
    for block in 0..<2 {
      for name in ["key", "value"] {
        let path = folder / "cut/kv/past_\(name)_block\(block).npy"
        // A block whose rows are recorded has not crashed; done over, they are the same again.
        if Files.exists(path) { try Self.spoilRows(from: past, path) }
      }
    }
    options.start = .resume
    let resumed = try Self.run(options)
    #expect(resumed.ids == whole.ids && resumed.resumedSteps == steps)
    let expected = try Folder.contents(folder / "whole")
    let found = try Folder.contents(folder / "cut")
    #expect(Set(expected.keys) == Set(found.keys))
    for (name, bytes) in expected where !name.hasPrefix("kv/past_") {
      #expect(found[name] == bytes, "\(name)")
    }
    for block in 0..<2 {
      for name in ["key", "value"] {
        let files = ["whole", "cut"].map { folder / "\($0)/kv/past_\(name)_block\(block).npy" }
        let halves: [[UInt16]] = try files.map { try NPY.read(path: $0).array() }
        // 12 rows are in use; behind them may be anything.
        let rows = zip(halves[0], halves[1]).enumerated().filter { $0.offset / 4 % 24 < 12 }
        #expect(rows.allSatisfy { $0.element.0 == $0.element.1 })
      }
    }
  }

  @Test func aFinishedRunIsFinishedAndCanBeContinued() throws {
    let folder = try Folder()
    var options = Self.options(folder / "run")
    let first = try Self.run(options)
    options.start = .resume
    let source = ToySource(ToyModel())
    #expect(try Self.run(options, source).ids == first.ids && source.loads.isEmpty)
    options.steps = 9
    let longer = try Self.run(options)
    var whole = Self.options(folder / "whole")
    whole.steps = 9
    #expect(try Self.run(whole).ids == longer.ids && longer.resumedSteps == first.steps)
  }

  @Test func resumeWithNothingThereBegins() throws {
    let folder = try Folder()
    var options = Self.options(folder / "run")
    options.start = .resume
    #expect(try Self.run(options).resumedSteps == 0)
  }

  @Test func aSeedThatWasDrawnIsKept() throws {
    let folder = try Folder()
    var options = Self.options(folder / "run")
    options.sampling.seed = nil
    options.steps = 2
    _ = try Self.run(options)
    (options.start, options.steps) = (.resume, 6)
    let resumed = try Self.run(options)
    let seed = try JSONParser.parse(path: folder / "run/run.json")["seed"]?.string.flatMap { UInt64($0) }
    var again = Self.options(folder / "again")
    again.sampling.seed = seed
    #expect(seed != nil)
    #expect(try Self.run(again).ids == resumed.ids)
  }

  @Test func anotherRunsFilesAreRefusedUnlessToldOtherwise() throws {
    let folder = try Folder()
    var options = Self.options(folder / "run")
    let first = try Self.run(options)
    let before = try Folder.contents(folder / "run")
    expectError(.argument, "another run left", "--resume", "--clean") { _ = try Self.run(options) }
    // The cache alone, from another root.
    var elsewhere = Self.options(folder / "other")
    elsewhere.cacheFolder = options.cacheFolder
    expectError(.argument, "another run left", "block0") { _ = try Self.run(elsewhere) }
    elsewhere.start = .resume
    expectError(.argument, "another run left", "block0") { _ = try Self.run(elsewhere) }
    #expect(!Files.exists(folder / "other"))

    options.start = .resume
    func refuse(
      _ words: String, prompt: [Int] = PipelineTests.prompt, model: ToyModel = ToyModel(),
      _ change: (inout PipelineOptions) -> Void = { _ in }
    ) {
      var changed = options
      change(&changed)
      expectError(.argument, words, "run.json") {
        _ = try PipelineTests.pipeline(ToySource(model), changed, prompt: prompt).run()
      }
    }
    refuse("another prompt", prompt: [1, 2])
    refuse("another model", model: ToyModel(seed: 2))
    refuse("seed 42; now it is 43") { $0.sampling.seed = 43 }
    refuse("temperature 1.5; now it is 0.5") { $0.sampling.temperature = 0.5 }
    refuse("prefill_input_len 4; now it is 3", model: ToyModel(inputLength: 3))
    // The cache of another run with the same shape.
    var other = Self.options(folder / "second")
    other.sampling.seed = 7
    _ = try PipelineTests.pipeline(ToySource(ToyModel()), other, prompt: [2, 2, 2, 2, 2, 2, 2]).run()
    expectError(.argument, "not filled by this run") {
      var mixed = options
      mixed.cacheFolder = other.cacheFolder
      _ = try Self.run(mixed)
    }
    #expect(try Folder.contents(folder / "run") == before)

    options.start = .clean
    #expect(try Self.run(options).ids == first.ids)
  }

  @Test func cleanRemovesOnlyWhatIsOurs() throws {
    let folder = try Folder()
    var options = Self.options(folder / "run")
    _ = try Self.run(options)
    let mine = ["run/notes.txt", "run/step_0001/plot.png", "run/kv/readme", "run/step_1/tokens.npy"]
    try Files.makeFolder(folder / "run/step_1")
    let batch = FileBatch()
    for name in mine { try batch.add("mine", folder / name) }
    try batch.commit()
    (options.start, options.steps) = (.clean, 1)
    _ = try Self.run(options)
    for name in mine { #expect(Files.exists(folder / name), "\(name)") }
    #expect(!Files.exists(folder / "run/step_0004") && !Files.exists(folder / "run/step_0002"))
    // A failure cleans nothing.
    let before = try Folder.contents(folder / "run")
    options.steps = 1000
    expectError(.limit, "1000 steps") { _ = try Self.run(options) }
    #expect(try Folder.contents(folder / "run") == before)
  }

  @Test func editedRecordsAreRefused() throws {
    let folder = try Folder()
    var options = Self.options(folder / "run")
    _ = try Self.run(options)
    options.start = .resume
    for (name, key, value) in [
      ("step_0001/step.json", "step", "2"), ("step_0001/step.json", "past_len", "-4"),
      ("step_0002/step.json", "next_token_id", "19"), ("step_0002/step.json", "next_token_id", "1.5"),
      ("step_0001/step.json", "kv", "[\"zz\"]"), ("kv/kv_block0.json", "rows", "99"),
      ("kv/kv_block1.json", "rows", "-1"), ("kv/kv_block1.json", "rows", "\"3\""),
      ("kv/kv_block1.json", "shape", "[1,1,2,99999999999999999,4]"), ("kv/kv_block0.json", "weights", "7"),
      ("kv/kv_block0.json", "weights", "[\"block0 4096 00000000000000ff\"]"),
    ] {
      let path = folder / "run/\(name)"
      let original = try JSONParser.parse(path: path)
      var edited = try #require(original.object)
      edited[key] = try JSONParser.parse(value)
      let write = { (json: JSONValue) in
        let batch = FileBatch()
        try batch.add(json.indented, path)
        try batch.commit()
      }
      try write(.object(edited))
      do {
        _ = try Self.run(options)
        Issue.record("\(name) with \(key) \(value) was taken")
      } catch { #expect("\(error)".contains(name), "\(error)") }
      try write(original)
    }
    _ = try Self.run(options)
  }
}
