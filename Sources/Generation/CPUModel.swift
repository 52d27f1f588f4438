public import Checkpoints
public import Engine
public import IngotCore
public import Models

/// A checkpoint run by the CPU engine.
public final class CPUModel: LanguageModel {
  /// The model's configuration.
  public let config: DecoderConfig
  /// Most tokens of one sequence.
  public let contextLength: Int
  /// The engine.
  public let engine: DecoderEngine

  /// Builds the graph of a checkpoint's family and packs its weights.
  /// - Throws: `.unsupported` for an unknown `model_type`; errors of the checkpoint's tensors; `.memory`.
  public init(
    _ checkpoint: any Checkpoint, options: DecoderEngine.Options, registry: ModelRegistry = .standard
  ) throws(IngotError) {
    config = checkpoint.config
    contextLength = options.contextLength
    do {
      engine = try DecoderEngine(try registry.graph(for: checkpoint.config), checkpoint, options: options)
    } catch {
      throw error.inFile(checkpoint.path)
    }
  }

  /// Begins an empty sequence; see `LanguageModel`.
  public func makeSequence(plannedLength: Int) throws(IngotError) -> any ModelSequence {
    CPUSequence(try engine.makeSequence(plannedLength: plannedLength))
  }

  /// Appends tokens and computes logits; see `LanguageModel`.
  public func forward(
    _ inputs: [ModelInput], onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    try engine.forward(try items(inputs), onLogits: onLogits)
  }

  func items(_ inputs: [ModelInput]) throws(IngotError) -> [ForwardItem] {
    var items: [ForwardItem] = []
    for input in inputs {
      guard let sequence = input.sequence as? CPUSequence else {
        throw IngotError(.argument, "the sequence belongs to another model")
      }
      let rows: ForwardItem.LogitRows =
        switch input.logits {
        case .none: .none
        case .last: .last
        case .all: .all
        }
      items.append(ForwardItem(sequence.paged, input.tokens, logits: rows))
    }
    return items
  }
}

/// A sequence in the CPU engine's cache.
final class CPUSequence: ModelSequence {
  let paged: PagedSequence

  init(_ paged: PagedSequence) { self.paged = paged }

  var count: Int { paged.count }
  func truncate(to count: Int) { paged.truncate(to: count) }
  func fork() -> any ModelSequence { CPUSequence(paged.fork()) }
}
