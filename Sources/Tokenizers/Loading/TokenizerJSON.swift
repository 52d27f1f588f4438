import IngotCore

/// Reads a Hugging Face tokenizer.json.
/// Source: Hugging Face tokenizers 0.23, `tokenizer/serialization.rs`.
struct TokenizerJSON {
  private let root: JSONNode
  private var vocabulary: TokenTable
  private var addedTokens: [AddedToken] = []

  /// Reads a document.
  /// - Parameter extraTokens: tokens that another file adds; those already there are left out.
  /// - Throws: `.tokenizer` for broken members, `.unsupported` for what is not executed.
  static func parts(
    _ document: JSONValue, extraTokens: [AddedToken] = []
  ) throws(IngotError) -> TokenizerParts {
    var reader = TokenizerJSON(root: JSONNode(value: document, path: ""), vocabulary: TokenTable(capacity: 0))
    return try reader.read(extraTokens)
  }

  private mutating func read(_ extraTokens: [AddedToken]) throws(IngotError) -> TokenizerParts {
    let modelNode = try root.required("model")
    var preTokenizer = PreTokenizer()
    if let node = root.node("pre_tokenizer") { preTokenizer = try PreTokenizer(node) }
    let normalizer = try root.node("normalizer").map { (node) throws(IngotError) in try Normalizer(node) }
    let isByteLevel = preTokenizer.removeFinalByteLevel()
    // Files from before the `type` member hold BPE models.
    let type = try modelNode.string("type") ?? (modelNode.node("merges") == nil ? "Unigram" : "BPE")
    let model: TokenModel
    var rawTokens: TokenTable?
    switch type {
    case "BPE":
      let reader = try BPEReader(modelNode)
      vocabulary = reader.vocabulary
      var bpe = try reader.model(isByteLevel: isByteLevel)
      if try modelNode.bool("ignore_merges", default: false) {
        bpe.wholePieces = isByteLevel ? try vocabulary.decodedByteLevel(indexed: true) : vocabulary
      }
      model = .bpe(bpe)
    case "Unigram":
      if isByteLevel { preTokenizer.steps.append(.byteLevel) }
      let reader = try UnigramReader(modelNode)
      vocabulary = reader.vocabulary
      model = .unigram(reader.model)
    default: throw modelNode.unsupported("the model type \(type) is not executed")
    }
    try addTokens(extraTokens)
    var decoder: [DecoderStage] = [.spaced]
    if let node = root.node("decoder") { decoder = try DecoderStage.stages(node) }
    if case .byteLevel? = decoder.first {
      rawTokens = try vocabulary.decodedByteLevel(indexed: false)
      decoder[0] = .bytes
    }
    var postProcessor = PostProcessor()
    if let node = root.node("post_processor") { postProcessor = try PostProcessor(node) }
    return try TokenizerParts(
      vocabulary: vocabulary, rawTokens: rawTokens, model: model, normalizer: normalizer,
      preTokenizer: preTokenizer, postProcessor: postProcessor, decoder: decoder, addedTokens: addedTokens)
  }

  /// Gives added tokens their ids: that of the model's token of the same text, else the file's.
  private mutating func addTokens(_ extraTokens: [AddedToken]) throws(IngotError) {
    var known: Set<String> = []
    for element in try root.node("added_tokens")?.elements() ?? [] {
      let content = try element.required("content").string()
      guard let id = try element.count("id") else { throw element.error("the member \"id\" is missing") }
      guard !content.isEmpty else { continue }
      let isSpecial = try element.bool("special", default: false)
      var token = AddedToken(id: id, content: content, isSpecial: isSpecial)
      token.lstrip = try element.bool("lstrip", default: false)
      token.rstrip = try element.bool("rstrip", default: false)
      token.singleWord = try element.bool("single_word", default: false)
      token.isNormalized = try element.bool("normalized", default: !isSpecial)
      known.insert(content)
      do { try add(token) } catch {
        var located = error
        located.place.key = element.path
        throw located
      }
    }
    for token in extraTokens where !known.contains(token.content) { try add(token) }
  }

  private mutating func add(_ token: AddedToken) throws(IngotError) {
    var token = token
    if let id = vocabulary.id(of: token.content) {
      token.id = id
    } else {
      try vocabulary.add(token.content, id: token.id, expected: vocabulary.count)
    }
    addedTokens.removeAll { $0.content == token.content }
    addedTokens.append(token)
  }
}

extension TokenTable {
  /// The tokens as the bytes they stand for in GPT-2's alphabet; those outside it are their UTF-8.
  /// - Parameter indexed: whether `id(of:)` of the result shall work.
  func decodedByteLevel(indexed: Bool) throws(IngotError) -> TokenTable {
    var raw = TokenTable(capacity: idLimit)
    var bytes: [UInt8] = []
    for id in 0..<idLimit where contains(id: id) {
      bytes.removeAll(keepingCapacity: true)
      let token = self[id]
      if !token.withUnsafeBufferPointer({ ByteLevelAlphabet.append($0, to: &bytes) }) { bytes += token }
      try bytes.withUnsafeBufferPointer { (bytes) throws(IngotError) in
        try raw.add(bytes, id: id, indexed: indexed, expected: idLimit)
      }
    }
    return raw
  }
}
