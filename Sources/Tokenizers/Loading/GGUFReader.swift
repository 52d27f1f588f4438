import IngotCore

/// Builds a tokenizer from the vocabulary of a GGUF file, as llama.cpp would tokenize with it.
struct GGUFReader {
  private let source: VocabularyData
  private let types: [PieceType]

  /// - Throws: `.tokenizer` for types, scores or ids that do not fit the tokens.
  init(_ source: VocabularyData) throws(IngotError) {
    self.source = source
    guard !source.tokens.isEmpty else { throw Self.error("the vocabulary is empty", "tokens") }
    guard source.types.isEmpty || source.types.count == source.tokens.count else {
      throw Self.error("\(source.tokens.count) tokens but \(source.types.count) types", "token_type")
    }
    var types = [PieceType](repeating: .normal, count: source.tokens.count)
    for (id, number) in source.types.enumerated() {
      guard let type = PieceType(rawValue: number) else {
        throw Self.error("token \(id) has the unknown type \(number)", "token_type")
      }
      types[id] = type
    }
    self.types = types
    let ids = [
      ("bos_token_id", source.bos), ("eos_token_id", source.eos), ("eot_token_id", source.eot),
      ("unknown_token_id", source.unk), ("padding_token_id", source.pad),
    ]
    for (key, id) in ids {
      if let id, !source.tokens.indices.contains(id) {
        throw Self.error("the id \(id) is not among the \(source.tokens.count) tokens", key)
      }
    }
  }

  private static func error(_ what: String, _ key: String) -> IngotError {
    IngotError(.tokenizer, what, at: .init(key: "tokenizer.ggml.\(key)"))
  }

  func parts() throws(IngotError) -> TokenizerParts {
    var parts: TokenizerParts
    let addsBOS: Bool
    switch source.model {
    case "gpt2":
      let pre = try GGUFPreTokenizer(name: source.pre)
      parts = try byteLevel(pre)
      addsBOS = source.addBOS ?? pre.addsBOS
    case "llama":
      parts = try sentencePiece()
      addsBOS = source.addBOS ?? true
    default:
      throw IngotError(
        .unsupported, "the vocabulary model \"\(source.model)\" is not executed",
        at: .init(key: "tokenizer.ggml.model"))
    }
    if addsBOS, let bos = source.bos { parts.postProcessor.prefix = [bos] }
    if source.addEOS ?? false, let eos = source.eos { parts.postProcessor.suffix = [eos] }
    parts.settings = settings()
    return parts
  }

  private func settings() -> TokenizerSettings {
    var settings = TokenizerSettings(bosID: source.bos, chatTemplate: source.chatTemplate)
    for id in [source.eos, source.eot].compactMap({ $0 }) where !settings.eosIDs.contains(id) {
      settings.eosIDs.append(id)
    }
    let roles = [
      ("bos_token", source.bos), ("eos_token", source.eos), ("unk_token", source.unk),
      ("pad_token", source.pad),
    ]
    for (role, id) in roles { if let id { settings.specialTokens[role] = source.tokens[id] } }
    if let template = source.chatTemplate { settings.namedChatTemplates["default"] = template }
    return settings
  }

  private func sentencePiece() throws(IngotError) -> TokenizerParts {
    let scores = source.scores.isEmpty ? [Float](repeating: 0, count: types.count) : source.scores
    let scored = try ScoredVocabulary(tokens: source.tokens, types: types, scores: scores)
    let mark = Array("\u{2581}".utf8)
    var steps: [Normalizer] = []
    if source.addSpacePrefix ?? true { steps.append(.prepend(" ")) }
    steps.append(.replace(.literal([0x20]), with: mark))
    var decoder: [DecoderStage] = [
      .replace(.literal(mark), with: [0x20]), .byteFallback(.maximalParts), .fuse,
    ]
    if source.addSpacePrefix ?? true { decoder.append(.strip(content: [0x20], start: 1, stop: 0)) }
    return try TokenizerParts(
      vocabulary: scored.table, rawTokens: nil,
      model: .bpe(scored.bpe(unknown: source.unk ?? types.firstIndex(of: .unknown))),
      normalizer: .sequence(steps), decoder: decoder,
      addedTokens: scored.addedTokens(normalizesUserDefined: false))
  }

  private func byteLevel(_ pre: GGUFPreTokenizer) throws(IngotError) -> TokenizerParts {
    var vocabulary = TokenTable(capacity: source.tokens.count)
    var raw = TokenTable(capacity: source.tokens.count)
    var added: [AddedToken] = []
    for (id, token) in source.tokens.enumerated() {
      try vocabulary.add(token, id: id, expected: source.tokens.count)
      var bytes = Array(token.utf8)
      switch types[id] {
      case .control, .unknown: added.append(AddedToken(id: id, content: token, isSpecial: true))
      case .userDefined: added.append(AddedToken(id: id, content: token))
      case .normal, .unused, .byte: bytes = ByteLevelAlphabet.decode(bytes[...]) ?? bytes
      }
      let isPlain = types[id] == .normal || types[id] == .unused
      try bytes.withUnsafeBufferPointer { (bytes) throws(IngotError) in
        try raw.add(bytes, id: id, indexed: isPlain, expected: source.tokens.count)
      }
    }
    added.removeAll { $0.content.isEmpty }
    let alphabet = ByteLevelAlphabet.scalars.map { scalar in
      vocabulary.id(of: String(scalar)).map { BPE.Initial.symbol(UInt32($0)) } ?? .unknown
    }
    var model = BPE(alphabet: BPE.byteAlphabet(alphabet), merges: try merges(vocabulary))
    if pre.ignoresMerges { model.wholePieces = raw }
    return try TokenizerParts(
      vocabulary: vocabulary, rawTokens: raw, model: .bpe(model),
      normalizer: pre.composes ? .unicode(.nfc) : nil,
      preTokenizer: PreTokenizer(steps: try pre.steps()), decoder: [.bytes], addedTokens: added)
  }

  private func merges(_ vocabulary: TokenTable) throws(IngotError) -> MergeTable {
    let table = MergeTable(capacity: source.merges.count)
    guard !source.merges.isEmpty else { throw Self.error("a gpt2 vocabulary needs merges", "merges") }
    var joined: [UInt8] = []
    for (rank, merge) in source.merges.enumerated() {
      // The space after the first byte: a token may be written with a space itself.
      let utf8 = merge.utf8
      guard let space = utf8.dropFirst().firstIndex(of: 0x20) else {
        throw Self.error("merge \(rank) is not a pair of tokens", "merges")
      }
      joined.removeAll(keepingCapacity: true)
      joined += utf8[..<space]
      joined += utf8[utf8.index(after: space)...]
      guard let left = vocabulary.id(of: utf8[..<space]),
        let right = vocabulary.id(of: utf8[utf8.index(after: space)...]),
        let symbol = vocabulary.id(of: joined)
      else {
        throw Self.error("merge \(rank), \"\(merge)\", needs a token that is not in the vocabulary", "merges")
      }
      table.set(UInt32(left), UInt32(right), rank: UInt32(rank), symbol: UInt32(symbol))
    }
    return table
  }
}
