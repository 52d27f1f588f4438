import IngotCore

/// What a token of a SentencePiece vocabulary is; GGUF has the same numbers.
/// Source: SentencePiece, `sentencepiece_model.proto`.
enum PieceType: Int {
  case normal = 1
  case unknown, control, userDefined, unused, byte
}

/// A vocabulary with scores in place of merges, as SentencePiece trains and GGUF keeps it.
struct ScoredVocabulary {
  let table: TokenTable
  /// The tokens that text may become by itself: not those that control.
  let plain: TokenTable
  let types: [PieceType]
  let scores: [Float]

  /// - Throws: `.tokenizer` when the lists differ in length or a score is not a number.
  init(tokens: [String], types: [PieceType], scores: [Float]) throws(IngotError) {
    guard tokens.count == types.count, tokens.count == scores.count else {
      throw IngotError(
        .tokenizer, "\(tokens.count) tokens, \(types.count) token types and \(scores.count) scores")
    }
    guard let unscored = scores.firstIndex(where: \.isNaN) else {
      var table = TokenTable(capacity: tokens.count)
      var plain = TokenTable(capacity: tokens.count)
      for (id, token) in tokens.enumerated() {
        try table.add(token, id: id, expected: tokens.count)
        switch types[id] {
        case .normal, .userDefined, .unused: try plain.add(token, id: id, expected: tokens.count)
        case .unknown, .control, .byte: break
        }
      }
      (self.table, self.plain, self.types, self.scores) = (table, plain, types, scores)
      return
    }
    throw IngotError(.tokenizer, "the score of token \(unscored) is not a number")
  }

  /// The tokens looked for in the text itself.
  func addedTokens(normalizesUserDefined: Bool) -> [AddedToken] {
    types.indices.compactMap { id in
      guard let content = table.string(id), !content.isEmpty else { return nil }
      switch types[id] {
      case .control, .unknown: return AddedToken(id: id, content: content, isSpecial: true)
      case .userDefined: return AddedToken(id: id, content: content, isNormalized: normalizesUserDefined)
      case .normal, .unused, .byte: return nil
      }
    }
  }

  /// The byte-pair encoding in which two symbols merge when they spell a token, the highest score first.
  func bpe(unknown: Int?) -> BPE {
    var rankByScore: [Float: UInt32] = [:]
    for score in Set(scores).sorted(by: >) { rankByScore[score] = UInt32(rankByScore.count) }
    let singles = plain.scalarSymbols()
    // Scalars inside tokens that are no tokens themselves still merge.
    let firstUntokened = UInt32(table.idLimit)
    var untokened: [UInt32] = []
    for id in types.indices where plain.contains(id: id) {
      for scalar in (plain.string(id) ?? "").unicodeScalars
      where singles.table.merge(scalar.value, 0).symbol == .max {
        singles.table.set(
          scalar.value, 0, rank: 0, symbol: firstUntokened + UInt32(untokened.count))
        untokened.append(scalar.value)
      }
    }
    let alphabet = BPE.ScalarSymbols(
      table: singles.table, firstUntokened: firstUntokened, untokened: untokened)
    let merges = MergeTable.implied(
      by: plain, rank: { rankByScore[scores[$0]] },
      symbol: { part in
        if let id = plain.id(of: part) { return UInt32(id) }
        let (value, end) = part.withUnsafeBufferPointer { ScalarText($0).scalar(at: 0) }
        let symbol = end == part.count ? singles.table.merge(value, 0).symbol : .max
        return symbol == .max ? nil : symbol
      }, boundaries: { $0 & 0xC0 != 0x80 })
    var bpe = BPE(alphabet: .scalars(alphabet), merges: merges)
    let bytes = byteTokens()
    if bytes.contains(where: { $0 != nil }) { bpe.byteTokens = bytes }
    bpe.unknown = unknown.map { UInt32($0) }
    bpe.fusesUnknown = true
    bpe.cutsBeforeMetaspace = bpe.canCutBeforeMetaspace(table)
    return bpe
  }

  /// The tokens of single bytes.
  func byteTokens() -> [UInt32?] {
    var result = [UInt32?](repeating: nil, count: 256)
    for id in types.indices where types[id] == .byte {
      if let byte = DecoderChain.byte(of: table[id]) { result[Int(byte)] = UInt32(id) }
    }
    return result
  }
}
