import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// ONNX Runtime, where it is installed; `Scripts/test.sh` fetches it.
private let runtime = try? OrtRuntime.load()

/// Exports run by ONNX Runtime, against the logits of transformers.
@Suite(.enabled(if: runtime != nil, "ONNX Runtime is not installed")) struct ExportTests {
  /// One way to export.
  struct Way: Sendable, CustomTestStringConvertible {
    var name: String
    var options: ExportOptions
    var testDescription: String { name }

    init(_ name: String, _ preset: ExportOptions.Preset, _ change: (inout ExportOptions) -> Void = { _ in }) {
      self.name = name
      options = ExportOptions(preset)
      // Small shapes that make the prompts of the fixtures run in several calls.
      (options.blocks, options.sequenceLength, options.cacheLength) = (2, 5, 96)
      (options.shareLength, options.unshareLength, options.totalLength) = (7, 6, 96)
      options.rotaryRows = 96
      change(&options)
    }
  }

  static let ways = [
    Way("genai", .genai), Way("genai opset 13", .genai) { $0.opset = 13 },
    Way("genai opset 18", .genai) { $0.opset = 18 }, Way("genai opset 23", .genai) { $0.opset = 23 },
    Way("genai without external data", .genai) { $0.externalData = .never }, Way("staged", .staged),
    Way("packed", .packed), Way("packed bshd", .packed) { ($0.kvLayout, $0.packSize) = (.bshd, 1) },
    Way("device", .device),
  ]

  /// The largest difference that ways of summing in 32-bit floats explain.
  private static let bound: Float = 1e-4

  private func logits(_ fixture: ModelFixture, _ way: Way, chunk: Int) throws -> [Float] {
    let folder = try Folder()
    let export = try ModelExport(openCheckpoint(fixture.checkpoint), options: way.options)
    try export.write(to: folder.path, jobs: 1)
    let ids = try fixture.ids()
    let isDynamic = way.options.cache == .growing
    let model = try ONNXModel(
      directory: folder.path, runtime: runtime!,
      options: .init(contextLength: isDynamic ? ids.count : nil, threads: 1))
    return try model.allLogits(ids, chunk: chunk)
  }

  @Test(arguments: ModelFixture.safetensors) func wholeEqualsTransformers(_ fixture: ModelFixture) throws {
    // In one piece: with longrope transformers, too, chooses the angles by the length of each call.
    let logits = try logits(fixture, Self.ways[0], chunk: .max / 2)
    #expect(largestDifference(logits, try fixture.logits()) <= Self.bound)
  }

  /// One model of every family, of odd sizes, with windows, and with angles that follow from the length.
  static let varied = ModelFixture.safetensors.filter {
    [
      "llama-mha-odd", "llama-rope-llama3", "mistral-sliding", "qwen2-sliding", "qwen3-sliding", "llama-tied",
      "llama-mqa-3-layers",
    ].contains($0.name)
  }

  @Test(arguments: varied, ways) func everyWayEqualsTransformers(_ fixture: ModelFixture, _ way: Way) throws {
    let logits = try logits(fixture, way, chunk: 11)
    #expect(largestDifference(logits, try fixture.logits()) <= Self.bound)
  }

  @Test func runtimeOperatorsEqualTransformers() throws {
    let way = Way("ort", .genai) { $0.operators = .ort }
    let fixtures = ModelFixture.safetensors.filter {
      ["llama-rope-llama3", "llama-rope-longrope-below", "qwen3-sliding", "llama-bf16"].contains($0.name)
    }
    #expect(fixtures.count == 4)
    for fixture in fixtures {
      guard try openCheckpoint(fixture.checkpoint).config.headDim % 8 == 0 else {
        #expect(throws: IngotError.self) { try logits(fixture, way, chunk: 9) }
        continue
      }
      #expect(largestDifference(try logits(fixture, way, chunk: 9), try fixture.logits()) <= Self.bound)
    }
  }

  /// Roundings are within what `Tolerance` allows; a scale in the wrong place is not.
  @Test(arguments: [
    Way("f16", .genai) { $0.dtype = .f16 }, Way("bf16", .staged) { $0.dtype = .bf16 },
    Way("f16", .device) { $0.dtype = .f16 },
    Way("int8", .genai) {
      $0.quantization = try? BlockQuantization(bits: 8, groupSize: 32, isSymmetric: false)
    },
    Way("int4", .packed) {
      $0.quantization = try? BlockQuantization(bits: 4, groupSize: 32, isSymmetric: true)
    },
    Way("int4 standard", .genai) {
      $0.operators = .standard
      $0.quantization = try? BlockQuantization(bits: 4, groupSize: 32, isSymmetric: false)
    },
    Way("int8 per channel", .genai) {
      $0.operators = .standard
      $0.quantization = try? BlockQuantization(bits: 8, groupSize: nil, isSymmetric: true)
    },
  ]) func roundedWeightsPassVerification(_ way: Way) throws {
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "qwen3-tied" })
    let folder = try Folder()
    let export = try ModelExport(openCheckpoint(fixture.checkpoint), options: way.options)
    try export.write(to: folder.path, jobs: 2)
    let report = try export.verify(folder.path, runtime: runtime!, threads: 1)
    #expect(report.check(Tolerance(for: export.precision)) == [])
    #expect(report.total.values.maxAbsolute > 0)
  }

  @Test func verificationFindsABrokenExport() throws {
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "llama-gqa" })
    let folder = try Folder()
    let export = try ModelExport(
      openCheckpoint(fixture.checkpoint), options: Way("f16", .genai) { $0.dtype = .f16 }.options)
    try export.write(to: folder.path, jobs: 1)
    let path = folder.path + "/model.onnx.data"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // A kilobyte of the second quarter: some matrix.
    for index in bytes.count / 4..<bytes.count / 4 + 1024 { bytes[index] ^= 0x40 }
    try bytes.write(to: URL(fileURLWithPath: path))
    let report = try export.verify(folder.path, runtime: runtime!, threads: 1)
    #expect(!report.check(Tolerance(for: .f16)).isEmpty)
  }

  @Test(arguments: ModelFixture.gguf.filter { $0.name.contains("-q") || $0.name.contains("bf16") })
  func quantisedCheckpointsAreUnpackedExactly(_ fixture: ModelFixture) throws {
    let folder = try Folder()
    let export = try ModelExport(openCheckpoint(fixture.checkpoint), options: ExportOptions(.genai))
    try export.write(to: folder.path, jobs: 1)
    let report = try export.verify(folder.path, runtime: runtime!, threads: 1)
    #expect(report.check(Tolerance(for: .f32)) == [])
  }

  @Test func interruptedExportGoesOn() throws {
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "qwen2-full" })
    let folder = try Folder()
    let export = try ModelExport(openCheckpoint(fixture.checkpoint), options: Way("", .packed).options)
    let first = try export.write(to: folder.path, jobs: 1)
    #expect(first.kept == [])
    let before = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/embedding.onnx.data"))
    // One file is damaged, one is gone; the rest is recognised.
    try Data("no weights".utf8).write(to: URL(fileURLWithPath: folder.path + "/embedding.onnx.data"))
    try FileManager.default.removeItem(atPath: folder.path + "/norm.onnx")
    let second = try export.write(to: folder.path, jobs: 1)
    #expect(second.files == ["embedding.onnx.data", "norm.onnx"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/embedding.onnx.data")) == before)
  }
}
