import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// ONNX Runtime, where it is installed; `Scripts/test.sh` fetches it.
private let runtime = try? OrtRuntime.load()

/// Models whose weights AWQ, GPTQ (act-order) and compressed-tensors packed, by `Scripts/make_packed_fixtures.py`: as
/// transformers computes them from the same weights unpacked.
@Suite struct PackedCheckpointTests {
  static let fixtures: [ModelFixture] = {
    let root = Fixture.repository.appendingPathComponent("Tests/CheckpointsTests/Fixtures/packed/models").path
    return ["awq-llama", "ct-llama", "gptq-act-order-qwen3"].map {
      ModelFixture(name: $0, folder: "\(root)/\($0)", checkpoint: "\(root)/\($0)")
    }
  }()
  static let actOrder = fixtures[2]

  private func options(_ count: Int, threads: Int = 1) -> DecoderEngine.Options {
    var options = DecoderEngine.Options(contextLength: count)
    options.engine = EngineOptions(threads: threads)
    options.engine.spins = 0
    return options
  }

  private func logits(
    _ fixture: ModelFixture, chunk: Int = .max / 2, _ change: (inout DecoderEngine.Options) -> Void = { _ in }
  ) throws -> [Float] {
    let ids = try fixture.ids()
    var options = options(ids.count)
    change(&options)
    return try CPUModel(openCheckpoint(fixture.checkpoint), options: options).allLogits(ids, chunk: chunk)
  }

  /// Exactly the weights that were packed; AWQ's minimums round by 2⁻¹¹ of themselves, up to 15 steps.
  @Test(arguments: fixtures) func unpackedWeightsEqualTransformers(_ fixture: ModelFixture) throws {
    let logits = try logits(fixture) { ($0.dequantizesWeights, $0.kvType) = (true, .f32) }
    let reference = try fixture.logits()
    if fixture.name == "awq-llama" {
      #expect(nmse(logits, reference) < 1e-5)
    } else {
      #expect(largestDifference(logits, reference) <= 1e-4)
    }
  }

  /// With activations in int8; see `GGUFLogitsTests` for the bound.
  @Test(arguments: fixtures) func integerProductsAreClose(_ fixture: ModelFixture) throws {
    let logits = try logits(fixture)
    #expect(nmse(logits, try fixture.logits()) < 2.5e-3)
    // The same bits, whatever the threads, the chunks, and whether the weights are merged in the pack or mapped.
    #expect(try self.logits(fixture, chunk: 4) { $0.engine.threads = 3 } == logits)
  }

  @Test(arguments: fixtures) func mappedWeightsKeepTheirOrder(_ fixture: ModelFixture) throws {
    let folder = try Folder()
    let expected = try logits(fixture)
    for _ in 0..<2 { #expect(try logits(fixture) { $0.packedFolder = folder.path } == expected) }
  }

  /// What an artefact holds is what was compiled, bit for bit.
  @Test(arguments: fixtures) func compiledModelsAreTheSame(_ fixture: ModelFixture) throws {
    let folder = try Folder()
    let expected = try logits(fixture)
    let path = folder.path + "/model.ingot"
    let set = try StageSet(share: 16, unshare: 16, total: 64)
    try ModelCompiler(openCheckpoint(fixture.checkpoint), options: CompileOptions(sets: [set])).compile(
      to: path)
    let ids = try fixture.ids()
    let checkpoint = try openWeights(path)
    let model = try CPUModel(checkpoint, options: options(ids.count))
    #expect(try model.allLogits(ids, chunk: ids.count) == expected)
    let source = try openCheckpoint(fixture.checkpoint)
    let name = "model.layers.1.self_attn.q_proj.weight"
    #expect(try checkpoint.required(name).floats() == source.required(name).floats())
  }

  private static func export(_ quantization: BlockQuantization?) -> ExportOptions {
    var options = ExportOptions(.genai)
    options.quantization = quantization
    return options
  }

  /// ONNX models in the integers of the checkpoint: no weight is rounded but by its f16 minimum. `ActOrderExportTests`
  /// has more on those with an order.
  @Test(.enabled(if: runtime != nil, "ONNX Runtime is not installed"), arguments: fixtures)
  func exportsKeepTheIntegers(_ fixture: ModelFixture) throws {
    let symmetric = fixture.name != "awq-llama"
    let scheme = try BlockQuantization(bits: 4, groupSize: 32, isSymmetric: symmetric)
    let folder = try Folder()
    let export = try ModelExport(openCheckpoint(fixture.checkpoint), options: Self.export(scheme))
    try export.write(to: folder.path, jobs: 2)
    let ids = try fixture.ids()
    let model = try ONNXModel(
      directory: folder.path, runtime: runtime!, options: .init(contextLength: ids.count, threads: 1))
    let logits = try model.allLogits(ids, chunk: ids.count)
    let error = nmse(logits, try fixture.logits())
    // Accuracy level 4 rounds activations to int8.
    #expect(error < 1e-2, "\(error)")
    // What is not rounded again loses nothing, or with minimums (2⁻¹¹)² at most; rounding loses 4e-3.
    let checkpoint = try openCheckpoint(fixture.checkpoint)
    let weight = try checkpoint.required("model.layers.1.mlp.down_proj.weight")
    let piece = WeightPiece.matMulNBits(
      Parameter(weight.name, weight.shape.dims), scheme, scales: .f32, reordered: weight.reordered != nil)
    let lost = try #require(try WeightWriter(checkpoint, jobs: 1).relativeError(of: piece))
    #expect(lost < 1e-6, "\(lost)")
  }

  /// And in floats, act-order too.
  @Test(.enabled(if: runtime != nil, "ONNX Runtime is not installed"), arguments: fixtures)
  func floatExportsEqualTransformers(_ fixture: ModelFixture) throws {
    let folder = try Folder()
    let export = try ModelExport(openCheckpoint(fixture.checkpoint), options: Self.export(nil))
    try export.write(to: folder.path, jobs: 2)
    #expect(try JSONParser.parse(path: folder.path + "/config.json")["quantization_config"] == nil)
    let ids = try fixture.ids()
    let model = try ONNXModel(
      directory: folder.path, runtime: runtime!, options: .init(contextLength: ids.count, threads: 1))
    let logits = try model.allLogits(ids, chunk: ids.count)
    #expect(nmse(logits, try fixture.logits()) < 1e-5)
    #expect(try export.verify(folder.path, runtime: runtime!, threads: 1).check(Tolerance(for: .f32)) == [])
  }
}
