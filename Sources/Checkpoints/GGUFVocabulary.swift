public import IngotCore

/// The tokenizer data of a GGUF file as plain values.
public struct GGUFVocabulary: Sendable {
  /// The algorithm: `gpt2` for byte-level BPE, `llama` for SentencePiece BPE.
  public let model: String
  /// The pre-tokenizer, as `llama-bpe` or `qwen2`.
  public let pre: String?
  /// Tokens by id.
  public let tokens: [String]
  /// Scores by id, for `llama`.
  public let scores: [Float]?
  /// Kinds by id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public let types: [Int]?
  /// Merges in order, two tokens with a space between them.
  public let merges: [String]?
  /// Ids of the special tokens by name in the file: `bos`, `eos`, `eot`, `unknown`, `padding`, ….
  public let specialIDs: [String: Int]
  /// Whether a text gets a first token of its own, where the file says.
  public let addsBOS: Bool?
  /// Whether a text gets a last one.
  public let addsEOS: Bool?
  /// Whether SentencePiece puts a space before the text.
  public let addsSpacePrefix: Bool?
  /// The chat template.
  public let chatTemplate: String?

  /// Decodes the tokenizer's metadata; 10⁵ strings take some 10 ms.
  /// - Throws: `.tokenizer` when parts are missing or do not fit together; `.format` for texts that are
  ///   not UTF-8; `.config` for values of a wrong type.
  public init(_ metadata: GGUFMetadata) throws(IngotError) {
    let prefix = "tokenizer.ggml."
    func fail(_ key: String, _ what: String) -> IngotError {
      IngotError(.tokenizer, what, at: .init(file: metadata.path, key: prefix + key))
    }
    guard let model = try metadata.string(prefix + "model") else { throw fail("model", "missing") }
    guard let tokens = try metadata.array(prefix + "tokens")?.strings() else {
      throw fail("tokens", "missing")
    }
    let scores = try metadata.array(prefix + "scores")?.floats()
    if let scores, scores.count != tokens.count {
      throw fail("scores", "\(scores.count) scores for \(tokens.count) tokens")
    }
    let types = try metadata.array(prefix + "token_type")?.integers()
    if let types, types.count != tokens.count {
      throw fail("token_type", "\(types.count) types for \(tokens.count) tokens")
    }
    var ids: [String: Int] = [:]
    let suffix = "_token_id"
    for key in metadata.keys where key.hasPrefix(prefix) && key.hasSuffix(suffix) {
      guard let id = try metadata.integer(key), id != Int(UInt32.max) else { continue }
      guard tokens.indices.contains(id) else {
        throw fail(String(key.dropFirst(prefix.count)), "id \(id) of \(tokens.count) tokens")
      }
      ids[String(key.dropFirst(prefix.count).dropLast(suffix.count))] = id
    }
    (self.model, self.tokens, self.scores, self.types, specialIDs) = (model, tokens, scores, types, ids)
    pre = try metadata.string(prefix + "pre")
    merges = try metadata.array(prefix + "merges")?.strings()
    addsBOS = try metadata.bool(prefix + "add_bos_token")
    addsEOS = try metadata.bool(prefix + "add_eos_token")
    addsSpacePrefix = try metadata.bool(prefix + "add_space_prefix")
    chatTemplate = try metadata.string("tokenizer.chat_template")
  }
}
