internal import IngotCore
internal import ONNXRuntime

/// Drives `device` exports: a model per layer in three segments, over one buffer of N slots per layer.
///
/// Token i lies in slot i. A text begins with the share segment; what comes while the tokens so far fit into the share
/// segment's slots can go by the unshare segment; anything can go one token at a time.
final class DeviceDriver: ONNXDriver {
  private let runtime: OrtRuntime
  private let embedding: EmbeddingModel
  private let share: DeviceSegment?
  private let unshare: DeviceSegment?
  private let single: DeviceSegment
  private let head: PartModel
  private let headRows: TensorPort
  private let logits: OrtValue
  private let columns: Int
  private let paddingID: Int
  private let borders: PartBorders

  var vocabSize: Int? { columns }
  var fixedLength: Int? { single.history }
  var layerCount: Int { single.layerCount }
  var observations: [String] { borders.names }

  init(_ context: ONNXContext, files: [String]) throws(IngotError) {
    (runtime, paddingID) = (context.runtime, context.facts.paddingID)
    func segment(_ prefix: String, hasHistory: Bool) throws(IngotError) -> DeviceSegment? {
      let names = try numberedFiles(files, prefix: prefix, in: context.folder)
      return names.isEmpty ? nil : try DeviceSegment(context, files: names, hasHistory: hasHistory)
    }
    embedding = try EmbeddingModel(try context.session("embedding.onnx"), result: "input_embed")
    head = try PartModel(try context.session("lm_head.onnx"))
    if head.session.output("m_logits") == nil, head.session.output("token") != nil {
      throw IngotError(
        .unsupported, "the head gives the likeliest token only, and logits are needed",
        at: .init(file: head.path),
        hint: "export it with --head logits")
    }
    let result = try head.session.required(output: "m_logits")
    headRows = try head.session.required(input: "hidden_states")
    guard result.dims.count == 2, let columns = result.dims[1], headRows.dims.count == 2 else {
      throw IngotError(
        .unsupported, "\(headRows) and \(result) should be [1, width] and [1, vocabulary]",
        at: .init(file: head.path))
    }
    self.columns = columns
    logits = try OrtValue(runtime, dtype: result.dtype, shape: try Shape(checking: [1, columns]))
    guard let single = try segment("block_cache_", hasHistory: true) else {
      throw IngotError(
        .io, "the export lacks block_cache_0.onnx, which takes single tokens",
        at: .init(file: context.folder),
        hint: "export the model again")
    }
    guard single.tokens == 1 else {
      throw IngotError(
        .unsupported, "block_cache_0.onnx takes \(single.tokens) tokens at a time, not 1",
        at: .init(file: context.folder))
    }
    let share = try segment("block_", hasHistory: false)
    let unshare = try segment("block_unshare_", hasHistory: true)
    for other in [share, unshare] {
      guard let other else { continue }
      guard other.sharesRows(with: single), max(other.tokens, other.history) <= single.history else {
        throw IngotError(
          .config,
          "the segments' layers or caches do not fit together: \(other.layerCount) layers of "
            + "\(other.history) + \(other.tokens) slots, \(single.layerCount) of \(single.history)",
          at: .init(file: context.folder), hint: "export all segments in one call")
      }
    }
    // The first slots of a buffer are in one piece only where the length comes first.
    self.unshare = single.geometry.isLengthFirst ? unshare : nil
    (self.single, self.share) = (single, share)
    borders = PartBorders(layersPerPart: Array(repeating: 1, count: single.layerCount))
  }

  func makeCache(contextLength: Int) throws(IngotError) -> any ONNXCache {
    try SlotCache(
      runtime, Array(repeating: single.geometry, count: single.layerCount), slots: single.history)
  }

  /// The segment for what comes next.
  private func segment(past: Int, rest: Int) -> DeviceSegment {
    if rest == 1 { return single }
    if past == 0, let share { return share }
    if let unshare, past <= unshare.history { return unshare }
    return single
  }

  func append(
    _ request: ONNXRequest, to cache: any ONNXCache, onTensor: OnTensor, onLogits: OnLogits
  ) throws(IngotError) {
    guard let cache = cache as? SlotCache else { return }
    var start = 0
    while start < request.tokens.count {
      let rest = request.tokens.count - start
      let segment = segment(past: cache.count, rest: rest)
      let piece = start..<start + min(rest, segment.tokens, cache.slots - cache.count)
      let hidden = try segment.run(
        Array(request.tokens[piece]), cache, embedding, paddingID: paddingID
      ) { (border, value) throws(IngotError) in
        try request.show(borders.names[border], value, rows: piece, onTensor)
      }
      try finish(hidden, request.logitRows(of: piece)) { onLogits(start + $0, $1) }
      start = piece.upperBound
    }
  }

  /// The head takes one row at a time.
  private func finish(_ hidden: OrtValue, _ rows: Range<Int>, _ onLogits: OnLogits) throws(IngotError) {
    let width = hidden.shape.dims.last ?? 1
    for row in rows {
      let input = try hidden.rows(row..<row + 1, shape: try Shape(checking: [1, width]), runtime)
      try head.run(inputs: [(headRows.name, input)], outputs: [("m_logits", logits)])
      try withFloatRows(logits.bytes, logits.dtype, width: columns, rows: 0..<1) { onLogits(row, $1) }
    }
  }
}
