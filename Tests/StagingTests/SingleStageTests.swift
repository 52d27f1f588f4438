import Foundation
import Generation
import IngotCore
import Staging
import TestSupport
import Testing

@Suite struct SingleStageTests {
  let folder: Folder
  let model = ToyModel()
  static let tokens = [3, 17, 5]

  init() throws { folder = try Folder() }

  func embed(_ step: String, _ tokens: [Int] = tokens, past: Int = 0, _ source: ToySource? = nil) throws {
    var options = SingleStage.EmbedOptions(tokens: tokens)
    options.pastLength = past
    try SingleStage.embed(
      source ?? ToySource(model), .plain(eos: [2], padding: 2), options, to: StepFolder(folder / step))
  }

  func block(_ index: Int, _ step: String, to: String? = nil, kv: String = "kv", _ source: ToySource? = nil)
    throws
  {
    try SingleStage.block(
      source ?? ToySource(model), index: index, from: StepFolder(folder / step),
      to: StepFolder(folder / (to ?? step)), cacheFolder: folder / kv)
  }

  @discardableResult
  func output(_ step: String, to: String? = nil, _ source: ToySource? = nil) throws -> Int {
    var options = PipelineOptions.defaultSampling
    options.seed = 42
    return try SingleStage.output(
      source ?? ToySource(model), .plain(), TokenDraw(options), from: StepFolder(folder / step),
      to: StepFolder(folder / (to ?? step)))
  }

  @Test func stagesOneByOneAreThePipelineWithItsCacheInMemory() throws {
    var options = PipelineOptions(runRoot: folder / "run")
    (options.steps, options.cacheFolder, options.sampling.seed) = (5, nil, 42)
    let whole = try Pipeline(
      prefill: ToySource(model), decode: ToySource(model), text: .plain(padding: 2), prompt: Self.tokens,
      options: options)
    let result = try whole.run()
    var (tokens, past, drawn) = (Self.tokens, 0, [Int]())
    for index in 0..<5 {
      let step = "manual/" + StepFolder.name(index)
      try embed(step, tokens, past: past)
      try block(0, step)
      try block(1, step)
      past += tokens.count
      tokens = [try output(step)]
      drawn += tokens
    }
    #expect(drawn == result.ids)
    let (run, manual) = (try Folder.contents(folder / "run"), try Folder.contents(folder / "manual"))
    // step.json is the pipeline's own.
    let shared = run.filter { $0.key.hasPrefix("step_") && !$0.key.hasSuffix("step.json") }
    #expect(shared == manual && shared.count == 45)
  }

  @Test func aStageNeedsOnlyItsFilesAndItsPart() throws {
    try embed("a")
    // Each block is on a machine of its own.
    for index in 0..<2 {
      let machine = ToySource(model)
      machine.missing = Set([.embed, .block(0), .block(1), .output]).subtracting([.block(index)])
      let arrived = "machine\(index)"
      let sent = index == 0 ? "a" : "machine0-out"
      try Files.makeFolder(folder / arrived)
      for name in ["hidden_block\(index).npy", "attention_mask.npy", "position_ids.npy", "meta.json"] {
        try FileManager.default.copyItem(
          atPath: folder / "\(sent)/\(name)", toPath: folder / "\(arrived)/\(name)")
      }
      try block(index, arrived, to: "\(arrived)-out", kv: "kv\(index)", machine)
    }
    let last = ToySource(model)
    last.missing = [.embed, .block(0), .block(1)]
    let id = try output("machine1-out", to: "end", last)
    try block(0, "a")
    try block(1, "a")
    #expect(try output("a") == id)
    #expect(try Bits(folder / "a/logits.npy") == Bits(folder / "end/logits.npy"))
    #expect(try NPY.read(path: folder / "end/logits.npy").shape == [3, 19])
    #expect(try String(contentsOfFile: folder / "end/next_token_id.txt", encoding: .utf8) == "\(id)\n")
  }

  @Test func theFilesOfAStepHaveTheirForms() throws {
    try embed("a")
    let forms = [
      ("tokens.npy", DType.i64, [1, 3]), ("hidden_block0.npy", .f32, [1, 4, 8]),
      ("attention_mask.npy", .f32, [1, 1, 4, 28]), ("position_ids.npy", .i64, [1, 4]),
    ]
    for (name, dtype, dims) in forms {
      let tensor = try NPY.read(path: folder / "a/\(name)")
      #expect(tensor.dtype == dtype && tensor.shape.dims == dims, "\(name)")
    }
    #expect(try TokenFile.read(folder / "a/tokens.npy") == Self.tokens)
    #expect(try Folder.contents(folder / "a").count == 5)
  }

  @Test func whatIsComputedAnewDoesNotStandBesideOldResults() throws {
    for step in ["a"] {
      try embed(step)
      try block(0, step)
      try block(1, step)
      try output(step)
    }
    try embed("a", [1, 2])
    #expect(
      try !Folder.contents(folder / "a").keys.contains { $0.contains("block1") || $0.contains("logits") })
    expectError(.io, "hidden_block2.npy", "stage before") { try output("a") }
  }

  @Test func wrongInputIsNamedAndNothingChanges() throws {
    try embed("a")
    try block(0, "a")
    try embed("b", [4], past: 3)
    let whole = try Folder.contents(folder.path)
    func refuse(
      _ kind: IngotError.Kind, _ file: String, _ word: String, _ contents: HostTensor?,
      location: SourceLocation = #_sourceLocation, _ stage: () throws -> Void
    ) throws {
      let path = folder / file
      if let contents { try NPY.write(contents, to: path) } else { try Files.remove(path) }
      let before = try Folder.contents(folder.path)
      expectError(kind, file, word, sourceLocation: location, stage)
      #expect(try Folder.contents(folder.path) == before, sourceLocation: location)
      try whole[file]?.write(to: .init(fileURLWithPath: path))
    }
    func floats(_ dims: [Int]) throws -> HostTensor {
      let shape = Shape(dims)
      return try HostTensor([Float](repeating: 0, count: shape.count), shape: shape)
    }
    let run = { try block(0, "b") }
    try refuse(.shape, "b/hidden_block0.npy", "[1, 4, 8]", floats([1, 3, 8]), run)
    try refuse(
      .shape, "b/hidden_block0.npy", "i64", HostTensor([Int64](repeating: 0, count: 32), shape: [1, 4, 8]),
      run)
    try refuse(.io, "b/hidden_block0.npy", "cannot open", nil, run)
    try refuse(.shape, "b/attention_mask.npy", "[1, 1, 4, 28]", floats([1, 1, 4, 24]), run)
    try refuse(.shape, "b/position_ids.npy", "i64", floats([1, 4]), run)
    let moved = try HostTensor([Int64](repeating: 2, count: 4), shape: [1, 4])
    try refuse(.format, "b/position_ids.npy", "past_len 3", moved, run)
    try refuse(.io, "b/meta.json", "cannot open", nil, run)
    try refuse(.io, "kv/past_key_block0.npy", "promises 3 rows", nil, run)
    let half = try HostTensor([UInt16](repeating: 0, count: 8), dtype: .f16, shape: [8])
    try refuse(.shape, "kv/past_value_block0.npy", "[2, 1, 2, 24, 4]", half, run)
    // A step out of order.
    expectError(.argument, "past_key_block1.npy", "after 3 tokens", "holds 0") {
      try FileManager.default.copyItem(
        atPath: folder / "b/hidden_block0.npy", toPath: folder / "b/hidden_block1.npy")
      try block(1, "b")
    }
    // A step of another model.
    expectError(.shape, "meta.json", "max_cache_len is 24", "takes 16") {
      try block(0, "b", ToySource(ToyModel(cacheLength: 16)))
    }
    expectError(.shape, "meta.json", "max_input_len is 4", "takes 1") {
      try output("b", ToySource(ToyModel(inputLength: 1)))
    }
    expectError(.limit, "22", "24 rows") { try embed("c", past: 22) }
    expectError(.limit, "5 tokens", "takes 4") { try embed("c", [1, 2, 3, 4, 5]) }
    expectError(.argument, "past_len is -1") { try embed("c", past: -1) }
    expectError(.argument, "token id 19") { try embed("c", [19]) }
    #expect(!Files.exists(folder / "c"))
  }
}
