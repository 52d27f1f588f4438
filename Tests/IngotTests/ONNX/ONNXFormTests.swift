import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

@Suite(.enabled(if: onnxRuntime != nil, "ONNX Runtime is not installed")) struct ONNXFormTests {
  private func refusal(of path: String) -> IngotError? {
    failure { _ = try ONNXModel(directory: path, runtime: onnxRuntime!) }
  }

  private func refusal(of export: ExportFolder) -> IngotError? {
    withExtendedLifetime(export) { refusal(of: export.path) }
  }

  @Test(arguments: [
    (ExportCase.staged, "prefill/block1.onnx"), (.staged, "prefill/output.onnx"),
    (.staged, "prefill/embed.onnx"),
    (.packedBSHD, "decoders_0.onnx"), (.packedBSHD, "decoders_1.onnx"), (.packed, "norm.onnx"),
    (.device, "block_cache_1.onnx"), (.device, "block_0.onnx"), (.device, "lm_head.onnx"),
    (.device, "embedding.onnx"), (.genai, "model.onnx.data"),
  ])
  func aMissingPartIsNamed(form: ExportCase, file: String) throws {
    let export = try ExportFolder(.qwen3, form.options)
    try export.remove(file)
    let error = refusal(of: export.path)
    #expect(error != nil)
    let text = error?.description ?? ""
    let name = file.split(separator: "/").last ?? ""
    // A last layer that is missing shows in the number of layers.
    #expect(text.contains(name) || text.contains("layers"))
  }

  @Test func headsWithoutLogitsAreRefused() throws {
    var options = ExportOptions(.packed)
    options.topK = 3
    #expect(refusal(of: try ExportFolder(.qwen3, options))?.hint == "export it without --top-k")
    options = ExportCase.device.options
    options.head = .top1
    #expect(refusal(of: try ExportFolder(.qwen3, options))?.hint == "export it with --head logits")
  }

  @Test(arguments: [ExportCase.genai, .packed]) func partsOfOtherModelsAreRefused(form: ExportCase) throws {
    var options = form.options
    options.isSubmodel = true
    let error = refusal(of: try ExportFolder(.qwen3, options))
    #expect(error?.kind == .unsupported)
    #expect(error?.what.contains("takes no tokens") == true)
  }

  @Test func foldersOfTwoExportsDoNotShareACache() throws {
    let (long, short) = (try ExportFolder(.qwen3, ExportCase.staged.options), try shorter())
    let folder = try Folder()
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/prefill", withDestinationPath: long.path + "/prefill")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/decode", withDestinationPath: short.path + "/prefill/decode")
    let error = refusal(of: folder.path)
    #expect(error?.what.contains("48 slots") == true && error?.what.contains("32") == true)
  }

  private func shorter() throws -> ExportFolder {
    var options = ExportCase.staged.options
    options.cacheLength = 32
    return try ExportFolder(.qwen3, options)
  }

  @Test func unknownFormsSayWhatWasFoundAndWhatCanBeDriven() throws {
    let folder = try Folder()
    #expect(refusal(of: folder.path)?.what == "the folder has no .onnx file")
    #expect(refusal(of: folder.path + "/none")?.kind == .io)
    for name in ["encoder.onnx", "vocoder.onnx"] {
      try FileManager.default.copyItem(
        atPath: ModelFixture.folder + "/onnx/torch/model.onnx", toPath: "\(folder.path)/\(name)")
    }
    let error = refusal(of: folder.path)
    #expect(error?.kind == .unsupported)
    #expect(error?.what.contains("encoder.onnx, vocoder.onnx") == true)
    #expect(error?.hint?.contains("staged") == true && error?.hint?.contains("device") == true)
    // Neither do wrong descriptions pass: the first of these has no config, the second one of another model.
    try FileManager.default.removeItem(atPath: folder.path + "/vocoder.onnx")
    let plain = try ONNXModel(directory: folder.path, runtime: onnxRuntime!)
    #expect(plain.config.vocabSize == 40 && plain.config.layerCount == 2)
    try Data(#"{"model_type": "qwen3", "num_hidden_layers": 3}"#.utf8).write(
      to: URL(fileURLWithPath: folder.path + "/config.json"))
    #expect(refusal(of: folder.path)?.what == "the configuration has 3 layers, the files have 2")
    try Data("{".utf8).write(to: URL(fileURLWithPath: folder.path + "/config.json"))
    #expect(refusal(of: folder.path)?.kind == .format)
  }

  @Test func aTextModelOpensAFolderOfEitherKind() throws {
    let fixture = ModelFixture.qwen3
    let export = try ExportFolder(fixture, ExportCase.shared.options)
    #expect(isONNXExport(export.path) && !isONNXExport(fixture.checkpoint) && !isONNXExport("/nowhere"))
    var options = GenerationOptions()
    (options.maxTokens, options.sampling.temperature, options.ignoresEOS) = (20, 0, true)
    var engine = TextModel.Options()
    (engine.contextLength, engine.threads) = (40, 1)
    var results: [[Int]] = []
    for path in [export.path, fixture.checkpoint] {
      let text = try TextModel(path, options: engine)
      #expect(failure { _ = try text.tokenizer() } != nil)
      results.append(try text.generator.generate(prompt: [3, 1, 4, 1, 5], options: options).ids)
    }
    #expect(results[0] == results[1])
    #expect(results[0].count == 20)
    engine.ortLibrary = "/nowhere/libonnxruntime.so"
    #expect(failure { _ = try TextModel(export.path, options: engine) }?.kind == .io)
    engine.threads = 0
    #expect(failure { _ = try TextModel(export.path, options: engine) }?.kind == .argument)
    let file = export.path + "/model.onnx"
    #expect(failure { _ = try openModel(file) }?.hint == "name the folder of the export")
  }

  @Test func operatorsAreFoundInWholeFilesAndNothingBreaksInOthers() throws {
    let folder = ModelFixture.folder + "/onnx"
    #expect(OperatorScan.file(folder + "/builder/model.onnx", has: "GroupQueryAttention"))
    #expect(!OperatorScan.file(folder + "/torch/model.onnx", has: "GroupQueryAttention"))
    #expect(!OperatorScan.file(folder + "/none", has: "Add"))
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: folder + "/builder/model.onnx")))
    var random = SystemSeed(7)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<8 {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
      _ = bytes.withUnsafeBytes { OperatorScan.model($0, has: "GroupQueryAttention") }
    }
  }
}

/// Numbers that are the same in every run.
private struct SystemSeed {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 11
  }
}
