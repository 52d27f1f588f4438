internal import Graph
internal import IngotCore

extension GraphLowering {
  /// What is added to the scores, [batch or 1, 1, sequence, keys]; made once for each window.
  /// - Parameters:
  ///   - query: [B, S, H, D].
  ///   - key: all keys, [B, Hkv, keys, D].
  mutating func mask(window: Int?, query: String, key: String) throws(IngotError) -> String {
    if let known = masks[window] { return known }
    let scope = builder.scope
    builder.scope = window == nil ? "mask" : "mask_window"
    defer { builder.scope = scope }
    let mask: String
    switch cache.mask {
    case .additive(let given, let rule):
      mask = try window.map { (window) throws(IngotError) in try windowed(given, window, rule) } ?? given
    case .padding(let ones):
      let total = extent(of: ones, 1)
      let queries = extent(of: query, 1)
      let seen = causal(total: total, queries: queries, window: window)
      let real = builder.node(
        "Unsqueeze", [cast(ones, to: .bool), builder.ints([1, 2])])  // [B, 1, 1, keys]
      mask = choose(builder.node("And", [seen, real]))
    case .causal:
      let total = extent(of: key, 2)
      let queries = extent(of: query, 1)
      let seen = causal(total: total, queries: queries, window: window)
      mask = builder.node("Unsqueeze", [choose(seen), builder.ints([0, 1])])
    case .lengths:
      throw IngotError(.unsupported, "attention without a cache beside GroupQueryAttention")
    }
    masks[window] = mask
    return mask
  }

  /// Which keys come at or before each query, [S, keys].
  private mutating func causal(total: String, queries: String, window: Int?) -> String {
    let past = builder.node("Sub", [total, queries])
    let step = builder.int(1)
    let q = builder.node("Unsqueeze", [builder.node("Range", [past, total, step]), builder.ints([1])])
    let k = builder.node("Range", [builder.int(0), total, step])
    let seen = builder.node("LessOrEqual", [k, q])
    guard let window else { return seen }
    return builder.node("And", [seen, near(q, k, window)])
  }

  private mutating func near(_ q: String, _ k: String, _ window: Int) -> String {
    builder.node("Less", [builder.node("Sub", [q, k]), builder.int(window)])
  }

  /// A given mask, closed beyond the window.
  private mutating func windowed(
    _ given: String, _ window: Int, _ rule: CachePorts.WindowRule
  ) throws(IngotError) -> String {
    let q: String
    let k: String
    switch rule {
    case .slots:
      let total = extent(of: given, 3)
      let past = builder.node("Sub", [total, extent(of: given, 2)])
      let step = builder.int(1)
      q = builder.node("Unsqueeze", [builder.node("Range", [past, total, step]), builder.ints([1])])
      k = builder.node("Range", [builder.int(0), total, step])
    case .positions(let history):
      guard let positions else {
        throw IngotError(.unsupported, "a sliding window needs positions, and this layout has none")
      }
      let new = builder.node("Reshape", [positions, builder.ints([-1])])
      q = builder.node("Unsqueeze", [new, builder.ints([1])])
      k =
        history == 0
        ? new
        : builder.node(
          "Concat", [builder.ints(Array(0..<history)), new], [("axis", .int(0))])
    }
    return builder.node("Where", [near(q, k, window), given, builder.scalar(style.dtype, style.maskFiller)])
  }

  private mutating func choose(_ seen: String) -> String {
    builder.node(
      "Where", [seen, builder.scalar(style.dtype, 0), builder.scalar(style.dtype, style.maskFiller)])
  }

  /// An extent as an i64 scalar.
  private mutating func extent(of value: String, _ axis: Int) -> String {
    builder.node("Gather", [builder.node("Shape", [value]), builder.int(axis)])
  }
}
