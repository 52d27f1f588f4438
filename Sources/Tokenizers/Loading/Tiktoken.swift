import IngotCore

/// Reads tiktoken's files of ranks: a line for each token, its bytes in base 64 and its rank.
/// Source: tiktoken 0.9, `load.py` and `core.py`; the patterns from the models named below.
enum Tiktoken {
  private static let qwenPattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  private static let cl100kPattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

  /// Whether the bytes begin with a line of a base-64 text and a number.
  static func looksLikeRanks(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let line = bytes.prefix { $0 != 0x0A }
    let parts = line.split(separator: 0x20)
    return line.count < 1024 && parts.count == 2 && Base64.decode(parts[0]) != nil && number(parts[1]) != nil
  }

  /// Reads a file.
  /// - Parameter name: the file's name, which tells Qwen's special tokens and pattern.
  /// - Throws: `.tokenizer` for broken lines or repeated ranks, `.unsupported` for a file of which the
  ///   pattern is not known.
  static func parts(
    _ bytes: UnsafeRawBufferPointer, name: String, _ config: TokenizerConfig
  ) throws(IngotError) -> TokenizerParts {
    let ranked = try readRanks(bytes)
    let flavor = try Flavor(name: name, count: ranked.idLimit, config)
    let merges = MergeTable.implied(
      by: ranked, rank: { UInt32($0) }, symbol: { ranked.id(of: $0).map { UInt32($0) } },
      boundaries: { _ in true })
    let alphabet = (0..<256).map { byte in
      ranked.id(of: [UInt8(byte)]).map { BPE.Initial.symbol(UInt32($0)) } ?? .unknown
    }
    var model = BPE(alphabet: BPE.byteAlphabet(alphabet), merges: merges)
    model.wholePieces = ranked
    var vocabulary = ranked
    var added: [AddedToken] = []
    for token in config.addedTokens.isEmpty ? flavor.special : config.addedTokens {
      try vocabulary.add(token.content, id: token.id, expected: ranked.count)
      added.append(token)
    }
    return try TokenizerParts(
      vocabulary: vocabulary, rawTokens: vocabulary, model: .bpe(model),
      normalizer: flavor.isNormalized ? .unicode(.nfc) : nil,
      preTokenizer: PreTokenizer(steps: [
        .split(try SplitPattern(regex: flavor.pattern), .isolated, invert: false)
      ]), decoder: [.bytes], addedTokens: added)
  }

  /// What the file of ranks itself does not say.
  private struct Flavor {
    var pattern: String
    var isNormalized = false
    var special: [AddedToken] = []

    init(name: String, count: Int, _ config: TokenizerConfig) throws(IngotError) {
      var names: [String]
      if name.contains("qwen") || config.tokenizerClass == "QWenTokenizer" {
        // Source: Qwen-7B, `tokenization_qwen.py`.
        pattern = Tiktoken.qwenPattern
        isNormalized = true
        names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + (0..<205).map { "<|extra_\($0)|>" }
      } else if count == 128_000 {
        // Source: Llama 3, `tokenizer.py`.
        pattern = Tiktoken.cl100kPattern
        names = [
          "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
          "<|reserved_special_token_1|>", "<|reserved_special_token_2|>", "<|reserved_special_token_3|>",
          "<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>",
        ]
        names += (5..<251).map { "<|reserved_special_token_\($0)|>" }
      } else if name.contains("cl100k") {
        pattern = Tiktoken.cl100kPattern
        names = ["", "<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"]
      } else {
        throw IngotError(
          .unsupported, "the split pattern of these tiktoken ranks is not known",
          hint: "use the model's tokenizer.json")
      }
      for (offset, name) in names.enumerated() where !name.isEmpty {
        special.append(AddedToken(id: count + offset, content: name, isSpecial: true))
      }
    }
  }

  private static func readRanks(_ bytes: UnsafeRawBufferPointer) throws(IngotError) -> TokenTable {
    let lineCount = bytes.count { $0 == 0x0A } + 1
    var table = TokenTable(capacity: lineCount + 512)
    var position = 0
    var line = 0
    while position < bytes.count {
      var end = position
      while end < bytes.count, bytes[end] != 0x0A { end += 1 }
      line += 1
      let parts = bytes[position..<end].split { $0 == 0x20 || $0 == 0x0D }
      position = end + 1
      if parts.isEmpty { continue }
      guard parts.count == 2, let token = Base64.decode(parts[0]), let rank = number(parts[1]) else {
        throw IngotError(.tokenizer, "not a token in base 64 and its rank", at: .init(line: "\(line)"))
      }
      guard table.id(of: token) == nil else {
        throw IngotError(.tokenizer, "a token appears twice", at: .init(line: "\(line)"))
      }
      try token.withUnsafeBufferPointer { (token) throws(IngotError) in
        try table.add(token, id: rank, expected: lineCount)
      }
    }
    guard table.idLimit > 0 else { throw IngotError(.tokenizer, "the file has no tokens") }
    return table
  }

  private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard !digits.isEmpty, digits.count <= 9 else { return nil }
    var value = 0
    for digit in digits {
      guard digit &- 0x30 < 10 else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    return value
  }
}
