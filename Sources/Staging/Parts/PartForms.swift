package import IngotCore

/// The lengths of `embed.onnx`.
package struct EmbedForm: Sendable, Hashable {
  /// Tokens of a call.
  package let inputLength: Int
  /// Width of a hidden state.
  package let hiddenSize: Int
  /// Element type of hidden states.
  package let dtype: DType

  /// Reads them off the ports.
  /// - Throws: `.format` for a missing port, `.shape` and `.unsupported` for one of another form.
  package init(_ ports: StagePorts, file: String) throws(IngotError) {
    let reader = PortReader(ports: ports, file: file)
    let ids = try reader.input("input_ids", rank: 2, [.i64])
    inputLength = try reader.length(ids, 1)
    try reader.require(ids, [1, inputLength])
    let hidden = try reader.output("hidden_states", rank: 3, [.f32, .f16])
    hiddenSize = try reader.length(hidden, 2)
    try reader.require(hidden, [1, inputLength, hiddenSize])
    dtype = hidden.dtype ?? .f32
  }
}

/// The lengths of a block.
package struct BlockForm: Sendable, Hashable {
  /// Tokens of a call.
  package let inputLength: Int
  /// Rows of the cache.
  package let cacheLength: Int
  /// Width of a hidden state.
  package let hiddenSize: Int
  /// Layers of the block.
  package let layerCount: Int
  /// Key/value heads.
  package let headCount: Int
  /// Width of a head.
  package let headSize: Int
  /// Element type of hidden states.
  package let dtype: DType
  /// Element type of the mask.
  package let maskType: DType
  /// Element type of keys and values as the part takes and gives them.
  package let cacheType: DType

  /// Reads them off the ports.
  /// - Throws: as `EmbedForm`.
  package init(_ ports: StagePorts, file: String) throws(IngotError) {
    let reader = PortReader(ports: ports, file: file)
    let floats: [DType] = [.f32, .f16]
    let hidden = try reader.input("hidden_states", rank: 3, floats)
    inputLength = try reader.length(hidden, 1)
    hiddenSize = try reader.length(hidden, 2)
    dtype = hidden.dtype ?? .f32
    try reader.require(hidden, [1, inputLength, hiddenSize])
    let key = try reader.input("past_key", rank: 5, floats)
    layerCount = try reader.length(key, 0)
    headCount = try reader.length(key, 2)
    cacheLength = try reader.length(key, 3)
    headSize = try reader.length(key, 4)
    cacheType = key.dtype ?? .f16
    let past = [layerCount, 1, headCount, cacheLength, headSize]
    // What follows is computed with freely.
    do { _ = try Shape(checking: past) } catch { throw error.inFile(file) }
    try reader.require(key, past)
    let value = try reader.input("past_value", rank: 5, floats)
    try reader.require(value, past)
    try reader.require(value, cacheType)
    let mask = try reader.input("attention_mask", rank: 4, floats)
    do { _ = try Shape(checking: [inputLength, cacheLength + inputLength]) } catch {
      throw error.inFile(file)
    }
    try reader.require(mask, [1, 1, inputLength, cacheLength + inputLength])
    maskType = mask.dtype ?? .f32
    try reader.require(try reader.input("position_ids", rank: 2, [.i64]), [1, inputLength])

    let out = try reader.output("hidden_states_out", rank: 3, floats)
    try reader.require(out, [1, inputLength, hiddenSize])
    try reader.require(out, dtype)
    for name in ["present_key", "present_value"] {
      let present = try reader.output(name, rank: 5, floats)
      try reader.require(present, [layerCount, 1, headCount, inputLength, headSize])
      try reader.require(present, cacheType)
    }
  }

  /// Shape of keys, and of values.
  package var cacheShape: Shape { [layerCount, 1, headCount, cacheLength, headSize] }
}

/// The lengths of `output.onnx`.
package struct OutputForm: Sendable, Hashable {
  /// Tokens of a call.
  package let inputLength: Int
  /// Width of a hidden state.
  package let hiddenSize: Int
  /// Entries of the vocabulary.
  package let vocabularySize: Int
  /// Element type of hidden states.
  package let dtype: DType
  /// Element type of logits.
  package let logitsType: DType

  /// Reads them off the ports.
  /// - Throws: as `EmbedForm`.
  package init(_ ports: StagePorts, file: String) throws(IngotError) {
    let reader = PortReader(ports: ports, file: file)
    let hidden = try reader.input("hidden_states", rank: 3, [.f32, .f16])
    inputLength = try reader.length(hidden, 1)
    hiddenSize = try reader.length(hidden, 2)
    dtype = hidden.dtype ?? .f32
    try reader.require(hidden, [1, inputLength, hiddenSize])
    let logits = try reader.output("logits", rank: 3, [.f32, .f16])
    vocabularySize = try reader.length(logits, 2)
    logitsType = logits.dtype ?? .f32
    try reader.require(logits, [1, inputLength, vocabularySize])
  }
}

/// The lengths of all parts of a folder, which agree.
package struct StagedForm: Sendable, Hashable {
  /// Of `embed.onnx`.
  package let embed: EmbedForm
  /// Of the blocks in order, at least one.
  package let blocks: [BlockForm]
  /// Of `output.onnx`.
  package let output: OutputForm

  /// Reads the ports of all parts.
  /// - Throws: as `EmbedForm`; `.io` for a missing part; `.shape` where two parts contradict each other.
  package init(_ source: any StageSource) throws(IngotError) {
    let embed = try EmbedForm(source.ports(of: .embed), file: source.file(.embed))
    var blocks: [BlockForm] = []
    for index in 0..<(try source.blockCount()) {
      let part = StagePartName.block(index)
      let block = try BlockForm(source.ports(of: part), file: source.file(part))
      try Self.require(
        block.inputLength, embed.inputLength, "tokens of a call", source.file(part), "embed.onnx")
      try Self.require(
        block.hiddenSize, embed.hiddenSize, "width of hidden states", source.file(part), "embed.onnx")
      if let first = blocks.first {
        try Self.require(
          block.cacheLength, first.cacheLength, "rows of the cache", source.file(part), "block0.onnx")
        try Self.require(
          block.maskType, first.maskType, "type of the mask", source.file(part), "block0.onnx")
      }
      try Self.require(block.dtype, embed.dtype, "type of hidden states", source.file(part), "embed.onnx")
      blocks.append(block)
    }
    let output = try OutputForm(source.ports(of: .output), file: source.file(.output))
    let file = source.file(.output)
    try Self.require(output.inputLength, embed.inputLength, "tokens of a call", file, "embed.onnx")
    try Self.require(output.hiddenSize, embed.hiddenSize, "width of hidden states", file, "embed.onnx")
    try Self.require(output.dtype, embed.dtype, "type of hidden states", file, "embed.onnx")
    (self.embed, self.blocks, self.output) = (embed, blocks, output)
  }

  /// Tokens of a call.
  package var inputLength: Int { embed.inputLength }
  /// Rows of the cache.
  package var cacheLength: Int { blocks[0].cacheLength }
  /// Element type of the mask.
  package var maskType: DType { blocks[0].maskType }

  /// Checks that another folder is the same model, cut alike, for another number of tokens of a call.
  /// - Throws: `.shape` naming what differs.
  package func requirePartner(_ other: StagedForm, file: String, of mine: String) throws(IngotError) {
    try Self.require(other.blocks.count, blocks.count, "number of blocks", file, mine)
    try Self.require(other.cacheLength, cacheLength, "rows of the cache", file, mine)
    try Self.require(other.embed.hiddenSize, embed.hiddenSize, "width of hidden states", file, mine)
    try Self.require(other.output.vocabularySize, output.vocabularySize, "vocabulary", file, mine)
    for (index, pair) in zip(other.blocks, blocks).enumerated() {
      try Self.require(pair.0.cacheShape, pair.1.cacheShape, "cache of block \(index)", file, mine)
      try Self.require(pair.0.cacheType, pair.1.cacheType, "type of block \(index)'s cache", file, mine)
    }
  }

  private static func require<Value: Equatable>(
    _ found: Value, _ expected: Value, _ what: String, _ file: String, _ other: String
  ) throws(IngotError) {
    guard found == expected else {
      throw IngotError(
        .shape, "the \(what) is \(found); it is \(expected) in \(other)", at: .init(file: file),
        hint: "use parts of one export")
    }
  }
}
