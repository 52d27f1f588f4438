public import Engine
internal import IngotCore

/// How a model was opened for some tests.
public struct BenchmarkSetting: Sendable, Hashable {
  /// Threads; for ONNX Runtime 0 where it chose.
  public var threads: Int
  /// Element type of the cache; nil where the back end chooses.
  public var kvType: KVType?
  /// `cpu avx2` or `onnxruntime`.
  public var backend: String

  /// Takes all.
  public init(threads: Int, kvType: KVType?, backend: String) {
    (self.threads, self.kvType, self.backend) = (threads, kvType, backend)
  }
}

/// A test's times.
public struct BenchmarkRow: Sendable {
  /// A peer's speeds.
  public struct Rival: Sendable {
    /// The program.
    public var peer: BenchmarkPeer
    /// Tokens per second by the program's setting.
    public var speeds: [String: Samples]

    /// Takes both.
    public init(peer: BenchmarkPeer, speeds: [String: Samples]) {
      (self.peer, self.speeds) = (peer, speeds)
    }

    /// The setting of the highest median.
    public var best: (setting: String, speeds: Samples)? {
      speeds.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }.map { ($0.key, $0.value) }
    }
  }

  /// What was timed.
  public var test: BenchmarkTest
  /// On what.
  public var setting: BenchmarkSetting
  /// Seconds of each repetition.
  public var seconds: Samples
  /// How near to the machine's limit the mean came; nil where limits do not apply.
  public var fraction: LimitFraction?
  /// Others on the same test.
  public var rivals: [Rival] = []
  /// Where the time went.
  public var profile: ProfileReport?

  /// Takes a test's times.
  public init(
    test: BenchmarkTest, setting: BenchmarkSetting, seconds: Samples, fraction: LimitFraction? = nil,
    rivals: [Rival] = []
  ) {
    (self.test, self.setting, self.seconds) = (test, setting, seconds)
    (self.fraction, self.rivals) = (fraction, rivals)
  }

  /// Tokens per second of each repetition.
  public var speeds: Samples { Samples(seconds.values.map { Double(test.tokens) / $0 }) }

  /// Our median over a rival's; nil where it has none.
  public func ratio(to rival: Rival) -> Double? {
    guard let best = rival.best?.speeds.median, best > 0 else { return nil }
    return speeds.median / best
  }
}

/// What opening took.
public struct BenchmarkLoad: Sendable {
  /// Of which setting.
  public var setting: BenchmarkSetting
  /// Seconds from the path to the logits of a first token.
  public var seconds: Samples
  /// Bytes the process held at most, mapped files counted in; nil where the system does not tell.
  public var peakBytes: Int?
  /// Bytes of packed weights and of the cache when full; nil where the back end does not tell.
  public var weightBytes: Int?
  /// Bytes of the cache when full.
  public var cacheBytes: Int?

  /// Takes what opening took.
  public init(
    setting: BenchmarkSetting, seconds: Samples, peakBytes: Int? = nil, weightBytes: Int? = nil,
    cacheBytes: Int? = nil
  ) {
    (self.setting, self.seconds, self.peakBytes) = (setting, seconds, peakBytes)
    (self.weightBytes, self.cacheBytes) = (weightBytes, cacheBytes)
  }

  /// Bytes beyond weights and cache.
  public var beyondBytes: Int? {
    guard let peakBytes, let weightBytes, let cacheBytes else { return nil }
    return peakBytes - weightBytes - cacheBytes
  }
}

/// All of a benchmark.
public struct BenchmarkResults: Sendable {
  /// The model.
  public var model: ModelDescription
  /// The machine.
  public var machine: Machine
  /// Its limits, for every number of threads.
  public var limits: [MachineLimits]
  /// Opening, for every setting.
  public var loads: [BenchmarkLoad] = []
  /// The tests.
  public var rows: [BenchmarkRow] = []

  /// Begins without results.
  public init(model: ModelDescription, machine: Machine, limits: [MachineLimits]) {
    (self.model, self.machine, self.limits) = (model, machine, limits)
  }

  /// The limits for a number of threads.
  public func limits(threads: Int) -> MachineLimits? { limits.first { $0.threads == threads } }
}
