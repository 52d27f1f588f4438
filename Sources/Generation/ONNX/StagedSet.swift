internal import IngotCore
internal import ONNXRuntime

/// The models of one folder of a `staged` export, which take S tokens at a time, and the values between them.
final class StagedSet {
  /// A block of layers.
  private struct Block {
    let part: PartModel
    let present: KVPair
  }

  /// Tokens of a run, padding included.
  let tokens: Int
  /// Slots of the cache.
  let slots: Int
  /// How the cache of each block lies.
  let geometries: [KVGeometry]
  let vocabSize: Int
  private let embedding: EmbeddingModel
  private let blocks: [Block]
  private let output: PartModel
  private let positions: (port: TensorPort, value: OrtValue)
  private let mask: (name: String, mask: AdditiveMask)
  /// What enters each block, and what leaves the last.
  private let hidden: [OrtValue]
  private let logits: OrtValue
  private let paddingID: Int

  init(_ context: ONNXContext, files: [String]) throws(IngotError) {
    let runtime = context.runtime
    embedding = try EmbeddingModel(try context.session("embed.onnx"), result: "hidden_states")
    guard let tokens = embedding.fixedCount, tokens > 0, let width = embedding.result.dims[2] else {
      throw IngotError(
        .unsupported, "a staged export has fixed shapes, embed.onnx gives \(embedding.result)",
        at: .init(file: context.path("embed.onnx")))
    }
    let names = try numberedFiles(files, prefix: "block", in: context.folder)
    guard !names.isEmpty else {
      throw IngotError(.io, "the export lacks block0.onnx", at: .init(file: context.folder))
    }
    (self.tokens, paddingID) = (tokens, context.facts.paddingID)
    let hiddenShape = try Shape(checking: [1, tokens, width])
    var hidden = [try OrtValue(runtime, dtype: embedding.result.dtype, shape: hiddenShape)]
    var (blocks, geometries): ([Block], [KVGeometry]) = ([], [])
    var slots = 0
    var ports: (positions: TensorPort, mask: TensorPort)?
    for name in names {
      let session = try context.session(name)
      try session.check(knownInputs: [
        "hidden_states", "attention_mask", "position_ids", "past_key", "past_value",
      ])
      let mask = try session.required(input: "attention_mask")
      guard mask.dims.count == 4, mask.dims[2] == tokens, let columns = mask.dims[3], columns > tokens else {
        throw IngotError(
          .unsupported, "\(mask) should be [1, 1, \(tokens), slots + \(tokens)]",
          at: .init(file: session.path, tensor: mask.name))
      }
      let count = columns - tokens
      guard blocks.isEmpty || count == slots else {
        throw IngotError(
          .unsupported, "the block has \(count) slots, the one before it \(slots)",
          at: .init(file: session.path))
      }
      slots = count
      let positions = try session.required(input: "position_ids")
      if ports == nil { ports = (positions, mask) }
      let past = try session.required(input: "past_key")
      let geometry = try KVGeometry(
        past, heads: context.facts.kvHeads, headDim: context.facts.headDim, slots: slots, file: session.path)
      guard geometry.length == slots, try session.required(input: "past_value").dims == past.dims else {
        throw IngotError(
          .unsupported, "\(past) and its values should have \(slots) slots, as the mask has",
          at: .init(file: session.path, tensor: past.name))
      }
      geometries.append(geometry)
      let shape = try geometry.shape(length: tokens)
      blocks.append(
        Block(
          part: try PartModel(session),
          present: KVPair(
            key: try OrtValue(runtime, dtype: geometry.dtype, shape: shape),
            value: try OrtValue(runtime, dtype: geometry.dtype, shape: shape))))
      hidden.append(
        try OrtValue(
          runtime, dtype: try session.required(output: "hidden_states_out").dtype, shape: hiddenShape))
    }
    output = try PartModel(try context.session("output.onnx"))
    let result = try output.session.required(output: "logits")
    guard result.dims.count == 3, let vocabSize = result.dims[2], let ports else {
      throw IngotError(
        .unsupported, "\(result) should be [1, \(tokens), vocabulary]", at: .init(file: output.path))
    }
    logits = try OrtValue(
      runtime, dtype: result.dtype, shape: try Shape(checking: [1, tokens, vocabSize]))
    let numbers = try OrtValue(
      runtime, dtype: ports.positions.dtype, shape: try Shape(checking: [1, tokens]))
    positions = (ports.positions, numbers)
    mask = (
      ports.mask.name,
      try AdditiveMask(
        runtime, rows: tokens, columns: slots + tokens, for: ports.mask, file: blocks[0].part.path)
    )
    (self.blocks, self.geometries, self.slots, self.hidden, self.vocabSize) =
      (blocks, geometries, slots, hidden, vocabSize)
  }

  /// Appends at most `tokens` tokens.
  /// - Parameters:
  ///   - rows: the tokens whose logits are wanted.
  ///   - onBorder: called with the number of a border and its value.
  func run(
    _ new: [Int], _ cache: SlotCache, rows: Range<Int>,
    onBorder: (Int, OrtValue) throws(IngotError) -> Void, onLogits: OnLogits
  ) throws(IngotError) {
    let (past, count) = (cache.count, new.count)
    precondition(count > 0 && count <= tokens && past + count <= slots)
    try embedding.run(new + Array(repeating: paddingID, count: tokens - count), into: hidden[0])
    try onBorder(0, hidden[0])
    // Padding has the last token's position and looks at nothing.
    try positions.value.fill(
      (0..<tokens).map { past + min($0, count - 1) }, for: positions.port, file: blocks[0].part.path)
    mask.mask.close()
    for row in 0..<count {
      mask.mask.open(row: row, 0..<past)
      mask.mask.open(row: row, slots..<slots + row + 1)
    }
    let storage = try cache.ownStorage()
    for (index, block) in blocks.enumerated() {
      try block.part.run(
        inputs: [
          ("hidden_states", hidden[index]), (mask.name, mask.mask.value),
          (positions.port.name, positions.value),
          ("past_key", storage.pairs[index].key), ("past_value", storage.pairs[index].value),
        ],
        outputs: [
          ("hidden_states_out", hidden[index + 1]), ("present_key", block.present.key),
          ("present_value", block.present.value),
        ])
      try onBorder(index + 1, hidden[index + 1])
    }
    for (index, block) in blocks.enumerated() { cache.store(block.present, count, at: past, pair: index) }
    cache.count = past + count
    guard !rows.isEmpty else { return }
    try output.run(inputs: [("hidden_states", hidden[blocks.count])], outputs: [("logits", logits)])
    try withFloatRows(logits.bytes, logits.dtype, width: vocabSize, rows: rows, onLogits)
  }
}
