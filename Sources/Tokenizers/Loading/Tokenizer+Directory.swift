public import IngotCore

extension Tokenizer {
  /// Reads the tokenizer files of a model's folder.
  ///
  /// The vocabulary comes from `tokenizer.json`, else from a `.tiktoken` file of ranks, else from a
  /// SentencePiece `tokenizer.model`; special tokens and chat templates from `tokenizer_config.json`,
  /// `special_tokens_map.json`, `generation_config.json` and `chat_template.jinja`, where present.
  /// - Throws: `.io` when there is no vocabulary, `.format` for broken JSON, `.tokenizer` for contents
  ///   that make no sense, `.unsupported` for what is not executed; all name the file.
  public convenience init(directory: String) throws(IngotError) {
    try self.init(files: FolderFiles(directory, subfolders: [additionalTemplates]))
  }

  /// Reads tokenizer files that lie somewhere else than in a folder.
  /// - Throws: as above.
  public convenience init(files: any FileSource) throws(IngotError) {
    try self.init(TokenizerFiles(source: files).read())
  }

  /// Makes a tokenizer of the contents of a `tokenizer.json` and, maybe, a `tokenizer_config.json`.
  /// - Throws: `.tokenizer` for contents that make no sense, `.unsupported` for what is not executed.
  public convenience init(json: JSONValue, config: JSONValue? = nil) throws(IngotError) {
    var settings = TokenizerConfig()
    if let config { try settings.add(JSONNode(value: config, path: "")) }
    var parts = try TokenizerJSON.parts(json, extraTokens: settings.addedTokens)
    parts.apply(settings, overridesPostProcessor: false)
    try self.init(parts)
  }
}

extension TokenizerParts {
  /// Takes the settings, and puts the tokens in front and at the end that they ask for when the
  /// vocabulary's file says nothing of them.
  mutating func apply(_ config: TokenizerConfig, overridesPostProcessor: Bool) {
    settings = config.settings(vocabulary)
    guard overridesPostProcessor || (postProcessor.prefix.isEmpty && postProcessor.suffix.isEmpty) else {
      return
    }
    if config.addsBOS == true, let id = settings.bosID { postProcessor.prefix = [id] }
    if config.addsBOS == false { postProcessor.prefix = [] }
    let end = config.specialTokens["eos_token"].flatMap { vocabulary.id(of: $0) }
    if config.addsEOS == true, let end { postProcessor.suffix = [end] }
    if config.addsEOS == false { postProcessor.suffix = [] }
  }
}

/// The folder of chat templates beside the one in `chat_template.jinja`.
private let additionalTemplates = "additional_chat_templates"

/// The tokenizer files of a model.
struct TokenizerFiles {
  let source: any FileSource

  private func path(_ name: String) -> String { FileSystem.join(source.path, name) }

  /// Does `body` with a JSON file if it is there; errors name the file.
  private func withJSON(_ name: String, _ body: (JSONNode) throws(IngotError) -> Void) throws(IngotError) {
    guard source.names.contains(name) else { return }
    try withBytes(name) { (bytes) throws(IngotError) in
      try body(JSONNode(value: try JSONParser.parse(bytes, file: path(name)), path: ""))
    }
  }

  private func text(_ name: String) throws(IngotError) -> String {
    try withBytes(name) { (bytes) throws(IngotError) in
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw IngotError(.format, "not valid UTF-8", at: .init(file: path(name)))
      }
      return text
    }
  }

  /// Does `body` with the bytes of a file; errors name the file.
  private func withBytes<Result>(
    _ name: String, _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Result
  ) throws(IngotError) -> Result {
    let contents = try source.file(name)
    // The bytes are there as long as the object is.
    defer { withExtendedLifetime(contents) {} }
    do { return try body(contents.bytes) } catch { throw error.inFile(path(name)) }
  }

  func read() throws(IngotError) -> TokenizerParts {
    let config = try readConfig()
    var (parts, saysSpecial) = try readVocabulary(config)
    parts.apply(config, overridesPostProcessor: !saysSpecial)
    return parts
  }

  private func readConfig() throws(IngotError) -> TokenizerConfig {
    var config = TokenizerConfig()
    try withJSON("special_tokens_map.json") { (node) throws(IngotError) in
      try config.addSpecialTokens(node)
    }
    try withJSON("tokenizer_config.json") { (node) throws(IngotError) in try config.add(node) }
    try withJSON("generation_config.json") { (node) throws(IngotError) in
      try config.addGenerationConfig(node)
    }
    if source.names.contains("chat_template.jinja") {
      config.addChatTemplate(try text("chat_template.jinja"), name: "default")
    }
    let folder = additionalTemplates + "/"
    for name in source.names where name.hasPrefix(folder) && name.hasSuffix(".jinja") {
      config.addChatTemplate(try text(name), name: String(name.dropFirst(folder.count).dropLast(6)))
    }
    return config
  }

  /// - Returns: the tokenizer, and whether its file says which tokens go around a text.
  private func readVocabulary(_ config: TokenizerConfig) throws(IngotError) -> (TokenizerParts, Bool) {
    let names = source.names
    if names.contains("tokenizer.json") {
      var parts: TokenizerParts?
      try withJSON("tokenizer.json") { (node) throws(IngotError) in
        parts = try TokenizerJSON.parts(node.value, extraTokens: config.addedTokens)
      }
      if let parts { return (parts, parts.postProcessor.isPresent) }
    }
    let tiktoken = names.first { $0.hasSuffix(".tiktoken") } ?? names.first { $0 == "tiktoken.model" }
    if let tiktoken {
      let parts = try withBytes(tiktoken) { (bytes) throws(IngotError) in
        try Tiktoken.parts(bytes, name: tiktoken, config)
      }
      return (parts, false)
    }
    if let name = ["tokenizer.model", "spiece.model"].first(where: { names.contains($0) }) {
      let parts = try withBytes(name) { (bytes) throws(IngotError) in
        if Tiktoken.looksLikeRanks(bytes) { return try Tiktoken.parts(bytes, name: name, config) }
        return try SentencePieceModel(bytes).parts(config)
      }
      return (parts, false)
    }
    throw IngotError(
      .io, "no tokenizer.json, *.tiktoken or tokenizer.model in the folder", at: .init(file: source.path),
      hint: "copy the tokenizer files of the model beside its weights")
  }
}
