import ArgumentParser
import Ingot

/// The tokens a model is looked at with.
struct PromptArguments: ParsableArguments {
  @Option(
    name: [.customShort("p"), .customLong("prompt")], parsing: .unconditionalSingleValue,
    help: "A prompt; may be given several times where several are run.")
  var prompts: [String] = []

  @Option(name: .customLong("prompt-file"), help: "A file that holds one prompt, - for stdin.")
  var promptFile: String?

  @Option(parsing: .unconditional, help: "Token ids, separated by commas.")
  var ids: IDList?

  @Flag(help: "Put prompts into the model's chat template.")
  var chat = false

  /// The prompts as they were given.
  func texts() throws(IngotError) -> [String] {
    guard let promptFile else { return prompts }
    return prompts + [try InputFile(path: promptFile).readText()]
  }

  /// The token sequences; none when nothing was given.
  /// - Parameter tokenizer: asked for when there is text.
  func sequences(_ tokenizer: () throws -> Tokenizer) throws -> [[Int]] {
    let texts = try texts()
    var sequences = ids.map { [$0.ids] } ?? []
    if chat, texts.isEmpty { throw IngotError(.argument, "--chat needs a prompt") }
    guard !texts.isEmpty else { return sequences }
    let tokenizer = try tokenizer()
    for text in texts { sequences.append(try encode(text, tokenizer)) }
    if sequences.contains(where: \.isEmpty) { throw IngotError(.argument, "a prompt has no tokens") }
    return sequences
  }

  private func encode(_ text: String, _ tokenizer: Tokenizer) throws(IngotError) -> [Int] {
    guard chat else { return try tokenizer.encode(text, addSpecial: true) }
    let template = try ChatTemplate(tokenizer)
    let options = ChatTemplate.Options(addGenerationPrompt: true)
    let prompt = try template.render([.message(role: "user", text)], options)
    return try tokenizer.encode(prompt, addSpecial: template.wantsSpecialTokens)
  }
}
