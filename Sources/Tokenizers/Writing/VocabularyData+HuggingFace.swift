package import IngotCore

extension VocabularyData {
  /// The vocabulary as the files that Hugging Face's libraries, and those that read their files, make a tokenizer of:
  /// `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json`, by name.
  /// - Parameter maxLength: the context length of the model.
  /// - Throws: as `Tokenizer(gguf:)`.
  package func huggingFaceFiles(
    maxLength: Int?
  ) throws(IngotError) -> [(name: String, content: JSONValue)] {
    let parts = try GGUFReader(self).parts()
    return [
      ("tokenizer.json", try tokenizerJSON(parts)), ("tokenizer_config.json", configJSON(parts, maxLength)),
      ("special_tokens_map.json", .object(JSONObject(roles))),
    ]
  }

  /// The special tokens by role. Readers look for them in texts, so an unknown or padding token that is ordinary text
  /// is left out.
  private var roles: [JSONObject.Member] {
    let added = Set(addedTokens.map(\.id))
    let named =
      [("bos_token", bos), ("eos_token", eos)]
      + [("unk_token", unk), ("pad_token", pad)].filter { added.contains($0.1 ?? -1) }
    return named.compactMap { role, id in id.map { JSONObject.Member(role, .string(tokens[$0])) } }
  }

  private func configJSON(_ parts: TokenizerParts, _ maxLength: Int?) -> JSONValue {
    let added = addedTokens.map { JSONObject.Member("\($0.id)", .object(JSONObject($0.flags))) }
    var config = JSONObject([
      .init("add_bos_token", .bool(!parts.postProcessor.prefix.isEmpty)),
      .init("add_eos_token", .bool(!parts.postProcessor.suffix.isEmpty)),
    ])
    if model == "gpt2" { config["add_prefix_space"] = .bool(false) }
    config["added_tokens_decoder"] = .object(JSONObject(added))
    for member in roles { config[member.key] = member.value }
    if let chatTemplate { config["chat_template"] = .string(chatTemplate) }
    config["clean_up_tokenization_spaces"] = .bool(false)
    if let maxLength { config["model_max_length"] = .int(maxLength) }
    config["tokenizer_class"] = .string("PreTrainedTokenizerFast")
    return .object(config)
  }
}
