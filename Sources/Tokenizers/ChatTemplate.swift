public import IngotCore
internal import Jinja

/// Renders conversations into the prompts a model was trained on.
public struct ChatTemplate: Sendable {
  /// Where a template comes from.
  public enum Origin: Sendable, Hashable {
    /// From the model's files, or from the caller.
    case model
    /// The model has none but knows the tokens of ChatML, so that is used.
    case chatML
    /// The model has none, and the messages follow one another as plain text.
    case plain
  }

  /// What a template sees besides the messages.
  public struct Options: Sendable, Hashable {
    /// Descriptions of tools, an array of objects; nil for none.
    public var tools: JSONValue?
    /// Whether the prompt ends where a reply of the model begins.
    public var addGenerationPrompt: Bool
    /// Further variables, as `enable_thinking`; they win over all others.
    public var extra: JSONObject

    /// Takes the values.
    public init(tools: JSONValue? = nil, addGenerationPrompt: Bool = false, extra: JSONObject = JSONObject())
    {
      (self.tools, self.addGenerationPrompt, self.extra) = (tools, addGenerationPrompt, extra)
    }
  }

  /// Where it comes from.
  public let origin: Origin
  private let template: Template
  private let specialTokens: [String: String]

  /// Parses a template.
  /// - Parameters:
  ///   - name: the file it came from, for errors.
  ///   - specialTokens: variables like `bos_token`.
  /// - Throws: `.template` with the line, `.unsupported`, `.limit`.
  public init(
    _ source: String, name: String? = nil, specialTokens: [String: String] = [:]
  ) throws(IngotError) {
    try self.init(source, name: name, specialTokens: specialTokens, origin: .model)
  }

  /// Parses the template of a model, or stands in for a missing one as `origin` tells.
  /// - Parameter hasTools: whether to take the template named `tool_use`, where there is one.
  /// - Throws: as above.
  public init(_ tokenizer: Tokenizer, hasTools: Bool = false) throws(IngotError) {
    let special = tokenizer.specialTokens
    let named = hasTools ? tokenizer.namedChatTemplates["tool_use"] : nil
    if let source = named ?? tokenizer.chatTemplate {
      try self.init(source, name: "chat_template", specialTokens: special, origin: .model)
    } else if tokenizer.id(of: "<|im_start|>") != nil, tokenizer.id(of: "<|im_end|>") != nil {
      try self.init(Self.chatML, name: "ChatML", specialTokens: special, origin: .chatML)
    } else {
      try self.init(Self.plain, name: "plain text", specialTokens: special, origin: .plain)
    }
  }

  private init(
    _ source: String, name: String?, specialTokens: [String: String], origin: Origin
  ) throws(IngotError) {
    template = try Template(source, name: name)
    (self.specialTokens, self.origin) = (specialTokens, origin)
  }

  /// Whether the tokenizer's own beginning and end tokens belong around the prompt: templates of models
  /// write them themselves.
  public var wantsSpecialTokens: Bool { origin == .plain }

  /// Renders messages.
  /// - Parameter messages: objects with `role` and `content`, and whatever else the template reads.
  /// - Throws: `.template` with the line for what the template raises, `.limit` for one without end.
  public func render(_ messages: [JSONValue], _ options: Options = Options()) throws(IngotError) -> String {
    var variables = JSONObject()
    variables["messages"] = .array(messages)
    variables["tools"] = options.tools ?? .null
    variables["documents"] = .null
    variables["add_generation_prompt"] = .bool(options.addGenerationPrompt)
    for (name, text) in specialTokens { variables[name] = .string(text) }
    for member in options.extra.members { variables[member.key] = member.value }
    return try template.render(variables)
  }

  private static let chatML = """
    {% for message in messages %}<|im_start|>{{ message.role }}
    {{ message.content }}<|im_end|>{{ '\\n' }}{% endfor %}\
    {% if add_generation_prompt %}<|im_start|>assistant{{ '\\n' }}{% endif %}
    """

  private static let plain = """
    {% for message in messages %}{{ message.content }}{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% endfor %}
    """
}
