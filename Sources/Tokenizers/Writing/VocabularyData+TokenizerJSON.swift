import IngotCore

extension VocabularyData {
  /// The vocabulary as a Hugging Face `tokenizer.json` that gives the same ids.
  ///
  /// Two things of SentencePiece have no place in such a file, here as in Hugging Face's own converter: of merges
  /// with the same score the leftmost comes first, and characters that are no tokens may still become part of one.
  /// - Parameter parts: what `GGUFReader` made of this vocabulary.
  /// Source: Hugging Face tokenizers 0.23, `tokenizer/serialization.rs`.
  func tokenizerJSON(_ parts: TokenizerParts) throws(IngotError) -> JSONValue {
    let isByteLevel = model == "gpt2"
    var document = JSONObject([
      .init("version", .string("1.0")), .init("truncation", .null), .init("padding", .null),
      .init("added_tokens", .array(addedTokens.map(\.json))),
    ])
    if isByteLevel {
      let pre = try GGUFPreTokenizer(name: pre)
      document["normalizer"] = pre.composes ? .tagged("NFC") : .null
      document["pre_tokenizer"] = pre.json
      document["post_processor"] = postProcessor(parts.postProcessor)
      document["decoder"] = .byteLevel(usesRegex: true)
      document["model"] = model(
        merges: merges.map { .array(Self.pair($0).map { .string($0) }) }, unknown: nil,
        ignoresMerges: pre.ignoresMerges)
    } else {
      document["normalizer"] = normalizer
      document["pre_tokenizer"] = .null
      document["post_processor"] = postProcessor(parts.postProcessor)
      document["decoder"] = decoder
      let unknown = unk ?? types.firstIndex(of: PieceType.unknown.rawValue)
      document["model"] = model(merges: impliedMerges(), unknown: unknown.map { tokens[$0] })
    }
    return .object(document)
  }

  private func type(_ id: Int) -> PieceType {
    types.isEmpty ? .normal : PieceType(rawValue: types[id]) ?? .normal
  }

  /// The tokens that are looked for in the text itself.
  var addedTokens: [AddedToken] {
    tokens.indices.compactMap { id in
      guard !tokens[id].isEmpty else { return nil }
      return switch type(id) {
      case .control, .unknown: AddedToken(id: id, content: tokens[id], isSpecial: true)
      case .userDefined: AddedToken(id: id, content: tokens[id])
      case .normal, .unused, .byte: nil
      }
    }
  }

  private func model(merges: [JSONValue], unknown: String?, ignoresMerges: Bool = false) -> JSONValue {
    let isScored = model != "gpt2"
    // Of tokens written alike the first counts.
    var known: Set<String> = []
    let vocabulary = tokens.indices.compactMap { id in
      known.insert(tokens[id]).inserted ? JSONObject.Member(tokens[id], .int(id)) : nil
    }
    return .object(
      JSONObject([
        .init("type", .string("BPE")), .init("dropout", .null),
        .init("unk_token", unknown.map { .string($0) } ?? .null),
        .init("continuing_subword_prefix", .null), .init("end_of_word_suffix", .null),
        .init("fuse_unk", .bool(isScored)), .init("byte_fallback", .bool(isScored)),
        .init("ignore_merges", .bool(ignoresMerges)),
        .init("vocab", .object(JSONObject(vocabulary))), .init("merges", .array(merges)),
      ]))
  }

  /// The two tokens of a merge as GGUF writes it; the space comes after the first byte.
  private static func pair(_ merge: String) -> [String] {
    guard let space = merge.utf8.dropFirst().firstIndex(of: 0x20) else { return [merge] }
    return [String(merge[..<space]), String(merge[merge.utf8.index(after: space)...])]
  }

  /// The merges that the scores imply: every division of a token into two others, the highest score first.
  /// Source: `SentencePieceExtractor` of transformers 5.23.
  private func impliedMerges() -> [JSONValue] {
    var plain: [Substring: Int] = [:]
    for id in tokens.indices {
      switch type(id) {
      case .normal, .userDefined, .unused: if plain[tokens[id][...]] == nil { plain[tokens[id][...]] = id }
      case .unknown, .control, .byte: break
      }
    }
    var merges: [(score: Float, id: Int, left: Int, right: Int)] = []
    for (token, id) in plain {
      let scalars = token.unicodeScalars
      for middle in scalars.indices.dropFirst() {
        guard let left = plain[Substring(scalars[..<middle])],
          let right = plain[Substring(scalars[middle...])]
        else { continue }
        merges.append((scores.isEmpty ? 0 : scores[id], id, left, right))
      }
    }
    merges.sort { a, b in
      a.score != b.score ? a.score > b.score : (a.id, a.left, a.right) < (b.id, b.left, b.right)
    }
    return merges.map { .array([.string(tokens[$0.left]), .string(tokens[$0.right])]) }
  }

  private static let mark = "\u{2581}"

  private var normalizer: JSONValue {
    var steps: [JSONValue] = [.replace(" ", with: Self.mark)]
    if addSpacePrefix ?? true {
      steps.insert(.tagged("Prepend", [.init("prepend", .string(Self.mark))]), at: 0)
    }
    return .tagged("Sequence", [.init("normalizers", .array(steps))])
  }

  private var decoder: JSONValue {
    var steps: [JSONValue] = [.replace(Self.mark, with: " "), .tagged("ByteFallback"), .tagged("Fuse")]
    if addSpacePrefix ?? true {
      steps.append(
        .tagged("Strip", [.init("content", .string(" ")), .init("start", .int(1)), .init("stop", .int(0))]))
    }
    return .tagged("Sequence", [.init("decoders", .array(steps))])
  }

  /// The tokens around a text, and around two.
  private func postProcessor(_ processor: PostProcessor) -> JSONValue {
    guard !processor.prefix.isEmpty || !processor.suffix.isEmpty else {
      return model == "gpt2" ? .byteLevel(usesRegex: true) : .null
    }
    func special(_ id: Int, _ sequence: Int) -> JSONValue {
      .wrapped("SpecialToken", [.init("id", .string(tokens[id])), .init("type_id", .int(sequence))])
    }
    func sequence(_ index: Int) -> [JSONValue] {
      processor.prefix.map { special($0, index) }
        + [
          .wrapped("Sequence", [.init("id", .string(index == 0 ? "A" : "B")), .init("type_id", .int(index))])
        ]
        + processor.suffix.map { special($0, index) }
    }
    var entries = JSONObject()
    for id in processor.prefix + processor.suffix {
      entries[tokens[id]] = .object(
        JSONObject([
          .init("id", .string(tokens[id])), .init("ids", .array([.int(id)])),
          .init("tokens", .array([.string(tokens[id])])),
        ]))
    }
    return .tagged(
      "TemplateProcessing",
      [
        .init("single", .array(sequence(0))), .init("pair", .array(sequence(0) + sequence(1))),
        .init("special_tokens", .object(entries)),
      ])
  }
}

extension GGUFPreTokenizer {
  /// As the `pre_tokenizer` of a tokenizer.json.
  fileprivate var json: JSONValue {
    // The pattern that is built into ByteLevel.
    if patterns == [PreTokenizer.gpt2Pattern] { return .byteLevel(usesRegex: true) }
    var steps: [JSONValue] = patterns.map { pattern in
      // By its own name, as onnxruntime-genai refuses this expression.
      if pattern == "\\p{N}+" { return .tagged("Digits", [.init("individual_digits", .bool(false))]) }
      let regex = JSONObject([.init("Regex", .string(pattern.withLiteralScalars))])
      return .tagged(
        "Split",
        [
          .init("pattern", .object(regex)), .init("behavior", .string("Isolated")),
          .init("invert", .bool(false)),
        ])
    }
    steps.append(.byteLevel(usesRegex: false))
    return .tagged("Sequence", [.init("pretokenizers", .array(steps))])
  }
}

extension String {
  /// A regular expression with `\x{4E00}` and the like as the characters they stand for, which every engine reads.
  fileprivate var withLiteralScalars: String {
    replacing(/\\x\{([0-9A-F]+)\}/) { match in
      guard let value = UInt32(match.1, radix: 16), value >= 0x80, let scalar = Unicode.Scalar(value) else {
        return String(match.0)
      }
      return String(Character(scalar))
    }
  }
}

extension AddedToken {
  /// As an element of `added_tokens`.
  var json: JSONValue { .object(JSONObject([.init("id", .int(id))] + flags)) }

  /// As a value of `added_tokens_decoder`.
  var flags: [JSONObject.Member] {
    [
      .init("content", .string(content)), .init("single_word", .bool(singleWord)),
      .init("lstrip", .bool(lstrip)), .init("rstrip", .bool(rstrip)),
      .init("normalized", .bool(isNormalized)),
      .init("special", .bool(isSpecial)),
    ]
  }
}

extension JSONValue {
  /// An object with a `type`.
  fileprivate static func tagged(_ type: String, _ members: [JSONObject.Member] = []) -> JSONValue {
    .object(JSONObject([.init("type", .string(type))] + members))
  }

  /// An object of one member, which is an object.
  fileprivate static func wrapped(_ key: String, _ members: [JSONObject.Member]) -> JSONValue {
    .object(JSONObject([.init(key, .object(JSONObject(members)))]))
  }

  fileprivate static func replace(_ text: String, with content: String) -> JSONValue {
    let pattern = JSONObject([.init("String", .string(text))])
    return .tagged("Replace", [.init("pattern", .object(pattern)), .init("content", .string(content))])
  }

  fileprivate static func byteLevel(usesRegex: Bool) -> JSONValue {
    .tagged(
      "ByteLevel",
      [
        .init("add_prefix_space", .bool(false)), .init("trim_offsets", .bool(true)),
        .init("use_regex", .bool(usesRegex)),
      ])
  }
}
