import Engine
import Graph
import IngotCore
import NN
import TestSupport
import Testing

/// What a profile counts, against numbers worked out by hand.
@Suite struct ProfileTests {
  @Test func attentionCountsWhatQueriesSee() {
    // 3 new tokens after 5: they see 6, 7 and 8.
    let whole = ForwardLengths.Sequence(new: 3, total: 8)
    #expect(whole.visiblePairs(window: 0) == 21)
    #expect(whole.visibleTokens(window: 0) == 8)
    // With a window of 4 each sees 4, of the last 6.
    #expect(whole.visiblePairs(window: 4) == 12)
    #expect(whole.visibleTokens(window: 4) == 6)
    // From the start: 1, 2, 2.
    #expect(ForwardLengths.Sequence(new: 3, total: 3).visiblePairs(window: 2) == 5)
    #expect(ForwardLengths.Sequence(new: 0, total: 9).visibleTokens(window: 4) == 0)
  }

  @Test func aTinyNetworkIsCounted() throws {
    let network = Network()
    let (x, w) = (Tensor("x", .f32, [4, 8]), Tensor("w", .f32, [8, 16]))
    network.markOutput(activation(.silu, matmul(x, w)), "y")
    let profiler = Profiler(keepsEvents: true)
    var options = NetworkOptions.test()
    options.profiler = profiler
    let engine = try network.buildEngine(options: options)
    var random = SplitMix64(1)
    let inputs = [
      "x": try HostTensor.random(.f32, [4, 8], &random), "w": try HostTensor.random(.f32, [8, 16], &random),
    ]
    let plain = try network.buildEngine(options: .test()).forward(inputs)
    for _ in 0..<3 {
      let result = try engine.forward(inputs)
      #expect(result["y"]?.floats == plain["y"]?.floats)
    }
    let report = profiler.report
    #expect(Set(report.forwards.keys) == [.prompt])
    #expect(report.forwards[.prompt]?.count == 3)
    let kinds = Dictionary(uniqueKeysWithValues: report.byKind(.prompt).map { ($0.label.op, $0.total) })
    let product = try #require(kinds["gemm"])
    #expect(product.calls == 3)
    #expect(product.work.floatProducts == 3 * 2 * 4 * 8 * 16)
    #expect(product.work.bytes == 3 * 4 * (4 * 8 + 8 * 16 + 4 * 16))
    let silu = try #require(kinds["unary"])
    #expect(silu.work.bytes == 3 * 4 * 2 * 4 * 16 && silu.work.operations == 3 * 4 * 16)
    // Steps follow one another without gaps, so that their times are the forwards'.
    let sum = kinds.values.reduce(0) { $0 + $1.seconds }
    #expect(abs(sum - (report.forwards[.prompt]?.seconds ?? 0)) < 1e-6)
    profiler.reset()
    #expect(profiler.report.forwards.isEmpty)
  }

  @Test func tracesParseAndNest() throws {
    let network = Network()
    let x = Tensor("x", .f32, [3, 5])
    network.markOutput(activation(.exp, x) + 1, "y")
    let (profiler, other) = (Profiler(keepsEvents: true), Profiler())
    var options = NetworkOptions.test()
    options.profiler = profiler
    let engine = try network.buildEngine(options: options)
    let input = ["x": try HostTensor([Float](repeating: 1, count: 15), shape: [3, 5])]
    for _ in 0..<2 { _ = try engine.forward(input) }
    let text = Profiler.trace(of: [("a \"name\"", profiler), ("empty", other)])
    let trace = try JSONParser.parse(text)
    let events = try #require(trace["traceEvents"]?.array)
    #expect(events.filter { $0["ph"]?.string == "M" }.count == 3)
    #expect(events.contains { $0["args"]?["name"]?.string == "a \"name\"" })
    let timed = events.filter { $0["ph"]?.string == "X" }
    let forwards = timed.filter { $0["name"]?.string == "forward" }
    let steps = timed.filter { $0["name"]?.string != "forward" }
    #expect(forwards.count == 2 && steps.count == 2 * (profiler.report.steps[.prompt]?.count ?? 0))
    #expect(steps.contains { $0["cat"]?.string == "unary" })
    func span(_ event: JSONValue) throws -> (start: Double, end: Double) {
      let start = try #require(event["ts"]?.double)
      return (start, start + (try #require(event["dur"]?.double)))
    }
    for step in steps {
      let inner = try span(step)
      // Times are whole nanoseconds, as decimals of microseconds.
      let holders = try forwards.filter {
        let outer = try span($0)
        return outer.start <= inner.start + 1e-4 && inner.end <= outer.end + 1e-4
      }
      #expect(holders.count == 1)
    }
    #expect(trace["otherData"]?["dropped_events"]?.int == 0)
  }

  @Test func limitsAreNearestFirst() {
    let limits = MachineLimits(
      threads: 1, readBandwidth: 10e9, int8Operations: 100e9, floatOperations: 20e9, forkJoin: 0)
    var work = StepWork()
    (work.weightBytes, work.activationBytes, work.int8Products) = (
      4_000_000_000, 1_000_000_000, 40_000_000_000
    )
    // 0.5 s of reading, 0.4 s of products.
    #expect(LimitFraction(work, seconds: 1, limits: limits) == LimitFraction(fraction: 0.5, bound: .read))
    // Without activations both are 0.4 s.
    work.int8Products += 10_000_000_000
    let products = LimitFraction(work, seconds: 2, limits: limits, productsOnly: true)
    #expect(products == LimitFraction(fraction: 0.25, bound: .int8))
    #expect(products?.text == "25% int8")
    work.otherOperations = 20_000_000_000
    #expect(LimitFraction(work, seconds: 3, limits: limits) == LimitFraction(fraction: 0.5, bound: .int8))
    #expect(LimitFraction(StepWork(), seconds: 1, limits: limits) == nil)
    #expect(LimitFraction(work, seconds: 0, limits: limits) == nil)
  }
}
