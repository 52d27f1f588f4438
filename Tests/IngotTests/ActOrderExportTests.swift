import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// Integer exports of a checkpoint whose groups have an order of their own: x is gathered in that order, and no weight
/// is rounded again.
@Suite struct ActOrderExportTests {
  private static let fixture = PackedCheckpointTests.actOrder

  /// A form of export.
  struct Way: Sendable, CustomTestStringConvertible {
    var name: String
    var options: ExportOptions
    /// Whether activations are rounded to 8 bits.
    var roundsActivations: Bool
    var testDescription: String { name }

    init(_ name: String, _ preset: ExportOptions.Preset, bits: Int = 4, group: Int = 32, opset: Int? = nil) {
      self.name = name
      options = ExportOptions(preset)
      (options.blocks, options.sequenceLength, options.cacheLength) = (2, 5, 48)
      (options.shareLength, options.unshareLength, options.totalLength, options.rotaryRows) = (7, 6, 48, 64)
      options.opset = opset
      options.operators = opset == nil ? nil : .standard
      roundsActivations = opset == nil
      options.quantization = try? BlockQuantization(bits: bits, groupSize: group, isSymmetric: true)
    }
  }

  static let ways: [Way] = {
    var runtimeOperators = Way("genai, operators of ONNX Runtime", .genai)
    runtimeOperators.options.operators = .ort
    var inline = Way("genai, all in one file", .genai, opset: 21)
    inline.options.externalData = .never
    var packs = Way("packed, a layer in each", .packed)
    packs.options.packSize = 1
    return [
      Way("genai", .genai), Way("genai, opset 21", .genai, opset: 21),
      Way("genai, opset 23", .genai, opset: 23),
      runtimeOperators, inline, Way("genai, 8 bits", .genai, bits: 8),
      Way("genai, 8 bits, opset 21", .genai, bits: 8, opset: 21), Way("staged", .staged),
      Way("staged, opset 21", .staged, opset: 21), packs, Way("packed, opset 21", .packed, opset: 21),
      Way("device", .device), Way("device, opset 21", .device, opset: 21),
    ]
  }()

  private func export(_ way: Way, of path: String = fixture.checkpoint, to folder: String) throws
    -> ModelExport
  {
    let checkpoint = path.hasSuffix(".ingot") ? try openWeights(path) : try openCheckpoint(path)
    let export = try ModelExport(checkpoint, options: way.options)
    try export.write(to: folder, jobs: 2)
    return export
  }

  @Test(.enabled(if: onnxRuntime != nil, "ONNX Runtime is not installed"), arguments: ways)
  func equalsTransformersAndTheEngine(_ way: Way) throws {
    let folder = try Folder()
    let export = try export(way, to: folder.path)
    let ids = try Self.fixture.ids()
    var opening = ONNXModel.Options(
      contextLength: way.options.cache == .growing ? ids.count : nil, threads: 1)
    opening.roundsActivations = way.roundsActivations
    let model = try ONNXModel(directory: folder.path, runtime: onnxRuntime!, options: opening)
    let logits = try model.allLogits(ids, chunk: 5)
    let reference = try Self.fixture.logits()
    // The head, which is the embedding's, is rounded, and activations may be; layers rounded again lose 0.1.
    #expect(nmse(logits, reference) < 1e-2)
    if !way.roundsActivations {
      // The engine with the same head and the layers as they are.
      let rounding = WeightRounding(.f32, quantization: way.options.quantization)
      let rounded = try RoundedCheckpoint(openCheckpoint(Self.fixture.checkpoint), rounding)
      var options = DecoderEngine.Options(contextLength: ids.count)
      options.engine = EngineOptions(threads: 1)
      options.engine.spins = 0
      (options.kvType, options.dequantizesWeights) = (.f32, true)
      let engine = try CPUModel(rounded, options: options).allLogits(ids, chunk: ids.count)
      #expect(largestDifference(logits, engine) <= 1e-4)
    }
    #expect(
      try export.verify(folder.path, runtime: onnxRuntime!, threads: 1)
        .check(Tolerance(for: way.options.quantization?.bits == 8 ? .int8 : .int4)) == [])
  }

  /// The integers and scales in the data files are those in the checkpoint's, which are unpacked here once more.
  @Test(arguments: ways.filter { $0.options.externalData != .never })
  func integersAreTheCheckpoints(_ way: Way) throws {
    let folder = try Folder()
    let export = try export(way, to: folder.path)
    let packed = try SafetensorsFile(path: Self.fixture.checkpoint + "/model.safetensors")
    var weights = 0
    for file in export.plan.weights.files {
      let data = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(file.path)")))
      for (piece, offsets) in file.pieces {
        switch piece {
        case .dense, .computed, .inputOrder: continue
        case .matMulNBits(let parameter, let scheme, _, let reordered),
          .dequantizeLinear(let parameter, let scheme, _, let reordered):
          guard parameter.parts[0].name != "model.embed_tokens.weight" else { continue }
          #expect(reordered)
          let original = try GPTQLayer(packed, parameter)
          let stored = data[offsets[0]...]
          let isTransposed = if case .dequantizeLinear = piece { true } else { false }
          let (n, k) = (original.outputs, original.inputs)
          var codes: [Int] = []
          codes.reserveCapacity(n * k)
          for row in 0..<n {
            for column in 0..<k {
              let index = isTransposed ? column * n + row : row * k + column
              let byte = stored[offsets[0] + index * scheme.bits / 8]
              let code = scheme.bits == 8 ? Int(byte) : Int(byte >> UInt8(index % 2 * 4)) & 15
              // Around the middle for MatMulNBits, around zero for DequantizeLinear.
              let middle = 1 << (scheme.bits - 1)
              codes.append(isTransposed ? (code + middle) % (2 * middle) - middle : code - middle)
            }
          }
          #expect(codes == original.codes, "\(parameter)")
          weights += 1
        }
      }
    }
    #expect(weights == 14)
  }

  /// What exports are verified against: these weights are not rounded, and lie in natural order.
  @Test func theReferenceKeepsThem() throws {
    let checkpoint = try openCheckpoint(Self.fixture.checkpoint)
    for way in Self.ways {
      let rounding = WeightRounding(.bf16, quantization: way.options.quantization)
      let rounded = try RoundedCheckpoint(checkpoint, rounding)
      for name in checkpoint.tensorNames where name.hasSuffix("_proj.weight") {
        #expect(
          try rounded.required(name).floats() == checkpoint.required(name).floats(), "\(way.name) \(name)")
      }
    }
  }

  /// q, k and v gather once, gate and up once, unless their orders differ as in the second layer of the fixture.
  @Test func layersOfOneOrderShareTheirGather() throws {
    let way = Self.ways[0]
    let export = try ModelExport(openCheckpoint(Self.fixture.checkpoint), options: way.options)
    let model = try #require(export.plan.models.first)
    let orders = model.builder.weights.compactMap { names, piece in
      if case .inputOrder = piece { names[0] } else { nil }
    }
    #expect(
      orders == [
        "model.layers.0.self_attn.q_proj.input_order", "model.layers.0.self_attn.o_proj.input_order",
        "model.layers.0.mlp.gate_proj.input_order", "model.layers.0.mlp.down_proj.input_order",
        "model.layers.1.self_attn.q_proj.input_order", "model.layers.1.self_attn.k_proj.input_order",
        "model.layers.1.self_attn.o_proj.input_order", "model.layers.1.mlp.gate_proj.input_order",
        "model.layers.1.mlp.down_proj.input_order",
      ])
    let gathers = model.builder.nodes.filter { $0.opType == "Gather" && orders.contains($0.input.last ?? "") }
    #expect(gathers.count == orders.count)
    #expect(gathers.allSatisfy { $0.attribute.first?.i == -1 })
  }

  /// What cannot keep its integers is rounded in natural order, and gathers nothing.
  @Test func roundedWeightsGatherNothing() throws {
    for way in [Way("wider groups", .genai, group: 64), Way("floats", .genai)] {
      var options = way.options
      if way.name == "floats" { options.quantization = nil }
      let export = try ModelExport(openCheckpoint(Self.fixture.checkpoint), options: options)
      let model = try #require(export.plan.models.first)
      for (_, piece) in model.builder.weights {
        switch piece {
        case .dense, .computed: continue
        case .inputOrder: Issue.record("\(way.name) gathers")
        case .matMulNBits(_, _, _, let reordered), .dequantizeLinear(_, _, _, let reordered):
          #expect(!reordered)
        }
      }
    }
  }

  /// A compiled file keeps the order beside its tiles.
  @Test func compiledFilesExportTheSame() throws {
    let (folder, other) = (try Folder(), try Folder())
    let compiled = try Folder()
    let path = compiled.path + "/model.ingot"
    let set = try StageSet(share: 16, unshare: 16, total: 64)
    try ModelCompiler(openCheckpoint(Self.fixture.checkpoint), options: CompileOptions(sets: [set])).compile(
      to: path)
    _ = try export(Self.ways[0], to: folder.path)
    _ = try export(Self.ways[0], of: path, to: other.path)
    for name in ["model.onnx", "model.onnx.data"] {
      let files = try [folder, other].map { try Data(contentsOf: URL(fileURLWithPath: "\($0.path)/\(name)")) }
      #expect(files[0] == files[1], "\(name)")
    }
  }
}

/// The integers of a symmetric GPTQ weight of 4 bits, in the order of its groups: `qweight` [K/8, N], low bits first,
/// around 8.
private struct GPTQLayer {
  let outputs: Int
  let inputs: Int
  /// [N, K].
  let codes: [Int]

  init(_ file: SafetensorsFile, _ parameter: Parameter) throws {
    let layer = parameter.parts[0].name.split(separator: ".").dropLast().joined(separator: ".")
    let words = try Self.words(file, "\(layer).qweight")
    let groups = try Self.words(file, "\(layer).g_idx")
    let (n, k) = (parameter.dims[0], parameter.dims[1])
    (outputs, inputs) = (n, k)
    let order = groups.indices.sorted { (groups[$0], $0) < (groups[$1], $1) }
    codes = (0..<n).flatMap { row in
      order.map { Int(words[$0 / 8 * n + row] >> UInt32($0 % 8 * 4)) % 16 - 8 }
    }
  }

  private static func words(_ file: SafetensorsFile, _ name: String) throws -> [UInt32] {
    let tensor = try #require(file.tensors.first { $0.name == name })
    let bytes = try #require(tensor.storedBytes)
    return (0..<tensor.shape.count).map {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
    }
  }
}
