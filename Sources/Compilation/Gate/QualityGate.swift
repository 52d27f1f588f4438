internal import Artifact
public import Checkpoints
internal import Engine
internal import Generation
public import IngotCore
public import Inspection
public import Models
internal import Tokenizers

/// The last check of a compilation, on the file that was written: how far the compiled model's opinions on a text are from those of its source.
///
/// Both run on our engine, with caches of 32-bit floats, so what is measured is the rounding of weights, not a difference
/// of arithmetic. They run layer by layer: neither is ever in memory whole.
public struct QualityGate: Sendable {
  /// Text both models read; nil for a built-in one in the public domain.
  public var text: String?
  /// Tokens of a window.
  public var windowLength = 512
  /// Most windows.
  public var windows = 4
  /// The mean KL divergence in nats beyond which the compilation fails; nil for any.
  public var maximumDivergence: Double?

  /// The defaults.
  public init() {}

  /// Measures, and refuses what is too far.
  /// - Parameters:
  ///   - compiled: the model as it is compiled.
  ///   - source: the model it is made of.
  ///   - threads: at most one per processor; nil for the engine's own number.
  /// - Throws: `.limit` beyond the maximum, with the figures; errors of the models; `.io` without a tokenizer.
  public func check(
    _ compiled: any Checkpoint, source: any Checkpoint, threads: Int? = nil,
    registry: ModelRegistry = .standard
  ) throws(IngotError) -> QualityReport {
    let windows = try windows(compiled, source)
    let engine = EngineOptions(threads: threads.map { min($0, Machine.current.threads) })
    var progress = Progress("measuring quality", total: 2 * windows.count * (source.config.layerCount + 1))
    var done = 0
    func step(_ count: Int = 1) {
      done += count
      progress.update(done)
    }
    let report = try QualityComparison.run(
      LayerwiseLogits(compiled, windows, registry: registry, engine: engine) { step() },
      base: LayerwiseLogits(source, windows, registry: registry, engine: engine) { step() }, windows
    ) { _, _ in step(2) }
    progress.finish()
    let divergence = report.divergence.mean.value
    if let maximumDivergence, !(divergence <= maximumDivergence) {
      throw IngotError(
        .limit,
        "the compiled model's mean KL divergence from its source is \(divergence) nats, and at most \(maximumDivergence) is allowed",
        at: .init(file: source.path),
        hint: "nothing was written; use more bits, smaller groups, --awq, or --override for some tensors")
    }
    return report
  }

  /// The text's windows. The tokenizer goes before the models come.
  private func windows(
    _ compiled: any Checkpoint, _ source: any Checkpoint
  ) throws(IngotError) -> EvaluationWindows {
    let tokenizer = try openTokenizer(of: source)
    // A file may be compiled for fewer tokens than a window has.
    let compiledLength = (compiled as? ArtifactCheckpoint)?.manifest.longest.total ?? windowLength
    return try EvaluationWindows(
      text: text ?? BuiltInText.evaluation, tokenizer,
      length: min(windowLength, source.config.maxPositions, compiledLength), limit: windows)
  }
}
