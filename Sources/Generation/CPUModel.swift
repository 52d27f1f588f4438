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
  let checkpoint: any Checkpoint
  /// What the weights are; found out when first asked for, where it was not given.
  let knownIdentity: Locked<ModelIdentity?>
  /// Who can give up pages.
  let pageKeepers = Locked<[WeakKeeper]>([])

  /// Builds the graph of a checkpoint's family and packs its weights.
  /// - Parameter identity: what the weights are, where it is known already; nil to read them all when it is asked for.
  /// - Throws: `.unsupported` for an unknown `model_type`; errors of the checkpoint's tensors; `.memory`.
  public init(
    _ checkpoint: any Checkpoint, options: DecoderEngine.Options, registry: ModelRegistry = .standard,
    identity: ModelIdentity? = nil
  ) throws(IngotError) {
    self.checkpoint = checkpoint
    knownIdentity = Locked(identity)
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
    let items = try items(inputs)
    makeRoom(for: items)
    try engine.forward(items, onLogits: onLogits)
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
