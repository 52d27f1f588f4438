/// What the inputs and outputs of a model are called.
package struct PortNames: Sendable, Hashable {
  package var ids = "input_ids"
  package var hiddenIn: String
  package var result: String
  package var mask = "attention_mask"
  package var positions = "position_ids"
  /// Names of a layer's cache with `%d` for its number, or of all layers' in one tensor.
  package var pastKey: String
  package var pastValue: String
  package var presentKey: String
  package var presentValue: String
  /// Whether layers are numbered from 0 in each model.
  package var countsLayersFromZero = false
  /// Whether positions come before the mask.
  package var putsPositionsFirst = false

  /// A pattern with a layer's number in it.
  package static func name(_ pattern: String, _ layer: Int) -> String {
    guard let place = pattern.firstRange(of: "%d") else { return pattern }
    return pattern[..<place.lowerBound] + "\(layer)" + pattern[place.upperBound...]
  }
}

/// A family of names that other people's programs expect.
public enum NamingScheme: String, Sendable, CaseIterable {
  /// Of transformers' and ONNX Runtime GenAI's exports.
  case genai
  /// Of blocks with keys and values in files.
  case staged
  /// Of decoder packs with flattened caches.
  case packed
  /// Of one model per layer for accelerator compilers.
  case device

  /// The names of a segment's ports.
  func ports(of segment: Segment) -> PortNames {
    switch self {
    case .genai:
      return PortNames(
        hiddenIn: segment.layers.lowerBound == 0 ? "inputs_embeds" : "hidden_states",
        result: segment.hasHead ? "logits" : segment.norms ? "last_hidden_state" : "hidden_states_out",
        pastKey: "past_key_values.%d.key", pastValue: "past_key_values.%d.value",
        presentKey: "present.%d.key", presentValue: "present.%d.value")
    case .staged:
      return PortNames(
        hiddenIn: "hidden_states",
        result: segment.hasHead
          ? "logits" : segment.embeds && segment.layers.isEmpty ? "hidden_states" : "hidden_states_out",
        pastKey: "past_key", pastValue: "past_value", presentKey: "present_key", presentValue: "present_value"
      )
    case .packed:
      let isAlone = segment.layers.isEmpty && !segment.embeds
      return PortNames(
        hiddenIn: isAlone ? "input" : "hidden_in",
        result: segment.hasHead ? "lm_logits" : isAlone ? "output" : "hidden_out",
        pastKey: "past_key_in%d", pastValue: "past_value_in%d", presentKey: "past_key%d",
        presentValue: "past_value%d", countsLayersFromZero: true)
    case .device:
      return PortNames(
        hiddenIn: segment.layers.isEmpty ? "hidden_states" : "input_states",
        result: segment.hasHead
          ? "m_logits" : segment.embeds && segment.layers.isEmpty ? "input_embed" : "hidden_states",
        pastKey: "history_k", pastValue: "history_v", presentKey: "past_k", presentValue: "past_v",
        putsPositionsFirst: true)
    }
  }
}
