/// Which of a model's rotary tables a layer reads.
public enum RopeTable: String, Sendable, CaseIterable {
  /// The model's own.
  case main = "rope"
  /// That of layers with a sliding window, where it differs.
  case sliding = "rope_sliding"
}

extension DecoderConfig {
  /// The rotary table of a layer.
  public func ropeTable(layer: Int) -> RopeTable {
    slidingRope != nil && slidingWindow(layer: layer) != nil ? .sliding : .main
  }
}
