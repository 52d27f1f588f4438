import IngotCore

/// What the files say besides the vocabulary and its pipeline.
struct TokenizerSettings: Sendable {
  var bosID: Int?
  var eosIDs: [Int] = []
  var chatTemplate: String?
  var namedChatTemplates: [String: String] = [:]
  var specialTokens: [String: String] = [:]
}

/// The stages of a tokenizer, from whichever file.
struct TokenizerParts: Sendable {
  /// Tokens as the file writes them.
  let vocabulary: TokenTable
  /// Tokens as bytes, by id; nil when the vocabulary is not written in an alphabet for bytes.
  let rawTokens: TokenTable?
  let model: TokenModel
  let normalizer: Normalizer?
  let preTokenizer: PreTokenizer
  var postProcessor: PostProcessor
  /// Stages for raw tokens where there are such, else for tokens as written.
  let decoder: [DecoderStage]
  let specialIDs: Set<Int>
  var settings = TokenizerSettings()
  private let matcher: AddedTokenMatcher
  private let normalizedMatcher: AddedTokenMatcher
  /// Decoder input of added tokens that normalization changes: they decode to what was looked for.
  private let normalizedTokens: [Int: [UInt8]]

  /// - Parameter normalizesTokens: whether added tokens looked for in normalized text are normalized first.
  /// - Throws: `.limit` when a normalizer's pattern backtracks without end on an added token.
  init(
    vocabulary: TokenTable, rawTokens: TokenTable?, model: TokenModel, normalizer: Normalizer? = nil,
    preTokenizer: PreTokenizer = PreTokenizer(), postProcessor: PostProcessor = PostProcessor(),
    decoder: [DecoderStage], addedTokens: [AddedToken], normalizesTokens: Bool = true
  ) throws(IngotError) {
    (self.vocabulary, self.rawTokens, self.model) = (vocabulary, rawTokens, model)
    (self.normalizer, self.preTokenizer, self.postProcessor) = (normalizer, preTokenizer, postProcessor)
    self.decoder = decoder
    specialIDs = Set(addedTokens.filter(\.isSpecial).map(\.id))
    // `tokenizers` looks special tokens up first.
    let ordered = addedTokens.filter(\.isSpecial) + addedTokens.filter { !$0.isSpecial }
    let raw = ordered.filter { !$0.isNormalized }
    matcher = AddedTokenMatcher(raw, patterns: raw.map { Array($0.content.utf8) })
    let normalized = ordered.filter(\.isNormalized)
    var patterns: [[UInt8]] = []
    var changed: [Int: [UInt8]] = [:]
    for token in normalized {
      var pattern = Array(token.content.utf8)
      var cutsStart = false
      if normalizesTokens { try normalizer?.apply(&pattern, cutsStart: &cutsStart) }
      patterns.append(pattern)
      guard !pattern.elementsEqual(token.content.utf8) else { continue }
      changed[token.id] = rawTokens == nil ? pattern : ByteLevelAlphabet.decode(pattern[...]) ?? pattern
    }
    normalizedTokens = changed
    normalizedMatcher = AddedTokenMatcher(normalized, patterns: patterns)
  }

  /// Appends the tokens of a text.
  /// - Throws: `.limit` when a pattern backtracks without end.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, parseSpecial: Bool, into ids: inout [Int], _ workspace: Workspace
  ) throws(IngotError) {
    try matcher.forEachSegment(text, parseSpecial: parseSpecial) { (token, range) throws(IngotError) in
      if let token { return ids.append(token.id) }
      let segment = UnsafeBufferPointer(rebasing: text[range])
      let isStart = range.lowerBound == 0
      guard let normalizer, !normalizer.leavesAlone(segment) else {
        return try encodeNormalized(segment, isStart, parseSpecial, into: &ids, workspace)
      }
      var normalized = Array(segment)
      var cutsStart = false
      try normalizer.apply(&normalized, cutsStart: &cutsStart)
      try normalized.withUnsafeBufferPointer { (bytes) throws(IngotError) in
        try encodeNormalized(bytes, isStart && !cutsStart, parseSpecial, into: &ids, workspace)
      }
    }
  }

  private func encodeNormalized(
    _ text: UnsafeBufferPointer<UInt8>, _ isStart: Bool, _ parseSpecial: Bool, into ids: inout [Int],
    _ workspace: Workspace
  ) throws(IngotError) {
    try normalizedMatcher.forEachSegment(text, parseSpecial: parseSpecial) {
      (token, range) throws(IngotError) in
      if let token { return ids.append(token.id) }
      let segment = UnsafeBufferPointer(rebasing: text[range])
      let isStart = isStart && range.lowerBound == 0
      switch model {
      case .bpe(let bpe):
        try preTokenizer.forEachPiece(segment, isStart: isStart) {
          bpe.value.encode($0, into: &ids, workspace)
        }
      case .unigram(let unigram):
        try preTokenizer.forEachPiece(segment, isStart: isStart) {
          unigram.value.encode($0, into: &ids, workspace)
        }
      }
    }
  }

  /// A token as the decoder takes it.
  func decoderInput(_ id: Int) -> ArraySlice<UInt8> {
    if !normalizedTokens.isEmpty, let token = normalizedTokens[id] { return token[...] }
    return rawTokens?[id] ?? vocabulary[id]
  }

  /// The bytes a token stands for away from the beginning of a text.
  func plainBytes(of id: Int) -> [UInt8] {
    let token = decoderInput(id)
    if rawTokens != nil { return Array(token) }
    let fallsBack = decoder.contains { if case .byteFallback = $0 { true } else { false } }
    if fallsBack, let byte = DecoderChain.byte(of: token) { return [byte] }
    // A token before it takes the beginning; what a stage holds back comes at the end.
    var chain = DecoderChain(decoder.filter { if case .spaced = $0 { false } else { true } })
    do throws(IngotError) {
      let text = try chain.push([UInt8(ascii: "a")][...]) + chain.push(token) + chain.finish()
      return Array(text.dropFirst())
    } catch { return Array(token) }
  }
}
