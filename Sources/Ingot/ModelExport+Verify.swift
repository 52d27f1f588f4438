internal import Checkpoints
internal import Engine
internal import Generation
public import IngotCore
public import Inspection
internal import ONNX
public import ONNXRuntime
internal import Quantization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension ModelExport {
  /// Why an export cannot be compared with the engine; nil when it can.
  public var reasonNotToVerify: String? {
    let options = plan.options
    if options.isSubmodel { return "a part of a larger model has no tokens to begin with" }
    if !options.only.isEmpty { return "models are missing that --only left out" }
    if options.topK != nil || options.head == .top1 { return "its head gives no logits" }
    let preset = ExportOptions(options.preset)
    if options.split != preset.split || options.cache != preset.cache || options.names != preset.names {
      return "models of this split, cache and names are not driven"
    }
    let needed = verificationBytes
    if let memory = physicalMemory, needed > memory / 10 * 9 {
      return
        "it would take some \(needed >> 30) GB of memory, of \(memory >> 30); compare by 'ingot verify' elsewhere"
    }
    return nil
  }

  /// Memory that both sides take at once: the reference in 32-bit floats, and the export, whose halves the CPU provider
  /// widens as it loads them.
  private var verificationBytes: Int {
    let parameters = checkpoint.tensorNames.compactMap { checkpoint.tensor(named: $0)?.shape.count }
      .reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
    let isHalf = plan.options.dtype != .f32 && plan.options.quantization == nil
    let (bytes, overflow) = parameters.multipliedReportingOverflow(by: 4)
    return overflow ? .max : bytes.addingReportingOverflow((isHalf ? 3 : 1) * plan.byteCount).partialValue
  }

  /// The precision that an export's weights are kept in.
  public var precision: Precision {
    if let scheme = plan.options.quantization { return scheme.bits == 4 ? .int4 : .int8 }
    return plan.options.dtype == .f16 ? .f16 : plan.options.dtype == .bf16 ? .bf16 : .f32
  }

  /// Compares a written export with our own engine on the checkpoint, in 32-bit floats with the weights rounded as the
  /// export's are: prefills of several lengths, then tokens decoded with a filled cache.
  /// - Throws: errors of opening either; `.memory`.
  public func verify(
    _ folder: String, runtime: OrtRuntime, threads: Int? = nil,
    onProgress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(IngotError) -> VerificationReport {
    var run = Verification.Options()
    run.steps = 8
    let length = (Verification.Options.defaultLengths.max() ?? 0) + run.steps
    let candidate = try ONNXModel.open(
      directory: folder, runtime: runtime, tokens: length, threads: threads)
    var options = DecoderEngine.Options(contextLength: length)
    options.engine = EngineOptions(threads: threads)
    (options.kvType, options.dequantizesWeights) = (.f32, true)
    let rounded = try RoundedCheckpoint(
      checkpoint, WeightRounding(plan.options.dtype, quantization: plan.options.quantization))
    let reference: CPUModel
    do throws(IngotError) { reference = try CPUModel(rounded, options: options) } catch {
      throw rounded.failure ?? error
    }
    if let tokenizer = try? openTokenizer(of: checkpoint) {
      run.excludedIDs = Set((0..<checkpoint.config.vocabSize).filter(tokenizer.isSpecial))
    }
    var report = try Verification(reference: reference, candidate: candidate, options: run)
      .run(onProgress: onProgress)
    (report.reference, report.candidate) = (checkpoint.path, folder)
    return report
  }

  /// Takes a folder's good name away, so that nobody mistakes a failed export for a good one.
  /// - Returns: its new name.
  /// - Throws: `.io`.
  public static func markFailed(_ folder: String) throws(IngotError) -> String {
    var base = folder
    while base.count > 1, base.hasSuffix("/") { base.removeLast() }
    var name = base + ".failed"
    var number = 2
    while access(name, F_OK) == 0 {
      name = "\(base).failed\(number)"
      number += 1
    }
    guard rename(base, name) == 0 else { throw .system("cannot rename to \(name)", path: folder) }
    return name
  }
}
