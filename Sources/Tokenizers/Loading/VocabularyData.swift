public import IngotCore

/// A vocabulary as plain values, as a GGUF file carries it: what a tokenizer is made of.
/// Source: ggml, `docs/gguf.md`, keys `tokenizer.ggml.*`.
public struct VocabularyData: Sendable {
  /// `tokenizer.ggml.model`: `gpt2` for byte-level BPE, `llama` for SentencePiece.
  public var model: String
  /// `tokenizer.ggml.pre`: the name of the split pattern; empty when the key is missing.
  public var pre: String
  /// `tokenizer.ggml.tokens`
  public var tokens: [String]
  /// `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. Empty
  /// when the key is missing: all normal.
  public var types: [Int]
  /// `tokenizer.ggml.scores`; only for `llama`.
  public var scores: [Float]
  /// `tokenizer.ggml.merges`, as `Ġ t`; only for `gpt2`.
  public var merges: [String]
  /// `tokenizer.ggml.bos_token_id`
  public var bos: Int?
  /// `tokenizer.ggml.eos_token_id`
  public var eos: Int?
  /// `tokenizer.ggml.eot_token_id`
  public var eot: Int?
  /// `tokenizer.ggml.unknown_token_id`
  public var unk: Int?
  /// `tokenizer.ggml.padding_token_id`
  public var pad: Int?
  /// `tokenizer.ggml.add_bos_token`; nil for the model's own way.
  public var addBOS: Bool?
  /// `tokenizer.ggml.add_eos_token`; nil for the model's own way.
  public var addEOS: Bool?
  /// `tokenizer.ggml.add_space_prefix`; nil for the model's own way.
  public var addSpacePrefix: Bool?
  /// `tokenizer.chat_template`
  public var chatTemplate: String?

  /// Takes the values of the keys.
  public init(
    model: String, pre: String = "", tokens: [String], types: [Int] = [], scores: [Float] = [],
    merges: [String] = [], bos: Int? = nil, eos: Int? = nil, eot: Int? = nil, unk: Int? = nil,
    pad: Int? = nil, addBOS: Bool? = nil, addEOS: Bool? = nil, addSpacePrefix: Bool? = nil,
    chatTemplate: String? = nil
  ) {
    (self.model, self.pre, self.tokens, self.types) = (model, pre, tokens, types)
    (self.scores, self.merges) = (scores, merges)
    (self.bos, self.eos, self.eot, self.unk, self.pad) = (bos, eos, eot, unk, pad)
    (self.addBOS, self.addEOS, self.addSpacePrefix) = (addBOS, addEOS, addSpacePrefix)
    self.chatTemplate = chatTemplate
  }
}

extension Tokenizer {
  /// Makes the tokenizer that a GGUF file carries.
  /// - Throws: `.tokenizer` for contents that make no sense, `.unsupported` for an unknown model or
  ///   split pattern; the place names the key.
  public convenience init(gguf: VocabularyData) throws(IngotError) {
    try self.init(GGUFReader(gguf).parts())
  }
}
