internal import Artifact
public import Checkpoints
internal import Engine
internal import Generation
public import IngotCore
public import Inspection
internal import Tokenizers

/// The last check of a compilation, on the file that was written: how far the compiled model's opinions on a text are from those of its source.
///
/// Both run on our engine, so what is measured is the rounding of weights, not a difference of arithmetic.
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
  /// - Throws: `.limit` beyond the maximum, with the figures; errors of the models; `.io` without a tokenizer.
  public func check(
    _ compiled: any Checkpoint, source: any Checkpoint, threads: Int? = nil
  ) throws(IngotError) -> QualityReport {
    let tokenizer = try openTokenizer(of: source)
    // A file may be compiled for fewer tokens than a window has.
    let compiledLength = (compiled as? ArtifactCheckpoint)?.manifest.longest.total ?? windowLength
    let length = min(windowLength, source.config.maxPositions, compiledLength)
    let windows = try EvaluationWindows(
      text: text ?? BuiltInText.evaluation, tokenizer, length: length, limit: windows)
    var options = TextModel.Options()
    (options.contextLength, options.threads) = (length, threads)
    options.chunkTokens = length
    let model = try CPUModel(compiled, options: try options.engineOptions(for: compiled))
    let base = try CPUModel(source, options: try options.engineOptions(for: source))
    var progress = Progress("measuring quality", total: windows.count)
    let report = try QualityComparison.run(model, base: base, windows) { done, _ in progress.update(done) }
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
}
