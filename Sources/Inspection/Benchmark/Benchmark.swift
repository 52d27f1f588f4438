internal import Checkpoints
public import Engine
internal import Generation
public import IngotCore

/// Runs tests on a model under all settings asked for, in turns with other programs.
public struct Benchmark: Sendable {
  /// What is run, and how often.
  public struct Options: Sendable {
    /// The tests.
    public var tests: [BenchmarkTest] = []
    /// Numbers of threads.
    public var threads: [Int] = [EngineOptions().threads]
    /// Element types of the cache, for our engine.
    public var kvTypes: [KVType] = [.f16]
    /// Rounds; the mean counts, against others the median.
    public var repetitions = 5
    /// Whether each test runs once before it counts.
    public var warmsUp = true
    /// How often the model is opened, for the time that takes.
    public var loads = 1
    /// Seed of the tokens.
    public var seed: UInt64 = 0
    /// Programs to compare with.
    public var peers: [BenchmarkPeer] = []
    /// Whether steps are timed: their sum is in the rows.
    public var profiles = false
    /// Whether single steps are kept for a trace.
    public var traces = false
    /// Most tokens of a prompt that are computed together; nil for the engine's own number.
    public var chunkTokens: Int?
    /// A folder in which packed weights are kept; nil for none.
    public var packedFolder: String?
    /// ONNX Runtime's library; nil to look for it.
    public var ortLibrary: String?

    /// The defaults, without tests.
    public init() {}
  }

  /// What happens while a benchmark runs.
  public enum Event {
    /// What is done now, for a display.
    case status(String)
    /// The machine was measured: results without rows.
    case begin(BenchmarkResults)
    /// A test has ended.
    case row(BenchmarkRow)
  }

  private let path: String
  private let options: Options
  private let isONNX: Bool

  /// Checks what can be before anything is measured.
  /// - Throws: `.argument`, naming the option.
  public init(_ path: String, options: Options) throws(IngotError) {
    (self.path, self.options, isONNX) = (path, options, isONNXExport(path))
    guard !options.tests.isEmpty || options.loads > 1 else {
      throw IngotError(.argument, "no tests", hint: "give -p, -n or -pg a number above 0, or --load")
    }
    func check(_ name: String, _ values: [Int], _ range: ClosedRange<Int>) throws(IngotError) {
      for value in values where !range.contains(value) {
        throw IngotError(
          .argument, "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
      }
    }
    let available = Machine.current.threads
    for threads in options.threads where !(1...available).contains(threads) {
      throw IngotError(.argument, "-t is \(threads); this process may run on \(available) processors")
    }
    try check("-r", [options.repetitions], 1...10_000)
    try check("-b", options.tests.map(\.batch), 1...1024)
    let tests = options.tests
    try check("-p", tests.map(\.prompt), 0...TextModel.maximumContextLength)
    try check("-n", tests.map(\.generate), 0...TextModel.maximumContextLength)
    try check("-d", tests.map(\.depth), 0...TextModel.maximumContextLength)
    if let peer = options.peers.first, isONNX || !path.lowercased().hasSuffix(".gguf") {
      throw IngotError(
        .argument, "\(peer.kind.rawValue) reads .gguf files only", at: .init(file: path),
        hint: "benchmark a .gguf file, or leave --against out")
    }
    if (options.profiles || options.traces) && isONNX {
      throw IngotError(.argument, "only our own engine is profiled, not ONNX Runtime", at: .init(file: path))
    }
  }

  /// Runs all.
  /// - Returns: the results, and profiles of the tests by name where traces are wanted.
  /// - Throws: errors of the model and of peers.
  public func run(
    onEvent: (Event) -> Void
  ) throws(IngotError) -> (results: BenchmarkResults, profilers: [(thread: String, profiler: Profiler)]) {
    let model = try ModelDescription.of(path)
    var limits: [MachineLimits] = []
    for threads in options.threads where !isONNX {
      onEvent(.status("measuring the machine, \(BenchmarkTable.threads(threads))"))
      limits.append(MachineLimits.measure(EngineOptions(threads: threads)))
    }
    var results = BenchmarkResults(model: model, machine: .current, limits: limits)
    onEvent(.begin(results))
    var profilers: [(thread: String, profiler: Profiler)] = []
    for threads in options.threads {
      let types: [KVType?] = isONNX ? [nil] : options.kvTypes
      for kvType in types {
        let title = BenchmarkTable.threads(threads) + (types.count > 1 ? ", \(kvType?.rawValue ?? "")" : "")
        let canReset = ProcessMemory.resetPeak()
        var (opened, load) = try open(threads, kvType, title, onEvent)
        let runner = BenchmarkRunner(opened, seed: options.seed)
        for test in options.tests {
          let profiler = options.profiles || options.traces ? Profiler(keepsEvents: options.traces) : nil
          let row = try run(
            test, runner, opened, load.setting, results.limits(threads: threads), profiler
          ) { onEvent(.status("\(title), \(test.name): \($0)")) }
          if let profiler, options.traces { profilers.append(("\(title), \(test.name)", profiler)) }
          results.rows.append(row)
          onEvent(.row(row))
        }
        load.peakBytes = canReset ? ProcessMemory.peak : nil
        results.loads.append(load)
      }
    }
    return (results, profilers)
  }

  /// Opens the model and computes a first token, as often as asked for.
  private func open(
    _ threads: Int, _ kvType: KVType?, _ title: String, _ onEvent: (Event) -> Void
  ) throws(IngotError) -> (model: any LanguageModel, load: BenchmarkLoad) {
    var model = TextModel.Options()
    (model.threads, model.ortLibrary, model.packedFolder) = (
      threads, options.ortLibrary, options.packedFolder
    )
    model.chunkTokens = options.chunkTokens
    model.kvType = kvType ?? model.kvType
    model.sequences = options.tests.map(\.batch).max() ?? 1
    model.contextLength = max(1, options.tests.map(\.length).max() ?? 1)
    var seconds = Samples()
    for round in 1..<max(1, options.loads) {
      onEvent(.status("\(title), opening: \(round) of \(options.loads)"))
      // Given back before the next is opened.
      seconds.values.append(try openOnce(model).seconds)
    }
    onEvent(.status("\(title), opening"))
    let last = try openOnce(model)
    seconds.values.append(last.seconds)
    let engine = (last.model as? CPUModel)?.engine
    let backend = engine.map { "cpu \($0.options.engine.instructionSet.rawValue)" } ?? "onnxruntime"
    let setting = BenchmarkSetting(threads: threads, kvType: engine == nil ? nil : kvType, backend: backend)
    return (
      last.model,
      BenchmarkLoad(
        setting: setting, seconds: seconds, weightBytes: engine?.memory.weights,
        cacheBytes: engine?.memory.cache)
    )
  }

  private func openOnce(
    _ options: TextModel.Options
  ) throws(IngotError) -> (model: any LanguageModel, seconds: Double) {
    let start = ContinuousClock.now
    let model = try openModel(path, options: options)
    let sequence = try model.makeSequence(plannedLength: 1)
    try model.forward([ModelInput(sequence, [0])]) { _, _, _ in }
    return (model, (ContinuousClock.now - start).inSeconds)
  }

  private func run(
    _ test: BenchmarkTest, _ runner: BenchmarkRunner, _ model: any LanguageModel, _ setting: BenchmarkSetting,
    _ limits: MachineLimits?, _ profiler: Profiler?, onStatus: (String) -> Void
  ) throws(IngotError) -> BenchmarkRow {
    let engine = (model as? CPUModel)?.engine
    if test.depth > 0 { onStatus("filling the cache") }
    try runner.prepare(test)
    if options.warmsUp {
      onStatus("warm-up")
      try runner.warmUp(test)
    }
    let peers = options.peers.filter { $0.runs(test) }
    var speeds = [[String: Samples]](repeating: [:], count: peers.count)
    var seconds = Samples()
    for round in 1...options.repetitions {
      onStatus("round \(round) of \(options.repetitions)")
      engine?.profiler = profiler
      seconds.values.append(try runner.run(test))
      engine?.profiler = nil
      for (index, peer) in peers.enumerated() {
        onStatus("round \(round) of \(options.repetitions), \(peer.kind.rawValue)")
        let found = try peer.run(
          test, model: path, threads: setting.threads, kvType: setting.kvType ?? .f16)
        for (name, speed) in found { speeds[index][name, default: Samples()].values.append(speed) }
      }
    }
    var row = BenchmarkRow(test: test, setting: setting, seconds: seconds)
    row.rivals = zip(peers, speeds).map { .init(peer: $0, speeds: $1) }
    if let engine, let limits { row.fraction = try test.fraction(of: seconds.mean, engine, limits) }
    row.profile = options.profiles ? profiler?.report : nil
    return row
  }
}
