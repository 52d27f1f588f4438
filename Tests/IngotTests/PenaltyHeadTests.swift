import Generation
import Ingot
import IngotCore
import Testing

/// The head of compiled models, against `Scripts/oracle/penalty_head.py`.
@Suite struct PenaltyHeadTests {
  private static func cases() throws -> [JSONValue] {
    try #require(JSONParser.parse(path: ModelFixture.folder + "/sampling/penalty_head.json").array)
  }

  private static func options(_ json: JSONValue) throws -> SamplingOptions {
    var options = SamplingOptions.penaltyHead
    options.repeatLastN = try #require(json["last_n"]?.int)
    options.repeatPenalty = try #require(json["penalty"]?.double)
    options.temperature = try #require(json["temperature"]?.double)
    options.topP = try #require(json["top_p"]?.double)
    return options
  }

  private static func numbers(_ json: JSONValue?) throws -> [Double] {
    try #require(json?.array).map { try #require($0.double) }
  }

  @Test func itAgreesWithTheGraph() throws {
    for json in try Self.cases() {
      let head = PenaltyHead(
        try Self.numbers(json["logits"]).map { Float($0) },
        recent: try Self.numbers(json["recent"]).map { Int($0) },
        try Self.options(json))
      #expect(try head.ids == Self.numbers(json["token"]).map { Int($0) })
      // Exponentials of the two libraries differ by a unit in the last place, 50 of them are added.
      for (ours, theirs) in zip(head.probabilities, try Self.numbers(json["probs"])) {
        #expect(abs(Double(ours) - theirs) <= 2e-6 * theirs + 1e-12)
      }
    }
  }

  /// χ² of draws over the probabilities of the fixture.
  @Test func theSamplerDrawsFromIt() throws {
    for (index, json) in try Self.cases().enumerated() {
      var options = try Self.options(json)
      options.seed = UInt64(index)
      let logits = try Self.numbers(json["logits"]).map { Float($0) }
      let (tokens, probs) = (try Self.numbers(json["token"]), try Self.numbers(json["probs"]))
      var sampler = try Sampler(options)
      sampler.accept(try Self.numbers(json["recent"]).map { Int($0) })
      var counts: [Int: Int] = [:]
      let draws = 1500
      try logits.withUnsafeBufferPointer { buffer in
        for _ in 0..<draws { counts[try sampler.sample(buffer), default: 0] += 1 }
      }
      var (statistic, freedom) = (0.0, 0)
      for (token, probability) in zip(tokens, probs) {
        let (mean, seen) = (probability * Double(draws), Double(counts[Int(token)] ?? 0))
        if probability < 1e-12 { #expect(seen == 0) }
        guard mean >= 8 else { continue }
        statistic += (seen - mean) * (seen - mean) / mean
        freedom += 1
      }
      // Beyond five standard deviations; the seeds are fixed.
      #expect(statistic < Double(freedom) + 5 * (2 * Double(freedom)).squareRoot() + 5)
    }
  }

  @Test func theSeedDecides() throws {
    let logits = (0..<80).map { Float($0 % 13) }
    func draw(_ seed: UInt64) throws -> [Int] {
      var options = SamplingOptions.penaltyHead
      options.seed = seed
      var sampler = try Sampler(options)
      return try (0..<30).map { _ in
        let id = try logits.withUnsafeBufferPointer { buffer in try sampler.sample(buffer) }
        sampler.accept(id)
        return id
      }
    }
    #expect(try draw(1) == draw(1))
    #expect(try draw(1) != draw(2))
  }

  @Test func extremeNumbersAreDrawnFrom() throws {
    var options = SamplingOptions.penaltyHead
    options.temperature = 1e-300
    let inputs: [[Float]] = [[3], [.nan, 1], [-.infinity, -3e38, 3e38, 1], [.infinity, 2]]
    for (logits, expected) in zip(inputs, [0, 1, 2, 0]) {
      var sampler = try Sampler(options)
      #expect(try logits.withUnsafeBufferPointer { buffer in try sampler.sample(buffer) } == expected)
    }
    for edit: (inout SamplingOptions) -> Void in [
      { $0.topK = 0 }, { $0.topK = 1001 }, { $0.presencePenalty = 1 }, { $0.frequencyPenalty = 1 },
    ] {
      var bad = SamplingOptions.penaltyHead
      edit(&bad)
      #expect(throws: IngotError.self) { try Sampler(bad) }
    }
  }
}
