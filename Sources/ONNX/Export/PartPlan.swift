package import Graph

/// One ONNX model of an export: what it holds and how its ports look.
package struct PartPlan: Sendable {
  /// How earlier keys and values come in and new ones go out.
  package enum Cache: Sendable, Hashable {
    /// No layer, or none that looks back; the new rows go out.
    case none(KVLayout)
    /// All of them in, all of them out, longer by the new tokens.
    /// The mask is ones and zeros per token, or added to the scores.
    case growing(KVLayout, past: Dim, total: Dim, isMaskAdditive: Bool)
    /// A buffer of so many slots in, the new rows out; with one tensor for all layers or one per layer.
    case buffer(KVLayout, slots: Int, stacks: Bool)
    /// One buffer in and out, which `GroupQueryAttention` writes into.
    case shared(past: Dim, total: Dim)
  }
  /// What is done with the logits.
  package enum Ending: Sendable, Hashable {
    case plain
    /// The k largest and their ids.
    case topK(Int)
    /// The id of the largest.
    case top1
  }

  /// Path of the model from the export's folder.
  package var path: String
  /// Path of the file with its weights.
  package var dataPath: String
  /// Path of the file with rotary tables, where several models share them.
  package var tablePath: String?
  package var segment: Segment
  /// Extents that stand for the axis of tokens: batch and sequence, or one.
  package var tokens: [Dim]
  package var cache: Cache
  package var ports: PortNames
  package var ending = Ending.plain
}
