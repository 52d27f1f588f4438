internal import IngotCore
internal import ONNXRuntime

/// Drives `packed` exports: embedding, packs of decoder layers with growing caches, norm and head, all of any length.
final class PackedDriver: ONNXDriver {
  /// A pack of layers.
  private struct Pack {
    let part: PartModel
    let layers: Int
    let mask: TensorPort
    let positions: TensorPort
    let result: TensorPort
  }

  private let runtime: OrtRuntime
  private let embedding: EmbeddingModel
  private let packs: [Pack]
  private let norm: PartModel
  private let head: PartModel
  private let geometry: KVGeometry
  private let borders: PartBorders
  private let width: Int
  private let columns: Int

  var vocabSize: Int? { columns }
  let fixedLength: Int? = nil
  var layerCount: Int { borders.layerCount }
  var observations: [String] { borders.names }

  /// Most tokens of a run.
  private static let longestPiece = 512

  init(_ context: ONNXContext, files: [String]) throws(IngotError) {
    runtime = context.runtime
    guard files.contains("embedding.onnx"), files.contains("lm_head.onnx") else {
      throw IngotError(
        .unsupported,
        "the export has no \(files.contains("embedding.onnx") ? "lm_head.onnx" : "embedding.onnx"): it is part of another "
          + "model, driven by rows of an embedding, and takes no tokens", at: .init(file: context.folder))
    }
    embedding = try EmbeddingModel(try context.session("embedding.onnx"), result: "hidden_out")
    guard embedding.fixedCount == nil, let width = embedding.result.dims[2] else {
      throw IngotError(
        .unsupported,
        "embedding.onnx should take any number of tokens and say its width: \(embedding.result)",
        at: .init(file: context.folder))
    }
    self.width = width
    let numbered = try numberedFiles(files, prefix: "decoders_", in: context.folder)
    var (packs, geometry): ([Pack], KVGeometry?) = ([], nil)
    for name in numbered.isEmpty ? ["decoders.onnx"] : numbered {
      let session = try context.session(name)
      var known: Set = ["hidden_in", "attention_mask", "position_ids"]
      var layers = 0
      while let key = session.input("past_key_in\(layers)"),
        let value = session.input("past_value_in\(layers)")
      {
        for port in [key, value] {
          let found = try KVGeometry(
            port, heads: context.facts.kvHeads, headDim: context.facts.headDim, file: session.path)
          guard found.length == nil, found.stackedLayers == nil, geometry == nil || geometry == found else {
            throw IngotError(
              .unsupported, "\(port) should be as long as any past and like the other layers'",
              at: .init(file: session.path, tensor: port.name))
          }
          geometry = found
          known.insert(port.name)
        }
        _ = try session.required(output: "past_key\(layers)")
        _ = try session.required(output: "past_value\(layers)")
        layers += 1
      }
      guard layers > 0 else { throw Self.noCache(session) }
      try session.check(knownInputs: known)
      packs.append(
        Pack(
          part: try PartModel(session), layers: layers, mask: try session.required(input: "attention_mask"),
          positions: try session.required(input: "position_ids"),
          result: try session.required(output: "hidden_out")))
    }
    guard let geometry else { throw IngotError(.unsupported, "no layers", at: .init(file: context.folder)) }
    (self.packs, self.geometry) = (packs, geometry)
    borders = PartBorders(layersPerPart: packs.map(\.layers))
    norm = try PartModel(try context.session("norm.onnx"))
    _ = try norm.session.required(input: "input")
    _ = try norm.session.required(output: "output")
    head = try PartModel(try context.session("lm_head.onnx"))
    if head.session.output("lm_logits") == nil, head.session.output("indices") != nil {
      throw IngotError(
        .unsupported, "the head gives the likeliest tokens only, and logits of all are needed",
        at: .init(file: head.path), hint: "export it without --top-k")
    }
    let logits = try head.session.required(output: "lm_logits")
    guard logits.dims.count == 3, let columns = logits.dims[2] else {
      throw IngotError(.unsupported, "\(logits) should say the vocabulary", at: .init(file: head.path))
    }
    self.columns = columns
  }

  private static func noCache(_ session: OrtSession) -> IngotError {
    IngotError(
      .unsupported, "the pack has no past_key_in0 and past_value_in0", at: .init(file: session.path),
      hint: "its inputs are " + session.inputs.map(\.description).joined(separator: ", "))
  }

  func makeCache(contextLength: Int) throws(IngotError) -> any ONNXCache {
    try GrowingCache(runtime, geometry, layers: layerCount)
  }

  func append(
    _ request: ONNXRequest, to cache: any ONNXCache, onTensor: OnTensor, onLogits: OnLogits
  ) throws(IngotError) {
    guard let cache = cache as? GrowingCache else { return }
    var start = 0
    while start < request.tokens.count {
      let piece = start..<min(start + Self.longestPiece, request.tokens.count)
      let hidden = try run(Array(request.tokens[piece]), cache) { (border, value) throws(IngotError) in
        try request.show(borders.names[border], value, rows: piece, onTensor)
      }
      try finish(hidden, request.logitRows(of: piece)) { onLogits(start + $0, $1) }
      start = piece.upperBound
    }
  }

  /// Embedding and packs.
  /// - Returns: what leaves the last layer, [1, tokens, width].
  private func run(
    _ tokens: [Int], _ cache: GrowingCache, onBorder: (Int, OrtValue) throws(IngotError) -> Void
  ) throws(IngotError) -> OrtValue {
    let (past, count) = (cache.count, tokens.count)
    let shape = try Shape(checking: [1, count, width])
    var hidden = try OrtValue(runtime, dtype: embedding.result.dtype, shape: shape)
    try embedding.run(tokens, into: hidden)
    try onBorder(0, hidden)
    let positions = try OrtValue(
      runtime, Array(past..<past + count), shape: [1, count], for: packs[0].positions,
      file: packs[0].part.path)
    let mask = try AdditiveMask(
      runtime, rows: count, columns: past + count, for: packs[0].mask, file: packs[0].part.path)
    for row in 0..<count { mask.open(row: row, 0..<past + row + 1) }
    let pairs = try cache.trimmedPairs()
    var grown: [KVPair] = []
    for (index, pack) in packs.enumerated() {
      let result = try OrtValue(runtime, dtype: pack.result.dtype, shape: shape)
      let binding = pack.part.binding
      for layer in 0..<pack.layers {
        let pair = pairs[borders.layers[index] + layer]
        try binding.bind(input: "past_key_in\(layer)", to: pair.key)
        try binding.bind(input: "past_value_in\(layer)", to: pair.value)
        try binding.bind(allocatedOutput: "past_key\(layer)")
        try binding.bind(allocatedOutput: "past_value\(layer)")
      }
      try pack.part.run(
        inputs: [("hidden_in", hidden), (pack.mask.name, mask.value), (pack.positions.name, positions)],
        outputs: [(pack.result.name, result)])
      let outputs = try binding.takeOutputs()
      for layer in 0..<pack.layers {
        guard let key = outputs["past_key\(layer)"], let value = outputs["past_value\(layer)"] else {
          continue
        }
        grown.append(KVPair(key: key, value: value))
      }
      hidden = result
      try onBorder(index + 1, hidden)
    }
    try cache.replace(grown, length: past + count, file: packs[0].part.path)
    return hidden
  }

  /// Norm and head of the rows wanted.
  private func finish(_ hidden: OrtValue, _ rows: Range<Int>, _ onLogits: OnLogits) throws(IngotError) {
    guard !rows.isEmpty else { return }
    let shape = try Shape(checking: [1, rows.count, width])
    let normed = try OrtValue(runtime, dtype: hidden.dtype, shape: shape)
    let input = try hidden.rows(rows, shape: shape, runtime)
    try norm.run(inputs: [("input", input)], outputs: [("output", normed)])
    let dtype = try head.session.required(output: "lm_logits").dtype
    let logits = try OrtValue(runtime, dtype: dtype, shape: try Shape(checking: [1, rows.count, columns]))
    try head.run(inputs: [("input", normed)], outputs: [("lm_logits", logits)])
    try withFloatRows(logits.bytes, dtype, width: columns, rows: 0..<rows.count) {
      onLogits(rows.lowerBound + $0, $1)
    }
  }
}
