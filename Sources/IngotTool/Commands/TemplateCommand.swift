import ArgumentParser
import Ingot

/// `ingot template`: the prompt that a conversation becomes.
struct TemplateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "template", abstract: "Renders a chat template, and prints exactly the prompt.",
    discussion: """
      The case is a JSON object of messages, tools, add_generation_prompt and extra: an object of further \
      variables, which win over the model's own.
      """)

  @Argument(help: "A model, a folder with its tokenizer files, or a .jinja file.")
  var model: String

  @Option(help: "The case, a JSON file.")
  var json: String

  mutating func run() throws {
    let document = try JSONParser.parse(path: json)
    func fail(_ key: String, _ what: String) -> IngotError {
      IngotError(.format, what, at: .init(file: json, key: key))
    }
    guard let object = document.object else { throw fail("", "the case is not an object") }
    guard let messages = object["messages"]?.array else { throw fail("messages", "not an array") }
    var options = ChatTemplate.Options()
    if let tools = object["tools"], !tools.isNull {
      guard tools.array != nil else { throw fail("tools", "not an array") }
      options.tools = tools
    }
    if let flag = object["add_generation_prompt"] {
      guard let flag = flag.bool else { throw fail("add_generation_prompt", "not true or false") }
      options.addGenerationPrompt = flag
    }
    if let extra = object["extra"], !extra.isNull {
      guard let extra = extra.object else { throw fail("extra", "not an object") }
      options.extra = extra
    }
    let template = try open(hasTools: options.tools != nil)
    var output = Output()
    try output.write(template.render(messages, options))
    try output.flush()
  }

  private func open(hasTools: Bool) throws(IngotError) -> ChatTemplate {
    if model.hasSuffix(".jinja") || model.hasSuffix(".jinja2") || model.hasSuffix(".j2") {
      return try ChatTemplate(try InputFile(path: model).readText(), name: model)
    }
    let template = try ChatTemplate(try openTokenizer(model), hasTools: hasTools)
    guard template.origin == .model else {
      throw IngotError(.template, "the model has no chat template", at: .init(file: model))
    }
    return template
  }
}
