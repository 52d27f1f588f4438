internal import IngotCore
internal import ONNXRuntime

/// One of the three segments of a `device` export: a model per layer for a fixed number of tokens.
final class DeviceSegment {
  /// Tokens of a run, padding included.
  let tokens: Int
  /// Slots of history that a run sees; 0 for the first segment.
  let history: Int
  /// How history and new rows lie.
  let geometry: KVGeometry
  let layerCount: Int
  private let parts: [PartModel]
  private let positions: (port: TensorPort, value: OrtValue)
  private let mask: (port: TensorPort, mask: AdditiveMask)
  /// What enters a layer and what leaves it, by turns.
  private let hidden: [OrtValue]
  private let rows: KVPair

  /// - Parameters:
  ///   - files: one per layer.
  ///   - hasHistory: whether there are keys and values of earlier tokens.
  init(_ context: ONNXContext, files: [String], hasHistory: Bool) throws(IngotError) {
    let runtime = context.runtime
    var parts: [PartModel] = []
    for file in files {
      let session = try context.session(file)
      try session.check(
        knownInputs: Set(
          ["input_states", "position_ids", "attention_mask"] + (hasHistory ? ["history_k", "history_v"] : []))
      )
      for name in ["hidden_states", "past_k", "past_v"] { _ = try session.required(output: name) }
      if let first = parts.first?.session, session.inputs != first.inputs || session.outputs != first.outputs
      {
        throw IngotError(
          .unsupported, "its ports differ from those of \(files[0])", at: .init(file: session.path),
          hint: "export all layers in one call")
      }
      parts.append(try PartModel(session))
    }
    guard let first = parts.first?.session else {
      throw IngotError(.io, "the export has no layers", at: .init(file: context.folder))
    }
    func fail(_ port: TensorPort, _ expected: String) -> IngotError {
      IngotError(
        .unsupported, "\(port) should be \(expected)", at: .init(file: first.path, tensor: port.name))
    }
    let states = try first.required(input: "input_states")
    guard states.dims.count == 3, states.dims[0] == 1, let tokens = states.dims[1], tokens > 0,
      let width = states.dims[2]
    else { throw fail(states, "[1, tokens, width], all fixed") }
    let mask = try first.required(input: "attention_mask")
    guard mask.dims.count == 4, mask.dims[2] == tokens, let columns = mask.dims[3], columns >= tokens,
      hasHistory == (columns > tokens)
    else { throw fail(mask, "[1, 1, \(tokens), \(hasHistory ? "history + " : "")\(tokens)]") }
    let slots = columns - tokens
    let cache = hasHistory ? try first.required(input: "history_k") : try first.required(output: "past_k")
    geometry = try KVGeometry(
      cache, heads: context.facts.kvHeads, headDim: context.facts.headDim, slots: hasHistory ? slots : tokens,
      file: first.path)
    guard geometry.length == (hasHistory ? slots : tokens), geometry.stackedLayers == nil else {
      throw fail(cache, "of \(hasHistory ? slots : tokens) slots, as the mask has")
    }
    let positions = try first.required(input: "position_ids")
    self.positions = (
      positions, try OrtValue(runtime, dtype: positions.dtype, shape: try Shape(checking: [1, tokens]))
    )
    self.mask = (
      mask, try AdditiveMask(runtime, rows: tokens, columns: columns, for: mask, file: first.path)
    )
    let shape = try Shape(checking: [1, tokens, width])
    hidden = [
      try OrtValue(runtime, dtype: states.dtype, shape: shape),
      try OrtValue(runtime, dtype: states.dtype, shape: shape),
    ]
    let rowShape = try geometry.shape(length: tokens)
    rows = KVPair(
      key: try OrtValue(runtime, dtype: geometry.dtype, shape: rowShape),
      value: try OrtValue(runtime, dtype: geometry.dtype, shape: rowShape))
    (self.parts, self.tokens, history, layerCount) = (parts, tokens, slots, parts.count)
  }

  /// Whether caches of two segments are rows of one buffer.
  func sharesRows(with other: DeviceSegment) -> Bool {
    layerCount == other.layerCount && geometry.dtype == other.geometry.dtype
      && geometry.heads == other.geometry.heads && geometry.headDim == other.geometry.headDim
      && geometry.isLengthFirst == other.geometry.isLengthFirst && hidden[0].dtype == other.hidden[0].dtype
      && hidden[0].shape.dims.last == other.hidden[0].shape.dims.last
  }

  /// Appends at most `tokens` tokens behind those in the cache.
  /// - Returns: what leaves the last layer, [1, tokens, width], valid until the next run.
  func run(
    _ new: [Int], _ cache: SlotCache, _ embedding: EmbeddingModel, paddingID: Int,
    onBorder: (Int, OrtValue) throws(IngotError) -> Void
  ) throws(IngotError) -> OrtValue {
    let (past, count) = (cache.count, new.count)
    precondition(count > 0 && count <= tokens && past + count <= cache.slots)
    precondition(history == 0 ? past == 0 : past <= history)
    try embedding.run(new + Array(repeating: paddingID, count: tokens - count), into: hidden[0])
    try onBorder(0, hidden[0])
    try positions.value.fill(
      (0..<tokens).map { past + min($0, count - 1) }, for: positions.port, file: parts[0].path)
    mask.mask.close()
    for row in 0..<count {
      mask.mask.open(row: row, 0..<past)
      mask.mask.open(row: row, history..<history + row + 1)
    }
    let storage = try cache.ownStorage()
    for (layer, part) in parts.enumerated() {
      var inputs = [
        ("input_states", hidden[layer % 2]), ("position_ids", positions.value),
        ("attention_mask", mask.mask.value),
      ]
      if history > 0 {
        let whole = storage.pairs[layer]
        let seen =
          history == cache.slots
          ? whole : try storage.head(layer, geometry, length: history, part.session.runtime)
        inputs += [("history_k", seen.key), ("history_v", seen.value)]
      }
      try part.run(
        inputs: inputs,
        outputs: [("hidden_states", hidden[(layer + 1) % 2]), ("past_k", rows.key), ("past_v", rows.value)])
      cache.store(rows, count, at: past, pair: layer)
      try onBorder(layer + 1, hidden[(layer + 1) % 2])
    }
    cache.count = past + count
    return hidden[parts.count % 2]
  }
}
