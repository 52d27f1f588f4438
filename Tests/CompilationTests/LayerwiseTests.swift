import Artifact
import CKernels
import Checkpoints
import Compilation
import Engine
import Generation
import Graph
import IngotCore
import Inspection
import Quantization
import TestSupport
import Testing

/// A model run layer by layer is the model.
@Suite struct LayerwiseTests {
  static let engine = {
    var engine = EngineOptions(threads: 1)
    engine.spins = 0
    return engine
  }()

  /// Three windows of 17 tokens: 8 positions of each are scored.
  static func windows(_ checkpoint: any Checkpoint) throws -> EvaluationWindows {
    try EvaluationWindows(
      (0..<51).map { ($0 * $0 * 5 + $0 * 31 + 7) % checkpoint.config.vocabSize }, length: 17)
  }

  /// The logits of all scored positions, read in pieces of 3.
  static func logits(_ reader: some WindowLogits, _ windows: EvaluationWindows) throws -> [Float] {
    var rows: [Float] = []
    for window in 0..<windows.count {
      try reader.begin(window)
      for start in stride(from: 0, to: windows.scoredCount, by: 3) {
        var next = start
        try reader.read(window, start..<min(start + 3, windows.scoredCount)) { scored, row in
          #expect(scored == next)
          next += 1
          rows += row
        }
      }
    }
    return rows
  }

  /// Those of the engine that holds the whole model.
  static func whole(_ checkpoint: any Checkpoint, _ windows: EvaluationWindows) throws -> [Float] {
    var options = DecoderEngine.Options(contextLength: windows.length)
    (options.engine, options.kvType) = (engine, .f32)
    let model = try CPUModel(checkpoint, options: options)
    var rows: [Float] = []
    for window in 0..<windows.count {
      let sequence = try model.makeSequence(plannedLength: windows.length)
      try model.forward([ModelInput(sequence, windows.inputs(window), logits: .all)]) { _, position, row in
        if position >= windows.firstScored { rows += row }
      }
    }
    return rows
  }

  /// Every family with floats, GGUF's integers, tied and untied heads; and with no room for two windows at once.
  @Test(arguments: AWQTests.checkpoints)
  func logitsAreTheEnginesBitForBit(name: String) throws {
    let checkpoint = try openCheckpoint("\(Fixture.folder)/\(name)")
    let windows = try Self.windows(checkpoint)
    let expected = try Self.whole(checkpoint, windows)
    #expect(expected.count == 3 * 8 * checkpoint.config.vocabSize)
    for hiddenBytes in [1, 1 << 20] {
      let layerwise = try LayerwiseLogits(
        checkpoint, windows, engine: Self.engine, hiddenBytes: hiddenBytes)
      #expect(try Self.logits(layerwise, windows) == expected, "\(hiddenBytes)")
    }
  }

  @Test func everyPassOfALayerIsTold() throws {
    let checkpoint = try openCheckpoint(Fixture.model("llama-gqa"))
    let windows = try Self.windows(checkpoint)
    let count = Locked(0)
    let layerwise = try LayerwiseLogits(checkpoint, windows, engine: Self.engine) {
      count.withLock { $0 += 1 }
    }
    _ = try Self.logits(layerwise, windows)
    #expect(count.withLock { $0 } == 3 * checkpoint.config.layerCount)
  }

  /// Lends copies of a compiled file's tiles and knows who of them is still there.
  final class Lender: PackedWeightSource {
    struct Lent {
      weak var weight: PackedWeight?
      var layer: String
    }
    let artifact: ArtifactCheckpoint
    let lent = Locked<[Lent]>([])
    /// By weight lent, the layers of those that were there.
    let alive = Locked<[Set<String>]>([])

    init(_ artifact: ArtifactCheckpoint) { self.artifact = artifact }

    var path: String { artifact.path }
    var config: DecoderConfig { artifact.config }
    var tensorNames: [String] { artifact.tensorNames }
    var metadata: GGUFMetadata? { artifact.metadata }
    func files() throws(IngotError) -> any FileSource { artifact.files() }
    func tensor(named name: String) -> CheckpointTensor? { artifact.tensor(named: name) }

    func packedWeight(of parameter: Parameter, format: ingot_format, group: Int) -> PackedWeight? {
      guard let weight = artifact.packedWeight(of: parameter, format: format, group: group),
        let file = try? MappedFile(
          copying: UnsafeRawBufferPointer(start: weight.descriptor.data, count: weight.byteCount),
          name: "copy")
      else { return nil }
      let copy = PackedWeight(
        format: format, group: group, outputs: Int(weight.descriptor.n), inputs: Int(weight.descriptor.k),
        inputOrder: weight.inputOrder, in: file, offset: 0, byteCount: weight.byteCount)
      let parts = parameter.parts[0].name.split(separator: ".")
      let layer = parts.count > 3 ? "layer \(parts[2])" : parameter.parts[0].name
      lent.withLock { $0.append(Lent(weight: copy, layer: layer)) }
      let there = lent.withLock { Set($0.filter { $0.weight != nil }.map(\.layer)) }
      alive.withLock { $0.append(there) }
      return copy
    }
  }

  @Test func neverMoreThanOneLayerIsInMemory() throws {
    let folder = try Folder()
    let path = folder / "m.ingot"
    var options = CompileOptions(sets: [try StageSet(share: 0, unshare: 31, total: 32)])
    options.engine = Self.engine
    options.recipe = QuantizationRecipe(try WeightMode(named: "int8"))
    try ModelCompiler(openCheckpoint(Fixture.model("llama-gqa")), options: options)
      .compile(to: path)
    let lender = Lender(try ArtifactCheckpoint(path: path))
    let windows = try Self.windows(lender)
    let logits = try Self.logits(
      LayerwiseLogits(lender, windows, engine: Self.engine, hiddenBytes: 1), windows)
    #expect(try logits == Self.whole(lender.artifact, windows))
    let alive = lender.alive.withLock { $0 }
    // Four products of each layer, for each of three windows by itself, and the head.
    #expect(alive.count >= 3 * (4 * lender.config.layerCount + 1))
    #expect(alive.allSatisfy { $0.count == 1 }, "\(alive)")
    #expect(Set(alive.flatMap(\.self)).count > lender.config.layerCount)
  }
}
