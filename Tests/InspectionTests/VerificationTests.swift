import Checkpoints
import Engine
import Generation
import IngotCore
import Inspection
import Quantization
import TestSupport
import Testing

@Suite struct VerificationTests {
  static func options(lengths: [Int] = [1, 7, 20], steps: Int = 5) -> Verification.Options {
    var options = Verification.Options()
    (options.lengths, options.steps) = (lengths, steps)
    return options
  }

  static func report(
    _ reference: any LanguageModel, _ candidate: any LanguageModel,
    _ options: Verification.Options = options()
  ) throws -> VerificationReport {
    try Verification(reference: reference, candidate: candidate, options: options).run()
  }

  @Test func aModelIsEqualToItself() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"))
    let report = try Self.report(model, try Fixture.open(Fixture.model("llama-gqa")))
    #expect(report.check(Tolerance(maxScaled: 0)) == [])
    #expect(report.total.values.maxAbsolute == 0 && report.total.top1 == 1 && report.total.meanKL == 0)
    // Prefills of 1, 7 and 20 with 5 tokens decoded after the first and the last, and 20 in pieces.
    #expect(report.cases.map(\.name) == ["prefill 1", "prefill 7", "prefill 20", "in pieces 20"])
    #expect(report.cases.map(\.prefill.rows) == [1, 7, 20, 20])
    #expect(report.cases.map(\.steps.count) == [5, 0, 5, 0])
    let layers = model.config.layerCount
    #expect(report.layers.count == layers + 1 + 2 * layers)
    for layer in report.layers {
      #expect(layer.steps.count == 6 && layer.total.maxAbsolute == 0)
      // 20 tokens, then one each: none is left out and none is seen twice.
      let width = layer.steps[1].count
      #expect(layer.steps.map(\.count) == [20 * width] + [Int](repeating: width, count: 5))
    }
  }

  /// The cases see every difference, however it comes about.
  @Test func aDifferenceBeyondSomeLengthIsSeen() throws {
    // Windows of 8 tokens in one, none in the other.
    let report = try Self.report(
      try Fixture.open(Fixture.model("mistral-sliding")), try Fixture.open(Fixture.model("mistral-full")))
    #expect(report.total.values.maxAbsolute > 0.01)
  }

  @Test func oneFaultyLayerIsFoundAndNamed() throws {
    let path = Fixture.model("llama-mqa-3-layers")
    let faulty = try AlteredCheckpoint.Fault.swappedGate.checkpoint(path, layer: 1)
    let report = try Self.report(try Fixture.open(path), try Fixture.model(faulty))
    let hidden = report.layers.filter { $0.value == .hiddenStates }.map(\.total.maxAbsolute)
    #expect(hidden.count == 4)
    #expect(hidden[0] == 0 && hidden[1] == 0 && hidden[2] > 0.01 && hidden[3] > 0.01)
    let keys = report.layers.filter { $0.value == .keys }.map(\.total.maxAbsolute)
    #expect(keys[0] == 0 && keys[1] == 0 && keys[2] > 0.01)
  }

  /// Faults in one layer, against the loosest bounds there are.
  @Test(arguments: ["llama-gqa", "qwen3-tied", "qwen2-full"], AlteredCheckpoint.Fault.allCases)
  func faultsAreBeyondEveryTolerance(name: String, fault: AlteredCheckpoint.Fault) throws {
    let path = Fixture.model(name)
    let report = try Self.report(
      try Fixture.open(path, context: 128),
      try Fixture.model(try fault.checkpoint(path, layer: 1), context: 128),
      Verification.Options())
    for precision in Precision.allCases {
      #expect(!report.check(Tolerance(for: precision)).isEmpty, "\(name), \(fault), \(precision)")
    }
  }

  /// Activations rounded to 8 bits, weights the same.
  @Test(arguments: [("llama-q4_0", Precision.int4), ("llama-q8_0", .int8)])
  func honestIntegersAreWithinTheirTolerance(name: String, precision: Precision) throws {
    let scheme = try BlockQuantization(bits: precision == .int4 ? 4 : 8, groupSize: 32, isSymmetric: true)
    let checkpoint = try openCheckpoint(Fixture.gguf(name))
    let rounded = try RoundedCheckpoint(checkpoint, WeightRounding(.f32, quantization: scheme))
    let report = try Self.report(
      try Fixture.model(rounded, context: 128), try Fixture.open(Fixture.gguf(name), context: 128),
      Verification.Options())
    #expect(report.total.values.maxAbsolute > 0)
    #expect(report.check(Tolerance(for: precision)) == [])
  }

  /// Why references are rounded: to four bits a tiny model is not the same any more.
  @Test func roundingItselfIsBeyondTheTolerance() throws {
    let path = Fixture.model("llama-gqa")
    let scheme = try BlockQuantization(bits: 4, groupSize: 32, isSymmetric: false)
    let rounding = WeightRounding(.f32, quantization: scheme)
    let candidate = try Fixture.model(try RoundedCheckpoint(try openCheckpoint(path), rounding), kvType: .f16)
    let original = try Self.report(try Fixture.open(path), candidate)
    #expect(!original.check(Tolerance(for: .int4)).isEmpty)
    let reference = try Fixture.model(try RoundedCheckpoint(try openCheckpoint(path), rounding))
    #expect(try Self.report(reference, candidate).check(Tolerance(for: .f16)) == [])
  }

  @Test(arguments: [DType.f16, .bf16]) func roundedElementsAreTheNearest(dtype: DType) throws {
    let original = try openCheckpoint(Fixture.model("qwen3-tied"))
    let rounded = try RoundedCheckpoint(original, WeightRounding(dtype))
    let name = "model.layers.0.mlp.up_proj.weight"
    let (a, b) = (try original.required(name).floats(), try rounded.required(name).floats())
    let bound: Float = dtype == .f16 ? 0x1p-11 : 0x1p-8
    for (x, y) in zip(a, b) { #expect(abs(x - y) <= abs(x) * bound + 0x1p-24) }
    #expect(rounded.failure == nil)
  }

  @Test func aTiedHeadIsRoundedAndTheEmbeddingIsNot() throws {
    let original = try openCheckpoint(Fixture.model("qwen3-tied"))
    let scheme = try BlockQuantization(bits: 4, groupSize: 32, isSymmetric: true)
    let rounded = try RoundedCheckpoint(original, WeightRounding(.f32, quantization: scheme))
    let table = try original.required("model.embed_tokens.weight").floats()
    #expect(try rounded.required("model.embed_tokens.weight").floats() == table)
    #expect(try rounded.required("lm_head.weight").floats() != table)
    #expect(!rounded.config.tiesEmbeddings)
  }

  @Test func notANumberIsNeverAgreement() throws {
    let path = Fixture.model("llama-gqa")
    let broken = try AlteredCheckpoint(
      path, ["model.layers.1.mlp.down_proj.weight": { values, _ in values.map { _ in .nan } }])
    for pair in [
      (try Fixture.open(path), try Fixture.model(broken)),
      (try Fixture.model(broken), try Fixture.open(path)),
      (try Fixture.model(broken), try Fixture.model(broken)),
    ] {
      let report = try Self.report(pair.0, pair.1)
      #expect(!report.check(Tolerance()).isEmpty)
      #expect(report.total.top1 == 0)
      #expect(report.json(Tolerance())["passed"] == .bool(false))
      #expect(report.html(nil).contains("Beyond the tolerance"))
    }
  }

  @Test func aShortContextLimitsTheLengths() throws {
    let report = try Self.report(
      try Fixture.open(Fixture.model("llama-gqa")), try Fixture.open(Fixture.model("llama-gqa"), context: 9))
    #expect(report.cases.map(\.tokenCount) == [1, 7, 7])
    #expect(report.cases.map(\.steps.count) == [5, 2, 0])
    #expect(report.notes.contains { $0.contains("20") } && report.notes.contains { $0.contains("2 of 5") })
  }

  @Test func promptsAreRunInFull() throws {
    var options = Self.options(lengths: [2, 50])
    options.prompts = [[5, 6, 7], [9, 8, 7, 6, 5]]
    options.lengths = nil
    let model = try Fixture.open(Fixture.model("llama-gqa"))
    #expect(
      try Self.report(model, model, options).cases.map(\.name) == [
        "prompt 1 prefill 3", "prompt 1 in pieces 3", "prompt 2 prefill 5", "prompt 2 in pieces 5",
      ])
  }

  @Test func impossibleRequestsAreErrors() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"))
    func kind(_ change: (inout Verification.Options) -> Void) -> IngotError.Kind? {
      var options = Self.options()
      change(&options)
      return #expect(throws: IngotError.self) { try Self.report(model, model, options) }?.kind
    }
    #expect(kind { $0.prompts = [[]] } == .argument)
    #expect(kind { $0.prompts = [[1, 100_000]] } == .argument)
    #expect(kind { $0.lengths = [0] } == .argument)
    #expect(kind { $0.lengths = [1000] } == .limit)
    #expect(kind { $0.lengths = [] } == .limit)
    #expect(kind { $0.steps = -1 } == .argument)
  }

  @Test func pseudoRandomTokensAreTheSameEveryTimeAndLeaveOutWhatTheyShould() {
    var options = Verification.Options()
    options.excludedIDs = Set(0..<50)
    let tokens = options.randomTokens(count: 500, vocabSize: 60)
    #expect(tokens == options.randomTokens(count: 500, vocabSize: 60))
    #expect(Set(tokens) == Set(50..<60))
    options.excludedIDs = Set(0..<60)
    #expect(options.randomTokens(count: 10, vocabSize: 60).count == 10)
  }
}
