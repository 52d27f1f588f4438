public import Checkpoints
public import Graph
public import IngotCore
internal import NN

/// The router from `model_type` to family.
public struct ModelRegistry: Sendable {
  /// The families Ingot comes with.
  public static let standard = ModelRegistry([Llama.self, Qwen2.self, Qwen3.self])

  private var families: [String: any CausalLM.Type] = [:]

  /// A router over families.
  public init(_ families: [any CausalLM.Type]) { for family in families { register(family) } }

  /// Adds a family; of two that claim a `model_type`, the later counts.
  public mutating func register(_ family: any CausalLM.Type) {
    for type in family.modelTypes { families[type] = family }
  }

  /// The `model_type`s known, in alphabetical order.
  public var modelTypes: [String] { families.keys.sorted() }

  /// The graph of a model's logits: inputs as `Batch` has them, the output named `logits` `[rows, vocab]`.
  /// - Throws: `.unsupported` for an unknown `model_type`; `.shape` when the configuration contradicts itself.
  public func graph(for config: DecoderConfig) throws(IngotError) -> Graph {
    guard let family = families[config.modelType] else {
      throw IngotError(
        .unsupported, "model_type \"\(config.modelType)\" is not known", at: .init(key: "model_type"),
        hint: "known are: \(modelTypes.joined(separator: ", "))")
    }
    let batch = Batch()
    let logits = family.init(config)(batch.ids, batch)
    return try Graph(outputs: [("logits", logits)])
  }
}
