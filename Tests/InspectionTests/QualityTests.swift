import Checkpoints
import Foundation
import Generation
import IngotCore
import Inspection
import TestSupport
import Testing

/// A model whose logits are given by a formula.
final class FormulaModel: LanguageModel {
  let config: DecoderConfig
  let contextLength = 64
  /// From the last token, its position and the token asked for.
  let logit: @Sendable (Int, Int, Int) -> Float
  /// Tokens of all sequences in the order they were fed.
  let fed = Locked<[Int]>([])

  init(vocabSize: Int = 11, _ logit: @escaping @Sendable (Int, Int, Int) -> Float) {
    config = DecoderConfig(
      modelType: "llama", vocabSize: vocabSize, hiddenSize: 2, layerCount: 1, headCount: 1, kvHeadCount: 1,
      headDim: 2, intermediateSize: 2)
    self.logit = logit
  }

  final class Sequence: ModelSequence {
    let length = Locked(0)
    var count: Int { length.withLock { $0 } }
    func truncate(to count: Int) { length.withLock { $0 = count } }
    func fork() -> any ModelSequence {
      let copy = Sequence()
      copy.truncate(to: count)
      return copy
    }
  }

  func makeSequence(plannedLength: Int) throws(IngotError) -> any ModelSequence { Sequence() }

  func forward(
    _ inputs: [ModelInput], onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    for (index, input) in inputs.enumerated() {
      let start = input.sequence.count
      for (offset, token) in input.tokens.enumerated() {
        fed.withLock { $0.append(token) }
        guard case .all = input.logits else { continue }
        let row = (0..<config.vocabSize).map { logit(token, start + offset, $0) }
        row.withUnsafeBufferPointer { onLogits(index, offset, $0) }
      }
      input.sequence.truncate(to: start + input.tokens.count)
    }
  }

  /// The model and the base of `Scripts/oracle/make_quality_fixtures.py`.
  static func golden() -> FormulaModel { FormulaModel { goldenLogit($0, $1, $2) } }
  static func goldenBase() -> FormulaModel {
    FormulaModel { goldenLogit($0, $1, $2) + Float(($0 + 2 * $1 + 5 * $2) % 13) / 8 - 0.75 }
  }

  private static func goldenLogit(_ token: Int, _ position: Int, _ v: Int) -> Float {
    let value = Float((7 * token + 5 * position + 3 * v * v + v) % 97) / 16 - 3
    return v == 0 ? value - 40 * Float(position % 2) : value
  }
}

@Suite struct QualityTests {
  static let golden = Fixture.folder + "/quality"

  static func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 2e-6 * max(1, abs(b)) }

  static func expect(_ report: QualityReport, is golden: JSONValue) {
    func check(_ name: String, _ value: Estimate) {
      #expect(close(value.value, golden[name]?["value"]?.double ?? .nan), "\(name)")
      #expect(close(value.error, golden[name]?["error"]?.double ?? .nan), "error of \(name)")
    }
    func check(_ name: String, _ value: Distribution) {
      let mean = golden[name]?["mean"]
      #expect(close(value.mean.value, mean?["value"]?.double ?? .nan), "\(name)")
      #expect(close(value.mean.error, mean?["error"]?.double ?? .nan), "error of \(name)")
      let quantiles = golden[name]?["quantiles"]?.array?.compactMap(\.double) ?? []
      #expect(quantiles.count == value.quantiles.count && zip(value.quantiles, quantiles).allSatisfy(close))
    }
    #expect(report.tokens == golden["tokens"]?.int && report.windows == golden["windows"]?.int)
    check("ppl", report.perplexity)
    check("ppl_base", report.basePerplexity)
    #expect(close(report.correlation, golden["ppl_correlation"]?.double ?? .nan))
    check("ln_ppl_ratio", report.logRatio)
    check("ppl_ratio", report.ratio)
    check("ppl_difference", report.difference)
    check("kl", report.divergence)
    check("delta_p", report.probabilityChange)
    check("rms_delta_p", report.rmsProbabilityChange)
    check("same_top_p", report.sameTop)
  }

  /// All sums run in double, exponentials in float: 2e-6.
  @Test func statisticsAreNumpys() throws {
    let base = try LogitsBaseFile(path: Self.golden + "/base.bin")
    #expect(base.windowLength == 8 && base.vocabSize == 11 && base.windowCount == 40)
    let report = try QualityComparison.run(FormulaModel.golden(), base: base, bosID: nil)
    Self.expect(report, is: try JSONParser.parse(path: Self.golden + "/report.json"))
    // A report that knows nothing would not say this.
    #expect(report.divergence.mean.value > 0.01 && report.sameTop.value < 1)
  }

  @Test func aBaseIsWrittenAsNumpyWritesIt() throws {
    let golden = try LogitsBaseFile(path: Self.golden + "/base.bin")
    let windows = try golden.windows(bosID: nil)
    let folder = try Folder()
    let writer = try LogitsBaseWriter(path: folder / "base", windows, vocabSize: 11)
    let result = try PerplexityRun(FormulaModel.goldenBase(), windows).run(saving: writer)
    try writer.commit()
    let (ours, theirs) = (
      try Data(contentsOf: URL(fileURLWithPath: folder / "base")),
      try Data(contentsOf: URL(fileURLWithPath: Self.golden + "/base.bin"))
    )
    #expect(ours.count == theirs.count && ours.prefix(20 + 4 * 320) == theirs.prefix(20 + 4 * 320))
    let report = try JSONParser.parse(path: Self.golden + "/report.json")
    // There what is less likely than e⁻¹⁶ of the likeliest counts as that.
    let expected = try #require(report["ppl_base"]?["value"]?.double)
    #expect(result.perplexity.value > expected)
    let own = try QualityComparison.run(
      FormulaModel.golden(), base: try LogitsBaseFile(path: folder / "base"), bosID: nil)
    Self.expect(own, is: report)
  }

  @Test func twoModelsSideBySideAgreeWithTheFile() throws {
    let windows = try LogitsBaseFile(path: Self.golden + "/base.bin").windows(bosID: nil)
    let report = try QualityComparison.run(
      FormulaModel.golden(), base: FormulaModel.goldenBase(), windows)
    let expected = try JSONParser.parse(path: Self.golden + "/report.json")
    // The file rounds log-probabilities to 16 bits and drops what is below e⁻¹⁶.
    let kl = try #require(expected["kl"]?["mean"]?["value"]?.double)
    #expect(abs(report.divergence.mean.value - kl) < 2e-4)
    #expect(report.sameTop.value == expected["same_top_p"]?["value"]?.double)
  }

  /// Another implementation of the divergence is the oracle.
  @Test func divergenceIsThatOfWholeRows() throws {
    let (a, b) = (
      try Fixture.open(Fixture.model("llama-gqa"), observes: false),
      try Fixture.open(Fixture.model("llama-head-dim"), observes: false)
    )
    guard a.config.vocabSize == b.config.vocabSize else { return }
    var numbers = SplitMix64(11)
    let ids = (0..<32).map { _ in Int.random(in: 0..<a.config.vocabSize, using: &numbers) }
    let windows = try EvaluationWindows(ids, length: 16)
    let report = try QualityComparison.run(b, base: a, windows)
    var difference = LogitsDifference()
    for window in 0..<2 {
      let tokens = Array(ids[(16 * window)..<(16 * window + 15)])
      var rows: [[Float]] = []
      try a.forward([ModelInput(try a.makeSequence(plannedLength: 16), tokens, logits: .all)]) {
        rows.append(Array($2))
      }
      try b.forward([ModelInput(try b.makeSequence(plannedLength: 16), tokens, logits: .all)]) {
        _, position, row in
        guard position >= 8 else { return }
        rows[position].withUnsafeBufferPointer { difference.add($0, row) }
      }
    }
    #expect(report.tokens == 14 && difference.rows == 14 && difference.meanKL > 1e-3)
    #expect(abs(report.divergence.mean.value - difference.meanKL) < 1e-5 * max(1, difference.meanKL))
    #expect(report.sameTop.value == difference.top1)
  }

  @Test func aModelDoesNotDivergeFromItself() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"), observes: false)
    let twin = try Fixture.open(Fixture.model("llama-gqa"), observes: false)
    let ids = (0..<48).map { $0 * 7 % model.config.vocabSize }
    let report = try QualityComparison.run(model, base: twin, try EvaluationWindows(ids, length: 16))
    #expect(report.divergence.maximum == 0 && report.sameTop.value == 1)
    #expect(report.perplexity == report.basePerplexity && report.logRatio.value == 0)
    let alone = try PerplexityRun(model, try EvaluationWindows(ids, length: 16)).run()
    #expect(alone.perplexity == report.perplexity && alone.tokens == report.tokens)
  }

  @Test func windowsBeginWithBOSAndScoreTheirSecondHalf() throws {
    let model = FormulaModel { _, _, _ in 0 }
    let windows = try EvaluationWindows([1, 2, 3, 4, 5, 6, 7, 8, 9], length: 4, bosID: 10)
    #expect(windows.count == 2 && windows.scoredCount == 1)
    let result = try PerplexityRun(model, windows).run()
    // The last token of a window is only foreseen.
    #expect(model.fed.withLock { $0 } == [10, 2, 3, 10, 6, 7])
    #expect(result.tokens == 2 && Self.close(result.perplexity.value, 11))
    #expect(try EvaluationWindows(Array(0..<64), length: 8, limit: 3).count == 3)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func logitsThatAreNotNumbersAreAnError(value: Float) throws {
    let model = FormulaModel { _, _, _ in value }
    let windows = try EvaluationWindows([1, 2, 3, 4], length: 4)
    let error = #expect(throws: IngotError.self) { try PerplexityRun(model, windows).run() }
    #expect(error?.kind == .format)
  }

  @Test func whatCannotBeReadIsRefused() throws {
    #expect(throws: IngotError.self) { try EvaluationWindows([1, 2, 3], length: 4) }
    #expect(throws: IngotError.self) { try EvaluationWindows([1, 2, 3], length: 3) }
    #expect(throws: IngotError.self) { try EvaluationWindows([1, 2, 3, 4], length: 4, limit: 0) }
    let (small, large) = (FormulaModel.golden(), FormulaModel(vocabSize: 12) { _, _, _ in 0 })
    let windows = try EvaluationWindows(Array(repeating: 11, count: 4), length: 4)
    #expect(throws: IngotError.self) { try PerplexityRun(small, windows) }
    #expect(throws: IngotError.self) { try QualityComparison.run(small, base: large, windows) }
    let base = try LogitsBaseFile(path: Self.golden + "/base.bin")
    #expect(throws: IngotError.self) { try QualityComparison.run(large, base: base, bosID: nil) }
    // Longer than the context.
    let long = try EvaluationWindows(Array(repeating: 1, count: 80), length: 80)
    #expect(throws: IngotError.self) { try PerplexityRun(small, long) }
  }

  /// Whatever is in the file, it is refused with its name or read to the end.
  @Test func hostileBaseFilesAreRefused() throws {
    let folder = try Folder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.golden + "/base.bin"))
    var numbers = SplitMix64(5)
    var refused = 0
    func attempt(_ data: Data) throws {
      try data.write(to: URL(fileURLWithPath: folder / "base"))
      do {
        let base = try LogitsBaseFile(path: folder / "base")
        let report = try QualityComparison.run(FormulaModel.golden(), base: base, bosID: nil)
        #expect(report.divergence.mean.value.isFinite && report.perplexity.value.isFinite)
      } catch let error as IngotError {
        #expect(error.kind == .format || error.kind == .argument, "\(error)")
        refused += 1
      }
    }
    for length in [0, 7, 8, 19, 20, 21, whole.count / 2, whole.count - 1] {
      try attempt(whole.prefix(length))
    }
    try attempt(whole + [0])
    for place in [8, 12, 16] {
      for value in [Int32.min, -1, 0, 1, 3, 1 << 20, Int32.max] {
        var data = whole
        withUnsafeBytes(of: value.littleEndian) { data.replaceSubrange(place..<(place + 4), with: $0) }
        try attempt(data)
      }
    }
    #expect(refused == 9 + 21)
    for place in [20, 20 + 4 * 320, 24 + 4 * 320] {
      for value in [UInt32(0x7FC0_0000), 0x7F80_0000, 0xFF80_0000, 0x8000_0001, 0x4B00_0000] {
        var data = whole
        withUnsafeBytes(of: value.littleEndian) { data.replaceSubrange(place..<(place + 4), with: $0) }
        try attempt(data)
      }
    }
    #expect(refused >= 30 + 13)
    for _ in 0..<300 {
      var data = whole
      for _ in 0..<3 {
        data[Int.random(in: 0..<data.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
      }
      try attempt(data)
    }
  }

  @Test func builtInTextsAreLongAndDifferent() {
    let (a, b) = (BuiltInText.evaluation, BuiltInText.calibration)
    #expect((8_000...12_288).contains(a.utf8.count) && (8_000...12_288).contains(b.utf8.count))
    let paragraphs = Set(a.split(separator: "\n").filter { $0.count > 60 })
    #expect(paragraphs.count > 20 && paragraphs.isDisjoint(with: b.split(separator: "\n")))
  }

  @Test func reportsHaveAllFieldsAsTextAndJSON() throws {
    let base = try LogitsBaseFile(path: Self.golden + "/base.bin")
    let report = try QualityComparison.run(FormulaModel.golden(), base: base, bosID: nil)
    let json = try JSONParser.parse(report.json.description)
    #expect(json["kl"]?["p99.9"]?.double == report.divergence.quantile(0.999))
    #expect(json["kl"]?["p99"]?.double == report.divergence.quantile(0.99))
    #expect(json["delta_p"]?["p0.1"]?.double == report.probabilityChange.quantile(0.001))
    #expect(json["ppl"]?["value"]?.double == report.perplexity.value)
    for name in [
      "Mean PPL(Q)", "99.9%   KLD", "Median  KLD", "Minimum KLD", " 5.0%   Δp", "RMS Δp", "Same top p",
    ] {
      #expect(report.text.contains(name), "\(name) in \(report.text)")
    }
  }

  static let numbers: [(Double, Int, String)] = [
    (0, 2, "0.00"), (-0.004, 2, "0.00"), (1.005, 1, "1.0"), (-12.345678, 3, "-12.346"), (0.05, 3, "0.050"),
    (99.9999, 2, "100.00"), (3, 0, "3"), (.infinity, 2, "inf"),
  ]

  @Test(arguments: numbers)
  func numbersHaveFixedDigits(value: Double, digits: Int, text: String) {
    #expect(FixedPoint.text(value, digits) == text)
  }
}
