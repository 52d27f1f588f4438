import IngotCore

/// A SentencePiece model file.
/// Source: SentencePiece 0.2, `sentencepiece_model.proto`, `normalizer.cc`.
struct SentencePieceModel {
  private var tokens: [String] = []
  private var scores: [Float] = []
  private var types: [PieceType] = []
  private var modelType = 1
  private var charsmap: [UInt8] = []
  private var addsPrefix = true
  private var removesExtraSpaces = true
  private var escapesSpaces = true
  private var suffixesSpaces = false
  private var ids: [Int: Int] = [40: 0, 41: 1, 42: 2]

  /// Reads a file.
  /// - Throws: `.tokenizer` when it is no such file or is broken.
  init(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      guard case .bytes(let message) = value else { continue }
      switch field {
      case 1: try readPiece(message)
      case 2: try readTrainer(message)
      case 3: try readNormalizer(message)
      default: break
      }
    }
    guard !tokens.isEmpty else { throw IngotError(.tokenizer, "the SentencePiece model has no pieces") }
  }

  private mutating func readPiece(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    var reader = ProtobufReader(bytes)
    var (token, score, type): (String, Float, PieceType) = ("", 0, .normal)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let text)):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw IngotError(.tokenizer, "piece \(tokens.count) is not valid UTF-8")
        }
        token = string
      case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
      case (3, .varint(let number)):
        guard let known = PieceType(rawValue: Int(truncatingIfNeeded: number)) else {
          throw IngotError(.tokenizer, "piece \(tokens.count) has the unknown type \(number)")
        }
        type = known
      default: break
      }
    }
    tokens.append(token)
    scores.append(score)
    types.append(type)
  }

  private mutating func readTrainer(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      guard case .varint(let number) = value else { continue }
      switch field {
      case 3: modelType = Int(truncatingIfNeeded: number)
      case 24: suffixesSpaces = number != 0
      case 40...43: ids[field] = Int(truncatingIfNeeded: number)
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (2, .bytes(let map)): charsmap = Array(map)
      case (3, .varint(let flag)): addsPrefix = flag != 0
      case (4, .varint(let flag)): removesExtraSpaces = flag != 0
      case (5, .varint(let flag)): escapesSpaces = flag != 0
      default: break
      }
    }
  }

  /// The tokenizer.
  /// - Throws: `.tokenizer` for contents that make no sense, `.unsupported` for word and character
  ///   models.
  func parts(_ config: TokenizerConfig) throws(IngotError) -> TokenizerParts {
    guard !suffixesSpaces, escapesSpaces else {
      throw IngotError(.unsupported, "a SentencePiece model that treats spaces in another way")
    }
    let scored = try ScoredVocabulary(tokens: tokens, types: types, scores: scores)
    let unknown = types.firstIndex(of: .unknown)
    let model: TokenModel
    switch modelType {
    case 1: model = .unigram(unigram(scored, unknown))
    case 2: model = .bpe(scored.bpe(unknown: unknown))
    default: throw IngotError(.unsupported, "a SentencePiece model of type \(modelType)")
    }
    var vocabulary = scored.table
    var added = scored.addedTokens(normalizesUserDefined: true)
    for token in config.addedTokens where vocabulary.id(of: token.content) == nil {
      try vocabulary.add(token.content, id: token.id, expected: tokens.count)
      added.append(token)
    }
    var parts = try TokenizerParts(
      vocabulary: vocabulary, rawTokens: nil, model: model, normalizer: try normalizer(),
      decoder: decoder(), addedTokens: added, normalizesTokens: false)
    // As in Llama, whose files these are: text begins with the token for it.
    if let bos = ids[41], scored.types.indices.contains(bos), scored.types[bos] == .control,
      config.addsBOS ?? true
    {
      parts.postProcessor.prefix = [bos]
    }
    return parts
  }

  private func normalizer() throws(IngotError) -> Normalizer {
    var steps: [Normalizer] = []
    if !charsmap.isEmpty { steps.append(.charsmap(try PrecompiledCharsmap(charsmap), byCharacter: false)) }
    if removesExtraSpaces { steps.append(.collapseSpaces) }
    if addsPrefix { steps.append(.prepend(" ")) }
    steps.append(.replace(.literal([0x20]), with: Array("\u{2581}".utf8)))
    return .sequence(steps)
  }

  private func decoder() -> [DecoderStage] {
    var stages: [DecoderStage] = [
      .replace(.literal(Array("\u{2581}".utf8)), with: [0x20]), .byteFallback(.eachByte), .fuse,
    ]
    if addsPrefix { stages.append(.strip(content: [0x20], start: 1, stop: 0)) }
    return stages
  }

  private func unigram(_ scored: ScoredVocabulary, _ unknown: Int?) -> Unigram {
    var trie = ByteTrie(byteCapacity: tokens.count * 4)
    for id in tokens.indices where scored.plain.contains(id: id) {
      trie.insert(scored.plain[id], value: id)
    }
    let bytes = scored.byteTokens()
    return Unigram(
      trie: trie, scores: scores.map(Double.init), unknown: unknown,
      byteTokens: bytes.contains { $0 != nil } ? bytes : nil)
  }
}
