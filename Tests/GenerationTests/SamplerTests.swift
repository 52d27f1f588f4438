import Generation
import IngotCore
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

@Suite struct SamplerTests {
  /// What the filters leave, and how likely each token is, by the definitions and with a full sort.
  static func reference(_ logits: [Float], _ options: SamplingOptions) -> [Int: Double] {
    var order = logits.indices.filter { !logits[$0].isNaN && logits[$0] > -.infinity }
    order.sort { (logits[$1], $0) < (logits[$0], $1) }
    if options.topK > 0 { order = Array(order.prefix(options.topK)) }
    guard let first = order.first else { return [:] }
    let best = Double(logits[first])
    let weights = order.map { exp(Double(logits[$0]) - best) }
    let total = weights.reduce(0, +)
    var kept: [Int] = []
    var sum = 0.0
    for (id, weight) in zip(order, weights)
    where sum < options.topP * total || kept.isEmpty || options.topP == 1 {
      sum += weight
      kept.append(id)
    }
    kept = kept.filter { exp(Double(logits[$0]) - best) >= options.minP }
    let scaled = kept.map { exp((Double(logits[$0]) - best) / options.temperature) }
    let scale = scaled.reduce(0, +)
    return Dictionary(uniqueKeysWithValues: zip(kept, scaled.map { $0 / scale }))
  }

  static func logits(_ count: Int, spread: Float, seed: UInt64) -> [Float] {
    var random = RandomGenerator(seed: seed)
    return (0..<count).map { _ in
      // The sum of uniform numbers: close to normal.
      let sum = (0..<6).reduce(Float(0)) { sum, _ in sum + Float(random.unit()) } - 3
      return sum * spread
    }
  }

  static func options(_ edit: (inout SamplingOptions) -> Void) -> SamplingOptions {
    var options = SamplingOptions()
    (options.topK, options.topP, options.minP, options.temperature, options.seed) = (0, 1, 0, 1, 1)
    edit(&options)
    return options
  }

  static let cases: [(String, SamplingOptions)] = [
    ("plain", options { _ in }), ("cold", options { $0.temperature = 0.4 }),
    ("top-k", options { $0.topK = 12 }), ("large top-k", options { $0.topK = 300 }),
    ("top-p", options { $0.topP = 0.6 }), ("high top-p", options { $0.topP = 0.999 }),
    ("min-p", options { $0.minP = 0.1 }), ("hot min-p", options { ($0.minP, $0.temperature) = (0.2, 3) }),
    ("top-k and top-p", options { ($0.topK, $0.topP) = (20, 0.7) }),
    ("top-p and min-p", options { ($0.topP, $0.minP) = (0.8, 0.15) }),
    (
      "defaults",
      {
        var o = SamplingOptions(); o.seed = 3; return o
      }()
    ),
  ]

  @Test(arguments: [1e-3, 1e-30, 1e-40, 1e-300, Double.leastNonzeroMagnitude])
  func tinyTemperaturesTakeTheLikeliest(temperature: Double) throws {
    var options = SamplingOptions()
    (options.temperature, options.seed) = (temperature, 1)
    var sampler = try Sampler(options)
    let logits: [Float] = [0, 1, 5, 4.5, -3]
    #expect(try logits.withUnsafeBufferPointer { try sampler.sample($0) } == 2)
  }

  @Test(arguments: cases.indices, [Float(0.5), 3, 12])
  func drawsFollowTheReference(index: Int, spread: Float) throws {
    let (name, options) = Self.cases[index]
    let logits = Self.logits(700, spread: spread, seed: UInt64(index + 1))
    let expected = Self.reference(logits, options)
    var sampler = try Sampler(options)
    var counts: [Int: Int] = [:]
    let draws = 6000
    try logits.withUnsafeBufferPointer { buffer in
      for _ in 0..<draws { counts[try sampler.sample(buffer), default: 0] += 1 }
    }
    for id in counts.keys { #expect(expected[id] != nil, "\(name): \(id) should have been filtered out") }
    // χ² over tokens expected at least 8 times, the others together.
    var (statistic, freedom, restExpected, restSeen) = (0.0, 0, 0.0, 0.0)
    for (id, probability) in expected {
      let mean = probability * Double(draws)
      let seen = Double(counts[id] ?? 0)
      if mean < 8 {
        restExpected += mean
        restSeen += seen
        continue
      }
      statistic += (seen - mean) * (seen - mean) / mean
      freedom += 1
    }
    if restExpected >= 8 {
      statistic += (restSeen - restExpected) * (restSeen - restExpected) / restExpected
      freedom += 1
    }
    // Beyond five standard deviations: once in a million for a right sampler, and the seeds are fixed.
    let bound = Double(freedom) + 5 * (2 * Double(freedom)).squareRoot() + 5
    #expect(statistic < bound, "\(name): χ² \(statistic) with \(freedom) degrees of freedom")
  }

  @Test func temperatureZeroTakesTheFirstOfTheBest() throws {
    var sampler = try Sampler(.greedy)
    #expect(try sampler.sample([1, 5, 5, 2]) == 1)
    #expect(try sampler.sample([.nan, -3, .nan, -4]) == 1)
    #expect(try sampler.sample([-.infinity, .infinity, 0]) == 1)
  }

  @Test func logitsThatAreNoNumbersAreAnError() throws {
    for var sampler in [try Sampler(.greedy), try Sampler(SamplingOptions())] {
      #expect(throws: IngotError.self) { try sampler.sample([.nan, -.infinity]) }
      #expect(throws: IngotError.self) { try sampler.sample([]) }
      #expect(try sampler.sample([.nan, 3, -.infinity]) == 1)
    }
  }

  @Test func theSeedDecides() throws {
    let logits = Self.logits(500, spread: 1, seed: 9)
    func draw(_ seed: UInt64?) throws -> [Int] {
      var sampler = try Sampler(Self.options { $0.seed = seed })
      return try (0..<40).map { _ in try sampler.sample(logits) }
    }
    #expect(try draw(7) == draw(7))
    #expect(try draw(7) != draw(8))
    #expect(try draw(nil) != draw(nil))
  }

  @Test func repeatPenaltyDividesOrMultiplies() throws {
    var options = SamplingOptions.greedy
    options.repeatPenalty = 2
    var sampler = try Sampler(options)
    sampler.accept([0, 2])
    // 4 → 2 and -1 → -2, others as they are.
    #expect(try sampler.sample([4, 2.5, -1, -1.5]) == 1)
    #expect(try sampler.sample([4, 1.9, 1, 1]) == 0)
    #expect(try sampler.sample([-9, -9, -1, -1.5]) == 3)
  }

  @Test func presenceCountsOnceAndFrequencyEachTime() throws {
    var options = SamplingOptions.greedy
    options.presencePenalty = 1
    var presence = try Sampler(options)
    presence.accept([0, 0, 0])
    #expect(try presence.sample([3, 1.9]) == 0)
    #expect(try presence.sample([3, 2.1]) == 1)
    (options.presencePenalty, options.frequencyPenalty) = (0, 0.5)
    var frequency = try Sampler(options)
    frequency.accept([0, 0, 0])
    #expect(try frequency.sample([3, 1.4]) == 0)
    #expect(try frequency.sample([3, 1.6]) == 1)
  }

  @Test(arguments: [(3, 0), (4, 1), (-1, 1), (0, 0)])
  func theWindowForgets(lastN: Int, expected: Int) throws {
    var options = SamplingOptions.greedy
    (options.presencePenalty, options.repeatLastN) = (2, lastN)
    var sampler = try Sampler(options)
    // Token 0 is four tokens back.
    sampler.accept([0, 5, 6, 7])
    #expect(try sampler.sample([3, 2, 0, 0, 0, 0, 0, 0]) == expected)
  }

  @Test func aWindowAgreesWithCountingTheLastTokens() throws {
    var random = RandomGenerator(seed: 5)
    var options = SamplingOptions.greedy
    (options.frequencyPenalty, options.repeatLastN) = (1, 10)
    var sampler = try Sampler(options)
    var history: [Int] = []
    for _ in 0..<300 {
      let logits = (0..<6).map { _ in Float(random.unit() * 4) }
      let id = try sampler.sample(logits)
      let penalised = logits.indices.map { id in
        logits[id] - Float(history.suffix(10).filter { $0 == id }.count)
      }
      #expect(id == penalised.indices.max { (penalised[$0], $1) < (penalised[$1], $0) })
      sampler.accept(id)
      history.append(id)
    }
  }

  @Test func optionsOutOfRangeAreNamed() {
    let cases: [(String, (inout SamplingOptions) -> Void)] = [
      ("temperature", { $0.temperature = -1 }), ("temperature", { $0.temperature = .nan }),
      ("temperature", { $0.temperature = .infinity }), ("top-k", { $0.topK = -1 }),
      ("top-p", { $0.topP = 0 }),
      ("top-p", { $0.topP = 1.01 }), ("top-p", { $0.topP = .nan }), ("min-p", { $0.minP = -0.1 }),
      ("min-p", { $0.minP = 1.5 }), ("repeat-penalty", { $0.repeatPenalty = 0 }),
      ("presence-penalty", { $0.presencePenalty = .infinity }),
      ("frequency-penalty", { $0.frequencyPenalty = .nan }), ("repeat-last-n", { $0.repeatLastN = -2 }),
    ]
    for (name, edit) in cases {
      let error = #expect(throws: IngotError.self) { try Sampler(Self.options(edit)) }
      #expect(error?.kind == .argument)
      #expect(error?.what.hasPrefix(name + " is") == true)
    }
  }
}

extension Sampler {
  mutating func sample(_ logits: [Float]) throws(IngotError) -> Int {
    let result: Result<Int, IngotError> = logits.withUnsafeBufferPointer { buffer in
      do throws(IngotError) { return .success(try sample(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
