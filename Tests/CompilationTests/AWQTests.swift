import Checkpoints
import Compilation
import Engine
import Foundation
import Generation
import Graph
import IngotCore
import Inspection
import Models
import NN
import Quantization
import TestSupport
import Testing

/// Tensors in memory.
final class MemoryCheckpoint: Checkpoint {
  let path = "memory"
  let config: DecoderConfig
  let tensorNames: [String]
  let metadata: GGUFMetadata? = nil
  private let tensors: [String: CheckpointTensor]

  init(_ config: DecoderConfig, _ tensors: [(String, [Int], [Float])]) throws {
    self.config = config
    tensorNames = tensors.map(\.0)
    self.tensors = Dictionary(
      uniqueKeysWithValues: try tensors.map { name, dims, values in
        let file = try values.withUnsafeBytes { try MappedFile(copying: $0, name: "memory") }
        return (
          name,
          CheckpointTensor(
            name: name, storedName: name, encoding: .plain(.f32), shape: Shape(dims), file: file,
            byteRange: 0..<4 * values.count)
        )
      })
  }

  func tensor(named name: String) -> CheckpointTensor? { tensors[name] }
}

/// A family with what others have: norms with an offset, layer norms with biases, projections with biases.
struct OddModel: CausalLM {
  static let modelTypes = ["odd"]
  let c: DecoderConfig

  init(_ config: DecoderConfig) { c = config }

  func callAsFunction(_ ids: Tensor, _ batch: Batch) -> Tensor {
    var x = Embedding("embed", c.vocabSize, c.hiddenSize)(ids)
    for layer in 0..<c.layerCount {
      let at = ParameterPath("layers") / layer
      func vector(_ name: String) -> Tensor { Tensor(parameter: "\(at / name)", [c.hiddenSize]) }
      func project(_ name: String, _ x: Tensor, _ inputs: Int, _ outputs: Int) -> Tensor {
        Linear(at / name, inputs, outputs, bias: true)(x)
      }
      let n = layerNorm(x, vector("norm.weight"), vector("norm.bias"))
      let rope = Rope(at: batch.positions, rotaryDim: c.headDim)
      let q = rope(project("q", n, c.hiddenSize, c.headCount * c.headDim).heads(c.headCount))
      let k = rope(project("k", n, c.hiddenSize, c.kvHeadCount * c.headDim).heads(c.kvHeadCount))
      let v = project("v", n, c.hiddenSize, c.kvHeadCount * c.headDim).heads(c.kvHeadCount)
      let attention = pagedAttention(q, k, v, layer: layer, batch, scale: 0.35).joined()
      x = x + project("o", attention, c.headCount * c.headDim, c.hiddenSize)
      let m = rmsNorm(x, vector("second.weight"), weightOffset: 1)
      let gate = activation(.geluTanh, project("gate", m, c.hiddenSize, c.intermediateSize))
      x =
        x
        + project(
          "down", gate * project("up", m, c.hiddenSize, c.intermediateSize), c.intermediateSize, c.hiddenSize)
    }
    let last = rmsNorm(x, Tensor(parameter: "last.weight", [c.hiddenSize]), weightOffset: 1)
    return Linear("head", c.hiddenSize, c.vocabSize)(last.rows(batch.logitRows))
  }

  static let registry = ModelRegistry([OddModel.self])

  static func checkpoint() throws -> MemoryCheckpoint {
    var c = DecoderConfig(
      modelType: "odd", vocabSize: 50, hiddenSize: 32, layerCount: 2, headCount: 4, kvHeadCount: 2,
      headDim: 8,
      intermediateSize: 48)
    c.maxPositions = 64
    var numbers = SplitMix64(3)
    func tensor(_ name: String, _ dims: [Int], _ size: Float = 0.3, around: Float = 0) -> (
      String, [Int], [Float]
    ) {
      (
        name, dims,
        (0..<dims.reduce(1, *)).map { _ in around + Float.random(in: -size...size, using: &numbers) }
      )
    }
    var tensors = [
      tensor("embed.weight", [50, 32], 1), tensor("head.weight", [50, 32]), tensor("last.weight", [32]),
    ]
    for layer in 0..<2 {
      for (name, rows, columns) in [
        ("q", 32, 32), ("k", 16, 32), ("v", 16, 32), ("o", 32, 32), ("gate", 48, 32), ("up", 48, 32),
        ("down", 32, 48),
      ] {
        tensors.append(tensor("layers.\(layer).\(name).weight", [rows, columns]))
        tensors.append(tensor("layers.\(layer).\(name).bias", [rows]))
      }
      tensors.append(tensor("layers.\(layer).norm.weight", [32], around: 1))
      tensors.append(tensor("layers.\(layer).norm.bias", [32]))
      tensors.append(tensor("layers.\(layer).second.weight", [32]))
    }
    return try MemoryCheckpoint(c, tensors)
  }
}

@Suite struct AWQTests {
  static let checkpoints: [String] = ["models", "gguf-models"].flatMap { folder -> [String] in
    let root = "\(Fixture.folder)/\(folder)"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return names.sorted().filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/ids.json") }.map {
      folder == "models" ? "\(folder)/\($0)" : "\(folder)/\($0)/model.gguf"
    }
  }

  /// All weights as 32-bit floats, so that only the transform makes a difference.
  static func model(_ checkpoint: any Checkpoint, registry: ModelRegistry = .standard) throws -> CPUModel {
    var options = DecoderEngine.Options(contextLength: 64)
    options.engine = EngineOptions(threads: 1)
    options.engine.spins = 0
    (options.kvType, options.dequantizesWeights) = (.f32, true)
    return try CPUModel(checkpoint, options: options, registry: registry)
  }

  static func logits(_ checkpoint: any Checkpoint, registry: ModelRegistry = .standard) throws -> [Float] {
    let model = try model(checkpoint, registry: registry)
    let ids = (0..<24).map { ($0 * 31 + 7) % checkpoint.config.vocabSize }
    var rows: [Float] = []
    try model.forward([ModelInput(try model.makeSequence(plannedLength: 24), ids, logits: .all)]) {
      rows += $2
    }
    return rows
  }

  /// Numbers from ½ to 2 that differ from channel to channel.
  static func scale(_ layer: Int, _ group: Int, _ channel: Int) -> Float {
    0.5 + 1.5 * Float((layer * 7 + group * 5 + channel * 11) % 17) / 16
  }

  static func expectSame(_ a: [Float], _ b: [Float], _ name: String) {
    let largest = a.map(abs).max() ?? 0
    let difference = zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
    // Some sums of 32-bit floats in another scale, over a few layers.
    #expect(
      a.count == b.count && difference <= 2e-4 * max(1, largest), "\(name): \(difference) of \(largest)")
  }

  @Test(arguments: checkpoints)
  func scalesChangeNothingBeforeRounding(name: String) throws {
    let original = try openCheckpoint("\(Fixture.folder)/\(name)")
    let awq = try AWQ(original)
    #expect(awq.canScale.count == original.config.layerCount)
    // q k v, o, gate up, down.
    #expect(awq.canScale.allSatisfy { $0.count == 4 && $0[0] && $0[2] && $0[3] }, "\(awq.canScale)")
    let scaled = try AWQCheckpoint(original, awq.result(scales: Self.scale))
    let weight = "model.layers.0.mlp.down_proj.weight"
    #expect(try original.required(weight).floats() != scaled.required(weight).floats())
    Self.expectSame(try Self.logits(original), try Self.logits(scaled), name)
  }

  @Test func normsWithOffsetAndBiasesAreDividedRight() throws {
    let original = try OddModel.checkpoint()
    let awq = try AWQ(original, registry: OddModel.registry)
    #expect(awq.canScale == [[true, true, true, true], [true, true, true, true]])
    let scaled = try AWQCheckpoint(original, awq.result(scales: Self.scale))
    for name in ["norm.weight", "norm.bias", "second.weight", "v.bias", "up.bias", "o.weight"] {
      #expect(
        try original.required("layers.1.\(name)").floats() != scaled.required("layers.1.\(name)").floats(),
        "\(name)")
    }
    let (a, b) = (
      try Self.logits(original, registry: OddModel.registry),
      try Self.logits(scaled, registry: OddModel.registry)
    )
    Self.expectSame(a, b, "odd")
  }

  /// A tiny Llama of which some channels are as large as in real models, with weights as small: hard to round.
  static func withOutliers() throws -> MemoryCheckpoint {
    let c = DecoderConfig(
      modelType: "llama", vocabSize: 89, hiddenSize: 64, layerCount: 2, headCount: 4, kvHeadCount: 2,
      headDim: 16,
      intermediateSize: 96, maxPositions: 64)
    var numbers = SplitMix64(21)
    func tensor(_ name: String, _ dims: [Int], _ size: Float = 0.2, _ around: Float = 0) -> (
      String, [Int], [Float]
    ) {
      let values = (0..<dims.reduce(1, *)).map { index in
        let isLarge = index % dims[dims.count - 1] % 13 == 5
        let factor: Float =
          !isLarge ? 1 : dims.count == 1 ? 30 : name.hasSuffix("proj.weight") && dims[1] == 64 ? 0.1 : 1
        return factor * (around + Float.random(in: -size...size, using: &numbers))
      }
      return (name, dims, values)
    }
    var tensors = [
      tensor("model.embed_tokens.weight", [89, 64], 1), tensor("lm_head.weight", [89, 64], 0.3),
      ("model.norm.weight", [64], [Float](repeating: 1, count: 64)),
    ]
    for layer in 0..<2 {
      let at = "model.layers.\(layer)"
      tensors += [
        tensor("\(at).input_layernorm.weight", [64], 0.2, 1),
        tensor("\(at).post_attention_layernorm.weight", [64], 0.2, 1),
        tensor("\(at).self_attn.q_proj.weight", [64, 64]), tensor("\(at).self_attn.k_proj.weight", [32, 64]),
        tensor("\(at).self_attn.v_proj.weight", [32, 64]), tensor("\(at).self_attn.o_proj.weight", [64, 64]),
        tensor("\(at).mlp.gate_proj.weight", [96, 64]), tensor("\(at).mlp.up_proj.weight", [96, 64]),
        tensor("\(at).mlp.down_proj.weight", [64, 96]),
      ]
    }
    return try MemoryCheckpoint(c, tensors)
  }

  static let tokens = (0..<256).map { ($0 * $0 * 3 + $0 * 17) % 89 }

  static func rounder() throws -> GroupedRounder {
    GroupedRounder(try GroupedFormat(bits: 4, groupSize: 32, hasMinimum: true))
  }

  static func options() -> AWQOptions {
    var options = AWQOptions()
    (options.sequenceLength, options.sampleRows) = (32, 64)
    return options
  }

  static func recipe() throws -> QuantizationRecipe {
    QuantizationRecipe(try WeightMode(named: "int4:32:asym"))
  }

  static func divergence(_ checkpoint: any Checkpoint, from base: any Checkpoint) throws -> Double {
    let windows = try EvaluationWindows((0..<128).map { ($0 * 29 + 3) % 89 }, length: 32)
    return try QualityComparison.run(
      model(try QuantizedCheckpoint(checkpoint, recipe())), base: model(base), windows
    ).divergence.mean.value
  }

  @Test func roundingCostsLessAfterwards() throws {
    let original = try Self.withOutliers()
    let result = try AWQ(original, options: Self.options()).search(Self.tokens, Self.recipe())
    #expect(result.groups.allSatisfy { $0.error <= $0.plainError })
    #expect(result.groups.contains { ($0.ratio ?? 0) > 0 } && result.groups.contains { $0.clipped > 0 })
    let scaled = try AWQCheckpoint(original, result)
    let (before, after) = (
      try Self.divergence(original, from: original), try Self.divergence(scaled, from: original)
    )
    #expect(after < 0.7 * before, "\(before) to \(after)")
  }

  /// The first token of a sequence is what attention falls back on; real models make it huge in some channels.
  @Test func theFirstTokenOfEverySequenceIsMeasured() {
    var sample = InputSample(width: 2)
    let rows = (0..<20).map { Float($0) }
    for _ in 0..<2 { rows.withUnsafeBufferPointer { sample.add($0, keeping: 3) } }
    #expect(sample.rows == [0, 1, 6, 7, 12, 13, 0, 1, 6, 7, 12, 13])
    #expect(sample.count == 6 && sample.meanSizes == [9, 10])
  }

  @Test func clippedWeightsStayWithinTheirLimits() throws {
    let original = try Self.withOutliers()
    let rounder = try Self.rounder()
    var options = Self.options()
    options.ratioSteps = 1
    let result = try AWQ(original, options: options).search(Self.tokens) { _ in rounder }
    let clipped = try AWQCheckpoint(original, result)
    var changed = 0
    for name in original.tensorNames {
      let (a, b) = (try original.required(name).floats(), try clipped.required(name).floats())
      guard a != b else { continue }
      changed += 1
      #expect(!name.contains("q_proj") && !name.contains("k_proj"), "\(name) is compared, not summed")
      for (x, y) in zip(a, b) where x != y { #expect(abs(y) < abs(x) && x * y > 0) }
    }
    #expect(changed > 0)
  }

  /// Refuses after so many rows, as if the process had ended.
  struct Failing: RowRounder {
    let rounder: GroupedRounder
    let left: Locked<Int>
    var groupSize: Int { rounder.groupSize }
    func round(_ row: UnsafeMutableBufferPointer<Float>) throws(IngotError) {
      let count = left.withLock { left in
        left -= 1
        return left
      }
      guard count >= 0 else { throw IngotError(.io, "cut short") }
      try rounder.round(row)
    }
  }

  /// Hides its format, so that nothing but `round` can be used.
  struct RowByRow: RowRounder {
    let rounder: GroupedRounder
    var groupSize: Int { rounder.groupSize }
    func round(_ row: UnsafeMutableBufferPointer<Float>) throws(IngotError) { try rounder.round(row) }
  }

  @Test(arguments: [
    ("int4", 32, true), ("int4", 32, false), ("int8", 32, true), ("int4", 64, true),
  ]) func kernelsFindWhatRowAfterRowFinds(mode: String, groupSize: Int, hasMinimum: Bool) throws {
    let original = try Self.withOutliers()
    let rounder = GroupedRounder(
      try GroupedFormat(bits: mode == "int4" ? 4 : 8, groupSize: groupSize, hasMinimum: hasMinimum))
    let awq = try AWQ(original, options: Self.options())
    // Widths of 96 take no groups of 64.
    func isRounded(_ name: String) -> Bool { groupSize == 32 || !name.contains("down") }
    let fast = try awq.search(Self.tokens) { isRounded($0) ? rounder : nil }
    let slow = try awq.search(Self.tokens) { isRounded($0) ? RowByRow(rounder: rounder) : nil }
    // The same choices; errors differ by sums in another order.
    let (a, b) = (try AWQCheckpoint(original, fast), try AWQCheckpoint(original, slow))
    for name in original.tensorNames {
      #expect(try a.required(name).floats() == b.required(name).floats(), "\(name)")
    }
    #expect(fast.groups.count == slow.groups.count)
    // Integers of 8 bits have steps enough to spare.
    #expect(mode == "int8" || fast.groups.contains { $0.clipped > 0 })
    for (a, b) in zip(fast.groups, slow.groups) {
      #expect(a.ratio == b.ratio && a.clipped == b.clipped)
      #expect(
        abs(a.error - b.error) <= 1e-5 * b.error && abs(a.plainError - b.plainError) <= 1e-5 * b.plainError)
    }
  }

  @Test func aSearchCutShortGoesOnWhereItWas() throws {
    let original = try Self.withOutliers()
    let awq = try AWQ(original, options: Self.options())
    let rounder = try Self.rounder()
    let folder = try Folder()
    let journal = folder / "journal"
    let whole = try awq.search(Self.tokens) { _ in rounder }
    let rows = Locked(Int.max)
    _ = try awq.search(Self.tokens) { _ in Failing(rounder: rounder, left: rows) }
    let needed = Int.max - rows.withLock { $0 }
    #expect(throws: IngotError.self) {
      let left = Locked(needed * 3 / 4)
      _ = try awq.search(Self.tokens, journal: journal) { _ in Failing(rounder: rounder, left: left) }
    }
    // The first layer is known: not all rows are rounded again.
    let enough = Locked(needed * 3 / 4)
    #expect(
      try awq.search(Self.tokens, journal: journal) { _ in Failing(rounder: rounder, left: enough) } == whole)
    let none = Locked(0)
    #expect(
      try awq.search(Self.tokens, journal: journal) { _ in Failing(rounder: rounder, left: none) } == whole)
    // Other options are another search.
    #expect(throws: IngotError.self) {
      _ = try awq.search(Self.tokens, journal: journal, keyedBy: "other") { _ in
        Failing(rounder: rounder, left: none)
      }
    }
  }

  @Test func damagedJournalsAreNotBelieved() throws {
    let original = try Self.withOutliers()
    let awq = try AWQ(original, options: Self.options())
    let rounder = try Self.rounder()
    let folder = try Folder()
    let journal = folder / "journal"
    let whole = try awq.search(Self.tokens, journal: journal) { _ in rounder }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
    var numbers = SplitMix64(9)
    for _ in 0..<6 {
      var data = bytes.prefix(Int.random(in: 0...bytes.count, using: &numbers))
      if !data.isEmpty { data[Int.random(in: 0..<data.count, using: &numbers)] ^= 0x11 }
      try data.write(to: URL(fileURLWithPath: journal))
      #expect(try awq.search(Self.tokens, journal: journal) { _ in rounder } == whole)
      #expect(try Data(contentsOf: URL(fileURLWithPath: journal)) == bytes)
    }
  }

  @Test func badInputIsRefused() throws {
    let original = try Self.withOutliers()
    let rounder = try Self.rounder()
    #expect(throws: IngotError.self) { try AWQ(original).search([]) { _ in rounder } }
    #expect(throws: IngotError.self) { try AWQ(original).search([1, 1 << 20]) { _ in rounder } }
    for (name, path) in [
      ("ratioSteps", \AWQOptions.ratioSteps), ("clipSteps", \.clipSteps), ("sampleRows", \.sampleRows),
      ("sequenceLength", \.sequenceLength), ("sequences", \.sequences),
    ] {
      var options = AWQOptions()
      options[keyPath: path] = 0
      let error = failure { _ = try AWQ(original, options: options) }
      #expect(error?.what.contains("\(name) is 0") == true && error?.hint?.contains("from 1 to") == true)
    }
    var options = AWQOptions()
    options.maxShrink = 1
    #expect(failure { _ = try AWQ(original, options: options) }?.what.contains("maxShrink is 1.0") == true)
    let wrong = try AWQ(try OddModel.checkpoint(), registry: OddModel.registry).result(scales: Self.scale)
    #expect(throws: IngotError.self) { try AWQCheckpoint(original, wrong) }
  }
}
