import Checkpoints
import Engine
import Generation
import IngotCore
import Inspection
import TestSupport
import Testing

/// Tests, times and tables, on numbers that are known.
@Suite struct BenchmarkTests {
  @Test func testsAreNamedAsLlamaBenchNamesThem() {
    #expect(BenchmarkTest(prompt: 512).name == "pp512")
    #expect(BenchmarkTest(generate: 128, depth: 4096).name == "tg128 @ d4096")
    #expect(BenchmarkTest(prompt: 512, generate: 128).name == "pp512+tg128")
    #expect(BenchmarkTest(generate: 128, batch: 8).name == "tg128 b8")
    #expect(BenchmarkTest(prompt: 1, generate: 2, depth: 3, batch: 4).tokens == 12)
    #expect(BenchmarkTest(prompt: 1, generate: 2, depth: 3, batch: 4).length == 6)
  }

  @Test func listsMakeEveryCombinationOnce() {
    let tests = BenchmarkTest.all(
      prompts: [8, 0, 8], generates: [4], pairs: [(prompt: 2, generate: 3)], depths: [0, 16], batches: [1, 2])
    #expect(
      tests.map(\.name) == [
        "pp8", "tg4", "pp2+tg3", "pp8 b2", "tg4 b2", "pp2+tg3 b2", "pp8 @ d16", "tg4 @ d16",
        "pp2+tg3 @ d16", "pp8 b2 @ d16", "tg4 b2 @ d16", "pp2+tg3 b2 @ d16",
      ])
    #expect(BenchmarkTest.all(prompts: [0], generates: [0]).isEmpty)
  }

  @Test func samplesAreSummedUp() {
    let samples = Samples([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(samples.mean == 5 && samples.median == 4.5)
    // Σ(x − 5)² = 32, over 7.
    #expect(abs(samples.deviation - (32.0 / 7).squareRoot()) < 1e-12)
    #expect(Samples([3]).deviation == 0 && Samples([]).mean == 0 && Samples([]).median == 0)
    #expect(Samples([100, 110, 90]).meanText == "100.00 ± 10.00")
    #expect(Samples([100, 110, 90]).medianText == "100 (90–110)")
    #expect(Samples([1, 3]).medianText == "2.0 (1.0–3.0)")
  }

  static let limits = MachineLimits(
    threads: 2, instructionSet: .avx2, readBandwidth: 24e9, int8Operations: 500e9, floatOperations: 200e9,
    forkJoin: 1e-6)

  /// Two rows, one of them beside llama-bench.
  static func canned() throws -> BenchmarkResults {
    let model = ModelDescription(
      path: "m \"x\".gguf", name: "llama Q4_1", byteCount: 96_576_768, parameterCount: 134_515_008)
    var machine = Machine()
    (machine.model, machine.threads, machine.physicalCores, machine.instructionSet) = ("CPU", 2, 2, .avx2)
    machine.caches = [.init(level: 1, kind: .data, byteCount: 32 << 10, sharedBy: 1)]
    var results = BenchmarkResults(model: model, machine: machine, limits: [limits])
    let setting = BenchmarkSetting(threads: 2, kvType: .f16, backend: "cpu avx2")
    results.rows = [
      BenchmarkRow(
        test: BenchmarkTest(prompt: 512), setting: setting, seconds: Samples([0.5, 0.4]),
        fraction: LimitFraction(fraction: 0.456, bound: .int8)),
      BenchmarkRow(
        test: BenchmarkTest(generate: 128, depth: 4096), setting: setting, seconds: Samples([1, 2, 1.28]),
        rivals: [
          .init(
            peer: try BenchmarkPeer(argument: "llama-bench=/x/llama-bench"),
            speeds: ["-fa 0": Samples([20, 30, 25]), "-fa 1": Samples([40, 60, 50])])
        ]),
    ]
    results.loads = [
      BenchmarkLoad(
        setting: setting, seconds: Samples([0.25]), peakBytes: 200 << 20, weightBytes: 100 << 20,
        cacheBytes: 40 << 20)
    ]
    return results
  }

  @Test func theTableIsLlamaBenchs() throws {
    let results = try Self.canned()
    var options = Benchmark.Options()
    options.tests = results.rows.map(\.test)
    let table = BenchmarkTable(results, options)
    let lines = (table.head + results.rows.map(table.line).joined()).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "machine: CPU, 2 cores, 2 threads, L1d 32 KiB, 1 memory node, avx2")
    #expect(
      lines[1]
        == "limits: 2 threads: 24.0 GB/s read, 500 GOPS int8, 200 GFLOPS f32, fork-join 1.0 µs")
    let cells = lines.dropFirst(3).dropLast().map { line in
      line.split(separator: "|").map { cell in
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
    }
    #expect(cells[0] == ["model", "size", "params", "backend", "threads", "test", "t/s", "of limit"])
    #expect(
      cells[2]
        == ["llama Q4_1", "92.10 MiB", "134.5 M", "cpu avx2", "2", "pp512", "1152.00 ± 181.02", "46% int8"])
    #expect(cells[3][5...] == ["tg128 @ d4096", "97.33 ± 32.08", ""])
    // All as wide as the head.
    #expect(Set(lines.dropFirst(3).dropLast().map(\.count)).count == 1)
    #expect(
      BenchmarkTable.comparison(results).contains(
        "| 100 (64–128) | llama-bench | 50.0 (40.0–60.0) | -fa 1 | 2.00 |"))
    #expect(
      BenchmarkTable.loads(results)
        == "2 threads, f16: opened to first token in 0.250 s; peak memory 200.00 MiB: weights 100.00 MiB, cache 40.00 MiB, 60.00 MiB beyond\n"
    )
  }

  @Test func jsonHoldsTheSameNumbers() throws {
    let results = try Self.canned()
    let json = try JSONParser.parse(results.json.indented)
    #expect(json["machine"]?["isa"]?.string == "avx2")
    #expect(json["limits"]?.array?.first?["read_bytes_per_s"]?.double == 24e9)
    #expect(json["loads"]?.array?.first?["beyond_bytes"]?.int == 60 << 20)
    let tests = try #require(json["tests"]?.array)
    #expect(tests.count == 2 && tests[0]["avg_ts"]?.double == 1152)
    #expect(tests[0]["samples_ns"]?.array?.map(\.int) == [500_000_000, 400_000_000])
    #expect(tests[0]["limit_fraction"]?.double == 0.456 && tests[0]["limit"]?.string == "int8")
    #expect(tests[0]["against"] == nil && tests[1]["limit"]?.isNull == true)
    let rival = try #require(tests[1]["against"]?.array?.first)
    #expect(rival["setting"]?.string == "-fa 1" && rival["ratio"]?.double == 2)
    #expect(rival["samples_ts"]?["-fa 0"]?.array?.count == 3)
    let line = try JSONParser.parse(results.line(results.rows[0]).description)
    #expect(line["machine"]?["cores"]?.int == 2 && line["limits"]?["int8_ops_per_s"]?.double == 500e9)
    let (head, row) = (BenchmarkResults.csvHead, results.csv(results.rows[0]))
    #expect(
      row.hasPrefix(
        "\"m \"\"x\"\".gguf\",\"llama Q4_1\",96576768,134515008,\"cpu avx2\",2,\"f16\",\"pp512\",512,0,0,1,1152.0,"
      ))
    #expect(head.split(separator: ",").count == row.split(separator: ",").count)
  }

  /// A model that notes what it is fed.
  @Test func theRunnerFeedsWhatATestSays() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"), context: 40, sequences: 3)
    let profiler = Profiler()
    let runner = BenchmarkRunner(model, seed: 1)
    let test = BenchmarkTest(prompt: 6, generate: 4, depth: 20, batch: 3)
    try runner.prepare(test)
    for _ in 0..<2 {
      profiler.reset()
      model.engine.profiler = profiler
      #expect(try runner.run(test) > 0)
      model.engine.profiler = nil
      let report = profiler.report
      #expect(report.forwards[.prompt]?.count == 1 && report.forwards[.prompt]?.tokens == 18)
      #expect(report.forwards[.decode]?.count == 4 && report.forwards[.decode]?.tokens == 12)
      // The last attention: three sequences at 29 tokens see 30 each; all four steps see 27 to 30.
      let attention = try #require(report.byKind(.decode).first { $0.label.op == "attention" }?.total.work)
      let heads = model.config.headCount * model.config.headDim
      let keys = model.config.kvHeadCount * model.config.headDim
      // And each of the twelve tokens' queries and keys are turned: three operations an element.
      #expect(
        attention.operations
          == (4 * heads * 3 * (27 + 28 + 29 + 30) + 12 * 3 * (heads + keys)) * model.config.layerCount)
      // What is counted beforehand is what a forward then does.
      var planned = try model.engine.work(of: .init(repeating: .init(past: 20, new: 6), count: 3))
      for step in 0..<4 {
        planned += try model.engine.work(of: .init(repeating: .init(past: 26 + step, new: 1), count: 3))
      }
      var done = StepWork()
      for phase in ProfileReport.Phase.allCases {
        for row in report.byKind(phase) { done += row.total.work }
      }
      #expect(planned == done)
      // Every step of the layers is named by its weights.
      let products = report.byLabel(.decode).filter { $0.label.op == "matmul" }
      #expect(products.contains { $0.label.name == "self_attn.q_proj+k_proj+v_proj" && $0.total.calls == 8 })
      #expect(Set(report.steps[.decode]?.compactMap(\.label.layer) ?? []) == [0, 1])
      #expect(report.text(Self.limits).contains("self_attn.o_proj 48x48 f32"))
      let json = try JSONParser.parse(report.json(Self.limits).description)
      #expect(json["decode"]?["tokens"]?.int == 12)
    }
    // A shorter cache after a longer one.
    _ = try runner.run(BenchmarkTest(generate: 30))
  }

  @Test func depthTooLongForTheContextIsAnError() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"), context: 10)
    let runner = BenchmarkRunner(model)
    #expect(throws: IngotError.self) { try runner.run(BenchmarkTest(generate: 1, depth: 10)) }
  }
}
