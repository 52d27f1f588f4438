import IngotCore

/// The keys of `config.json` that say which layers look back how far.
struct SlidingWindowRule {
  let reader: ConfigReader
  let layerCount: Int

  init(_ reader: ConfigReader, layerCount: Int) {
    (self.reader, self.layerCount) = (reader, layerCount)
  }

  /// The window of each layer; nil for none.
  /// - Throws: `.config` for impossible values; `.unsupported` for layers that are not attention.
  func windows(_ rule: FamilyDefaults.Windows) throws(IngotError) -> [Int?] {
    let range = 0...DecoderConfig.Limits.positions.upperBound
    let window = try reader.integer("sliding_window", in: range)
    switch rule {
    case .none:
      return all(nil)
    case .all(let absent):
      let window = try checked(reader.mentions("sliding_window") ? window : absent)
      // With the key, transformers reads the file as Ministral, whose layers differ.
      if let types = try layerTypes() { return try types.map(window: window, reader) }
      return all(window)
    case .upper:
      let uses = try reader.bool("use_sliding_window") ?? false
      let absent = reader.mentions("sliding_window") ? nil : 4096
      let window = uses ? try checked(window ?? absent) : nil
      if let types = try layerTypes() { return try types.map(window: window, reader) }
      let first = try reader.integer("max_window_layers", in: range) ?? 28
      return (0..<layerCount).map { $0 >= first ? window : nil }
    case .layerTypes:
      let uses = try reader.bool("use_sliding_window") ?? true
      let window = uses ? try checked(window) : nil
      if let types = try layerTypes() { return try types.map(window: window, reader) }
      return all(window)
    }
  }

  private func all(_ window: Int?) -> [Int?] { Array(repeating: window, count: layerCount) }

  private func checked(_ window: Int?) throws(IngotError) -> Int? {
    guard window != 0 else { throw reader.error("sliding_window", "a window of 0 tokens") }
    return window
  }

  private struct LayerTypes {
    let slides: [Bool]

    func map(window: Int?, _ reader: ConfigReader) throws(IngotError) -> [Int?] {
      guard window != nil || !slides.contains(true) else {
        throw reader.error("layer_types", "a layer slides, but there is no sliding_window in use")
      }
      return slides.map { $0 ? window : nil }
    }
  }

  private func layerTypes() throws(IngotError) -> LayerTypes? {
    guard let types = try reader.strings("layer_types") else { return nil }
    guard types.count == layerCount else {
      throw reader.error("layer_types", "\(types.count) entries for \(layerCount) layers")
    }
    var slides: [Bool] = []
    for (index, type) in types.enumerated() {
      switch type {
      case "full_attention": slides.append(false)
      case "sliding_attention": slides.append(true)
      default:
        throw reader.error(
          "layer_types[\(index)]", "layers of type \"\(type)\" are not supported", kind: .unsupported)
      }
    }
    return LayerTypes(slides: slides)
  }
}
