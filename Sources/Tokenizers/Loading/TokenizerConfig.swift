import IngotCore

/// What `tokenizer_config.json` and the files beside it say: special tokens by role, chat templates,
/// the ids that end a reply.
struct TokenizerConfig {
  private(set) var specialTokens: [String: String] = [:]
  private(set) var chatTemplate: String?
  private(set) var namedChatTemplates: [String: String] = [:]
  /// From `added_tokens_decoder`.
  private(set) var addedTokens: [AddedToken] = []
  private(set) var addsBOS: Bool?
  private(set) var addsEOS: Bool?
  private(set) var tokenizerClass: String?
  private(set) var endIDs: [Int] = []

  private static let roles = [
    "bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token", "eot_token",
  ]

  /// Adds what `special_tokens_map.json` or `tokenizer_config.json` says about special tokens; the
  /// later file counts.
  /// - Throws: `.tokenizer` for members of the wrong type.
  mutating func addSpecialTokens(_ node: JSONNode) throws(IngotError) {
    for role in Self.roles {
      guard let member = node.node(role) else { continue }
      // A string, or an AddedToken.
      if let text = member.value.string {
        specialTokens[role] = text
      } else {
        specialTokens[role] = try member.required("content").string()
      }
    }
  }

  /// Adds a `tokenizer_config.json`.
  /// - Throws: `.tokenizer` for members of the wrong type.
  mutating func add(_ node: JSONNode) throws(IngotError) {
    guard node.value.object != nil else { throw node.error("an object should be here") }
    try addSpecialTokens(node)
    addsBOS = node.node("add_bos_token")?.value.bool
    addsEOS = node.node("add_eos_token")?.value.bool
    tokenizerClass = try node.string("tokenizer_class")
    for member in node.node("added_tokens_decoder")?.value.object?.members ?? [] {
      let entry = JSONNode(value: member.value, path: "added_tokens_decoder.\(member.key)")
      guard let id = Int(member.key) else { throw entry.error("the key should be a token id") }
      let isSpecial = try entry.bool("special", default: false)
      var token = AddedToken(id: id, content: try entry.required("content").string(), isSpecial: isSpecial)
      token.lstrip = try entry.bool("lstrip", default: false)
      token.rstrip = try entry.bool("rstrip", default: false)
      token.singleWord = try entry.bool("single_word", default: false)
      token.isNormalized = try entry.bool("normalized", default: !isSpecial)
      if !token.content.isEmpty { addedTokens.append(token) }
    }
    if let template = node.node("chat_template") { try addChatTemplates(template) }
  }

  private mutating func addChatTemplates(_ node: JSONNode) throws(IngotError) {
    if let template = node.value.string {
      addChatTemplate(template, name: "default")
      return
    }
    for entry in try node.elements() {
      addChatTemplate(
        try entry.required("template").string(), name: try entry.required("name").string())
    }
    if chatTemplate == nil { chatTemplate = try node.elements().first?.required("template").string() }
  }

  /// Adds a template; the one named `default` is the chat template.
  mutating func addChatTemplate(_ template: String, name: String) {
    namedChatTemplates[name] = template
    if name == "default" { chatTemplate = template }
  }

  /// Adds the `eos_token_id` of a `generation_config.json`: an id or several.
  /// - Throws: `.tokenizer` when it is neither.
  mutating func addGenerationConfig(_ node: JSONNode) throws(IngotError) {
    guard let member = node.node("eos_token_id") else { return }
    if let id = member.value.int {
      endIDs.append(id)
      return
    }
    for element in try member.elements() {
      guard let id = element.value.int else { throw element.error("a token id should be here") }
      endIDs.append(id)
    }
  }

  /// The settings, with ids looked up in a vocabulary.
  func settings(_ vocabulary: TokenTable) -> TokenizerSettings {
    var settings = TokenizerSettings(
      chatTemplate: chatTemplate, namedChatTemplates: namedChatTemplates, specialTokens: specialTokens)
    settings.bosID = specialTokens["bos_token"].flatMap { vocabulary.id(of: $0) }
    // Of ids beyond the vocabulary a model can produce none that decodes.
    let ends = ["eos_token", "eot_token"].compactMap { specialTokens[$0] }
      .compactMap { vocabulary.id(of: $0) }
    for id in ends + endIDs where vocabulary.contains(id: id) && !settings.eosIDs.contains(id) {
      settings.eosIDs.append(id)
    }
    return settings
  }
}
