import ArgumentParser
import Ingot

/// `ingot bench`: how fast a model is, and how near to what the machine can do.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the speed of prompts and of decoding, in the way of llama-bench.",
    discussion: """
      Rows are ppN (N tokens of a prompt at once) and tgN (N tokens one after another), with mean and standard \
      deviation in tokens per second; 'b8' are 8 sequences together, '@ d4096' begins with 4096 tokens in the cache. \
      'of limit' is the fraction reached of what was measured on the same threads: read bandwidth over weights and \
      cache, or the peak of 8-bit or 32-bit products, whichever is nearer. Lists are separated by commas. Tokens are \
      random.
      """)

  /// How results are printed.
  enum Form: String, ExpressibleByArgument, CaseIterable { case md, json, jsonl, csv }

  @OptionGroup var model: ModelArgument

  @Option(
    name: [.customShort("p"), .customLong("n-prompt")], parsing: .unconditional,
    help: "Tokens of prompts; 0 for none.")
  var prompt = NumberList([512])

  @Option(
    name: [.customShort("n"), .customLong("n-gen")], parsing: .unconditional,
    help: "Tokens to decode; 0 for none.")
  var generate = NumberList([128])

  @Option(
    name: .customLong("pg", withSingleDash: true), parsing: .unconditionalSingleValue,
    help: "A prompt and decoding in one, as 512,128; may be given several times.")
  var pairs: [NumberList] = []

  @Option(
    name: [.customShort("d"), .customLong("n-depth")], parsing: .unconditional,
    help: "Tokens in the cache before that.")
  var depth = NumberList([0])

  @Option(
    name: [.customShort("b"), .customLong("batch")], parsing: .unconditional,
    help: "Sequences that run together.")
  var batch = NumberList([1])

  @Option(
    name: [.customShort("t"), .customLong("threads")], parsing: .unconditional,
    help: "Numbers of threads; by default what 'ingot run' takes.")
  var threads: NumberList?

  @OptionGroup var tuning: TuningArguments

  @Option(
    name: .customLong("kv-type"), parsing: .unconditional, help: "Element types of the cache: f16, f32, i8.")
  var kvType = KVTypeList([.f16])

  @Option(
    name: [.customShort("r"), .customLong("repetitions")], parsing: .unconditional,
    help: "How often each test runs.")
  var repetitions = 5

  @Option(
    name: [.customShort("s"), .customLong("seed")], parsing: .unconditional, help: "Seed of the tokens.")
  var seed: UInt64 = 0

  @Option(
    name: [.customShort("o"), .customLong("output")], parsing: .unconditional, help: "Form of the results.")
  var output = Form.md

  @Flag(name: .customLong("no-warmup"), help: "Do not run each test once before it counts.")
  var noWarmup = false

  @Flag(help: "Open the model -r times, for the time from its path to a first token.")
  var load = false

  @Option(
    parsing: .unconditionalSingleValue,
    help:
      "Take turns with another program on the same .gguf file: llama-bench=PATH, or llama-batched-bench=PATH for -b above 1; may be given several times."
  )
  var against: [String] = []

  @OptionGroup(title: "Profile") var profile: ProfileArguments

  @Option(name: .customLong("ort-library"), help: "ONNX Runtime's library, for models in ONNX.")
  var ortLibrary: String?

  mutating func run() throws {
    try tuning.placeThreads()
    let options = try benchmarkOptions()
    let benchmark = try Benchmark(model.model, options: options)
    let status = StatusLine()
    var printer = BenchmarkPrinter(output, options)
    let (results, profilers): (BenchmarkResults, [(thread: String, profiler: Profiler)])
    do throws(IngotError) {
      (results, profilers) = try benchmark.run { event in
        status.clear()
        switch event {
        case .status(let text): status.show(text)
        case .begin(let results): printer.begin(results)
        case .row(let row): printer.row(row)
        }
      }
    } catch {
      status.clear()
      throw error
    }
    status.clear()
    try printer.finish(results)
    try profile.writeTrace(profilers)
  }

  private func benchmarkOptions() throws(IngotError) -> Benchmark.Options {
    for pair in pairs where pair.numbers.count != 2 {
      throw IngotError(.argument, "-pg takes two numbers, as 512,128; \(pair.numbers.count) were given")
    }
    for (name, list) in [("-p", prompt), ("-n", generate), ("-d", depth)] + pairs.map({ ("-pg", $0) }) {
      for number in list.numbers where number < 0 {
        throw IngotError(.argument, "\(name) is \(number); it must be at least 0")
      }
    }
    for number in batch.numbers where number < 1 {
      throw IngotError(.argument, "-b is \(number); it must be at least 1")
    }
    var options = Benchmark.Options()
    options.tests = BenchmarkTest.all(
      prompts: prompt.numbers, generates: generate.numbers,
      pairs: pairs.map { (prompt: $0.numbers[0], generate: $0.numbers[1]) }, depths: depth.numbers,
      batches: batch.numbers)
    options.threads = threads?.numbers ?? options.threads
    (options.kvTypes, options.repetitions, options.seed) = (kvType.types, repetitions, seed)
    (options.warmsUp, options.ortLibrary, options.packedFolder) = (!noWarmup, ortLibrary, tuning.packCache)
    options.chunkTokens = tuning.chunkTokens
    options.loads = load ? max(2, repetitions) : 1
    (options.profiles, options.traces) = (profile.profile, profile.trace != nil)
    for argument in against { options.peers.append(try BenchmarkPeer(argument: argument)) }
    return options
  }
}

/// Prints results as they come.
private struct BenchmarkPrinter: ~Copyable {
  private let form: BenchCommand.Form
  private let options: Benchmark.Options
  private var results: BenchmarkResults?
  private var output = Output()
  private var failure: (any Error)?

  init(_ form: BenchCommand.Form, _ options: Benchmark.Options) {
    (self.form, self.options) = (form, options)
  }

  mutating func begin(_ results: BenchmarkResults) {
    self.results = results
    switch form {
    case .md: print(BenchmarkTable(results, options).head)
    case .csv: print(BenchmarkResults.csvHead)
    case .json, .jsonl: break
    }
  }

  mutating func row(_ row: BenchmarkRow) {
    guard let results else { return }
    switch form {
    case .md: print(BenchmarkTable(results, options).line(row))
    case .csv: print(results.csv(row))
    case .jsonl: print(results.line(row).description + "\n")
    case .json: break
    }
  }

  mutating func finish(_ results: BenchmarkResults) throws {
    switch form {
    case .json: print(results.json.indented + "\n")
    case .jsonl: break
    case .csv: standardError(BenchmarkTable.comparison(results))
    case .md:
      print("\n" + BenchmarkTable.loads(results))
      let comparison = BenchmarkTable.comparison(results)
      if !comparison.isEmpty { print("\n" + comparison) }
      for row in results.rows {
        guard let profile = row.profile else { continue }
        print("\n\(row.test.name), \(BenchmarkTable.threads(row.setting.threads))\n")
        print(profile.text(results.limits(threads: row.setting.threads)))
      }
    }
    if let failure { throw failure }
  }

  private mutating func print(_ text: String) {
    guard failure == nil else { return }
    do {
      try output.write(text)
      try output.flush()
    } catch { failure = error }
  }
}
