import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// What is compiled computes what its source computes, bit for bit.
@Suite struct CompileTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  static let all = ModelFixture.safetensors + ModelFixture.gguf

  static func options(_ recipe: QuantizationRecipe = QuantizationRecipe(.keep)) throws -> CompileOptions {
    var options = CompileOptions(sets: [try StageSet(share: 0, unshare: 255, total: 256)])
    options.recipe = recipe
    options.engine.spins = 0
    return options
  }

  /// The logits of a checkpoint for a fixture's prompt.
  static func logits(_ checkpoint: any Checkpoint, _ fixture: ModelFixture) throws -> [Float] {
    let ids = try fixture.ids()
    var options = DecoderEngine.Options(contextLength: ids.count)
    options.engine = EngineOptions(threads: 1)
    options.engine.spins = 0
    return try CPUModel(checkpoint, options: options).allLogits(ids, chunk: 512)
  }

  @Test("Compiled as they are, models keep every bit", arguments: all)
  func unchanged(fixture: ModelFixture) throws {
    let source = try openCheckpoint(fixture.checkpoint)
    let path = folder / "m.ingot"
    try ModelCompiler(source, options: Self.options()).compile(to: path)
    let compiled = try ArtifactCheckpoint(path: path)
    #expect(try Self.logits(compiled, fixture) == Self.logits(source, fixture))
    // Every tensor of the model can be had again.
    for name in source.tensorNames {
      guard let tensor = compiled.tensor(named: name), let original = source.tensor(named: name),
        case .plain = original.encoding
      else { continue }
      #expect(try tensor.floats() == original.floats(), "\(name)")
    }
  }

  @Test("One scale per channel: every group of a row has the same")
  func channelScales() throws {
    let fixture = try #require(Self.all.first { $0.name == "llama-q4_k_m" })
    let source = try QuantizedCheckpoint(
      openCheckpoint(fixture.checkpoint), QuantizationRecipe(.float(.f32)))
    let path = folder / "m.ingot"
    try ModelCompiler(source, options: Self.options(.init(.channels(bits: 8)))).compile(to: path)
    let compiled = try ArtifactCheckpoint(path: path)
    #expect(compiled.manifest.quantization == "int8:channel")
    let tensor = try compiled.required("model.layers.0.mlp.up_proj.weight")
    let (original, rounded) = (try source.required(tensor.name).floats(), try tensor.floats())
    let width = tensor.shape.dims[1]
    for row in 0..<tensor.shape.dims[0] {
      let values = original[row * width..<(row + 1) * width]
      let step = (values.map(abs).max() ?? 0) / 127
      for (value, made) in zip(values, rounded[row * width..<(row + 1) * width]) {
        #expect(abs(value - made) <= step * 0.5 + abs(value) * 0x1p-11)
        // A whole number of the row's steps, but for what f16 leaves of the scale.
        #expect(abs((made / step).rounded() - made / step) <= 127 * 0x1p-11)
      }
    }
    #expect(throws: IngotError.self) { try WeightMode(named: "int8:channel:asym") }
    #expect(try WeightMode(named: "int8", groupSize: 0) == .channels(bits: 8))
  }

  @Test(
    "Quantised on the way, models compute what the quantised source computes",
    arguments: [
      "int4", "int4:64:asym", "int4:128", "int8", "int8:128:asym", "int8:channel", "int4:channel", "f16",
      "bf16", "f32",
    ],
    ["llama-gqa", "llama-tied", "llama-q4_k_m", "qwen2-q5_k_m", "llama-q8_0"])
  func quantised(mode: String, name: String) throws {
    let fixture = try #require(Self.all.first { $0.name == name })
    let recipe = QuantizationRecipe(
      try WeightMode(named: mode), overrides: [try .init("lm_head=int8"), try .init("*.o_proj.weight=f32")])
    // As floats: integers are kept.
    let source = try QuantizedCheckpoint(
      openCheckpoint(fixture.checkpoint), QuantizationRecipe(.float(.f32)))
    let quantized = try QuantizedCheckpoint(source, recipe)
    // These have widths that integers need; the others show what happens where they do not fit.
    if mode.hasPrefix("int"), name.hasSuffix("_k_m") {
      let tensor = try quantized.required("model.layers.0.mlp.up_proj.weight")
      guard case .grouped = tensor.encoding else {
        Issue.record("\(name) is not quantised: \(tensor.encoding)")
        return
      }
    }
    let direct = try Self.logits(quantized, fixture)
    let path = folder / "m.ingot"
    try ModelCompiler(source, options: Self.options(recipe)).compile(to: path)
    #expect(try Self.logits(ArtifactCheckpoint(path: path), fixture) == direct)
    // It did something.
    if mode.hasPrefix("int4") {
      #expect(try direct != Self.logits(source, fixture))
    }
  }

  @Test("Compiling again keeps the weights and changes the lengths") func again() throws {
    let fixture = try #require(Self.all.first { $0.name == "qwen3-full" || $0.name == "llama-gqa" })
    let (first, second) = (folder / "1.ingot", folder / "2.ingot")
    try ModelCompiler(
      openCheckpoint(fixture.checkpoint),
      options: Self.options(QuantizationRecipe(try .integers(bits: 8)))
    ).compile(to: first)
    var options = try Self.options()
    options.sets = [
      try StageSet(share: 32, unshare: 16, total: 64), try StageSet(share: 8, unshare: 8, total: 32),
    ]
    try ModelCompiler(openWeights(first), options: options).compile(to: second)
    let (a, b) = (try ArtifactCheckpoint(path: first), try ArtifactCheckpoint(path: second))
    #expect(a.weightDigest == b.weightDigest)
    #expect(b.manifest.sets == options.sets)
    #expect(b.manifest.quantization == a.manifest.quantization)
  }

  @Test("An encrypted model computes the same") func encrypted() throws {
    let fixture = try #require(Self.all.first { $0.name == "llama-gqa" })
    let path = folder / "m.ingot"
    var options = try Self.options()
    let key = ArtifactKey()
    options.key = key
    let source = try openCheckpoint(fixture.checkpoint)
    try ModelCompiler(source, options: options).compile(to: path)
    let compiled = try openWeights(path, keys: FixedKey(key))
    #expect(try Self.logits(compiled, fixture) == Self.logits(source, fixture))
    #expect(throws: IngotError.self) { try openWeights(path, keys: FixedKey(ArtifactKey())) }
  }

  @Test("The memory of every set adds up") func memory() throws {
    let fixture = try #require(Self.all.first { $0.name == "llama-gqa" })
    let path = folder / "m.ingot"
    var options = try Self.options()
    options.sets = [
      try StageSet(share: 64, unshare: 32, total: 128), try StageSet(share: 16, unshare: 8, total: 32),
    ]
    let result = try ModelCompiler(openCheckpoint(fixture.checkpoint), options: options).compile(to: path)
    let stages = try #require(try ArtifactCheckpoint(path: path).manifest.stages?.array)
    #expect(stages.count == 2)
    for set in stages {
      func number(_ key: String) -> Int { set["memory"]?[key]?.int ?? -1 }
      #expect(number("total") == number("weight") + number("instruct") + number("runtime"))
      #expect(number("weight") == result.weightBytes)
      #expect(set["stages"]?.array?.compactMap { $0["name"]?.string } == ["share", "unshare", "decode"])
    }
  }

  @Test("A model differs from itself by nothing, and from its rounding by something") func divergence() throws
  {
    let fixture = try #require(Self.all.first { $0.name == "llama-gqa" })
    let source = try openCheckpoint(fixture.checkpoint)
    let rounded = try QuantizedCheckpoint(source, QuantizationRecipe(try .integers(bits: 4)))
    let options = DecoderEngine.Options(contextLength: 16)
    let windows = try EvaluationWindows(
      Array(repeating: try fixture.ids(), count: 8).flatMap(\.self), length: 16)
    let report = try QualityComparison.run(
      CPUModel(rounded, options: options), base: CPUModel(source, options: options), windows)
    #expect(report.divergence.mean.value > 0)
    let same = try QualityComparison.run(
      CPUModel(source, options: options), base: CPUModel(source, options: options), windows)
    #expect(same.divergence.mean.value == 0 && same.sameTop.value == 1)
  }

  @Test("Overrides that match nothing, and modes that are none, are refused") func refused() throws {
    let fixture = try #require(Self.all.first { $0.name == "llama-gqa" })
    let source = try openCheckpoint(fixture.checkpoint)
    #expect(throws: IngotError.self) {
      try QuantizedCheckpoint(source, QuantizationRecipe(.keep, overrides: [.init("no_such=int4")]))
    }
    for text in ["int3", "int4:48", "f16:64", "int4:asym:x", ""] {
      #expect(throws: IngotError.self, "\(text)") { try WeightMode(named: text) }
    }
    #expect(try QuantizationRecipe.Override("*.mlp.*=int8").matches("model.layers.3.mlp.up_proj.weight"))
    #expect(try !QuantizationRecipe.Override("mlp.*=int8").matches("model.layers.3.mlp.up_proj.weight"))
  }
}
