package import Graph
package import IngotCore
package import Quantization

/// What of an ONNX model is a choice and does not follow from the graph.
package struct LoweringStyle: Sendable {
  /// How weights of linear layers are quantised, and by which operators.
  package struct Weights: Sendable {
    /// The integers.
    package var scheme: BlockQuantization
    /// Whether by `DequantizeLinear` and not by `com.microsoft.MatMulNBits`.
    package var standard: Bool
  }
  /// Element type that operators compute in: f32 or f16.
  package var dtype = DType.f32
  /// Element type that weights are stored in; cast to `dtype` where it differs.
  package var storage = DType.f32
  /// What the axis of tokens becomes: batch and sequence, or one axis.
  package var tokens: [Dim] = ["tokens"]
  /// Whether ONNX Runtime's own operators may be used.
  package var usesRuntimeOperators = false
  /// Quantised weights; nil for floats.
  package var quantization: Weights?
  /// Parameters that are an embedding table and an output head: stored once, as the table needs it.
  package var tied: Set<Parameter> = []
  /// Quantised weights whose inputs lie in the order of the checkpoint's groups.
  package var inputOrders: [Parameter: InputOrder] = [:]
  /// The angles of each rotary table.
  package var rotary: [String: RotaryAngles] = [:]
  /// Rows of rotary tables baked into the weights; nil to compute cosines and sines from positions.
  package var rotaryRows: Int?

  package init() {}

  /// The number that closes a position of an additive mask.
  package var maskFiller: Double { dtype == .f16 ? -65504 : -1e9 }
}

/// The order of the axes of cached keys and values.
public enum KVLayout: String, Sendable, CaseIterable {
  /// [batch, heads, sequence, head dim].
  case bhsd
  /// [batch, sequence, heads, head dim]: appending is contiguous.
  case bshd
}

/// Where attention finds earlier keys and values, and what it gives back.
package struct CachePorts: Sendable {
  /// What says which positions a token sees.
  package enum Mask: Sendable {
    /// The causal rule alone.
    case causal
    /// Ones and zeros i64 [batch, past + sequence], beside the causal rule.
    case padding(String)
    /// Added to the scores, [batch or 1, 1, sequence, keys].
    case additive(String, window: WindowRule)
    /// Lengths for `GroupQueryAttention`: tokens - 1 of each sequence, and of the longest.
    case lengths(perSequence: String, total: String)
  }
  /// How a sliding window knows the positions of keys, where the mask is given.
  package enum WindowRule: Sendable {
    /// Keys lie in the order of their positions.
    case slots
    /// So many slots of history, each at its own position, then the new tokens at theirs.
    case positions(history: Int)
  }
  package var mask = Mask.causal
  package var layout = KVLayout.bhsd
  /// Earlier keys and values by layer; none where there is no history.
  package var past: [Int: (key: String, value: String)] = [:]
  /// Whether what is given back are all keys and values or those of the new tokens.
  package var returnsAll = false
  /// What is given back, by layer.
  package var present: [Int: (key: String, value: String)] = [:]

  package init() {}
}
