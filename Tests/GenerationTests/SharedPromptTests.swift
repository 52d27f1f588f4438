import Generation
import IngotCore
import Testing
import Tokenizers

@Suite struct SharedPromptTests {
  static let withSystem = """
    {% for m in messages %}<|im_start|>{{ m.role }}:{{ m.content | trim }}<|im_end|>{% endfor %}\
    {% if add_generation_prompt %}<|im_start|>assistant:{% endif %}
    """
  static let withoutSystem = """
    {% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
    [{{ m.content }}]{% endfor %}
    """
  static let behind = "{% for m in messages %}{{ m.content | reverse | join('') }}{% endfor %}"
  static let text = " Gold is heavy.\n"

  private func text(_ ids: [Int]) -> String {
    ids.map { id in
      id < 256 ? String(UnicodeScalar(UInt8(id))) : ByteTokenizer.specials[id - 256]
    }.joined()
  }

  @Test func theTextIsTheSystemMessage() throws {
    let prompt = try SharedPrompt(
      Self.text, tokenizer: ByteTokenizer.make(template: Self.withSystem))
    #expect(prompt.place == .system)
    let shared = "<|im_start|>system:Gold is heavy.<|im_end|><|im_start|>user:"
    #expect(text(prompt.prefix) == shared)
    #expect(text(try prompt.question("How?")) == "How?<|im_end|><|im_start|>assistant:")
    #expect(text(try prompt.question("")) == "<|im_end|><|im_start|>assistant:")
  }

  @Test func behindASystemMessageOrWithoutOneItBeginsTheUsers() throws {
    let tokenizer = try ByteTokenizer.make(template: Self.withSystem)
    let prompt = try SharedPrompt(Self.text, system: "Be brief", tokenizer: tokenizer)
    #expect(prompt.place == .user)
    #expect(
      text(prompt.prefix)
        == "<|im_start|>system:Be brief<|im_end|><|im_start|>user:Gold is heavy.\n\n\n")
    let other = try SharedPrompt(
      Self.text, tokenizer: ByteTokenizer.make(template: Self.withoutSystem))
    #expect(other.place == .user && text(other.prefix) == "[ Gold is heavy.\n\n\n")
    #expect(text(try other.question("How?")) == "How?]")
  }

  @Test func rawTextsAreJoinedAsTheyAre() throws {
    let tokenizer = try ByteTokenizer.make(template: Self.withSystem)
    let prompt = try SharedPrompt(Self.text, tokenizer: tokenizer, raw: true)
    #expect(prompt.place == .raw && prompt.prefix == ids(Self.text))
    #expect(try prompt.question("How?") == ids("How?"))
    #expect(throws: IngotError.self) {
      try SharedPrompt(Self.text, system: "Be brief", tokenizer: tokenizer, raw: true)
    }
  }

  @Test func textsThatCannotComeFirstAreErrors() throws {
    let tokenizer = try ByteTokenizer.make(template: Self.behind)
    let error = #expect(throws: IngotError.self) { try SharedPrompt(Self.text, tokenizer: tokenizer) }
    #expect(error?.kind == .template && error?.hint?.contains("--raw") == true)
    #expect(throws: IngotError.self) { try SharedPrompt("", tokenizer: tokenizer) }
  }

  /// A template that reads the question before it writes the text.
  @Test func questionsThatChangeTheTextAreErrors() throws {
    let template =
      "{% if 'secret' in messages[-1].content %}X{% endif %}" + Self.withSystem
    let prompt = try SharedPrompt(Self.text, tokenizer: ByteTokenizer.make(template: template))
    #expect(try prompt.question("fine").count > 4)
    let error = #expect(throws: IngotError.self) { try prompt.question("a secret") }
    #expect(error?.what.contains("0 of \(prompt.prefix.count)") == true)
  }
}
