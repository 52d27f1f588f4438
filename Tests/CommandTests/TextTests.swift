import IngotCore
import TestSupport
import Testing

/// `tokenize`, `detokenize` and `template`, on a folder with only tokenizer files.
@Suite struct TextTests {
  let folder: Folder

  init() throws {
    folder = try Folder()
    // Bytes as GPT-2 writes them, one merge and two special tokens.
    var vocabulary = byteVocabulary()
    vocabulary["he"] = .int(256)
    _ = try folder.write(
      """
      {"version": "1.0", "normalizer": null, "post_processor": null, "decoder": {"type": "ByteLevel"},
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
       "added_tokens": [{"id": 257, "content": "<s>", "special": true, "normalized": false, "lstrip": false,
         "rstrip": false, "single_word": false}],
       "model": {"type": "BPE", "vocab": \(JSONValue.object(vocabulary)), "merges": ["h e"]}}
      """, to: "tokenizer.json")
    _ = try folder.write(
      """
      {"bos_token": "<s>", "add_bos_token": true,
       "chat_template": "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"}
      """, to: "tokenizer_config.json")
  }

  @Test func aTextBecomesIdsOnOneLine() throws {
    #expect(try Ingot.output("tokenize", folder.path, "he<s>!") == "256 257 33\n")
    #expect(try Ingot.output("tokenize", folder.path, "") == "\n")
  }

  @Test func linesOfJSONGoThereAndBack() throws {
    let texts = ["he said", "", "<s>x", "tab\t\"quote\" \\ \u{1}", "漢字 👩‍🚀 é", "two\nlines"]
    let lines = texts.map { JSONValue.object(JSONObject([.init("text", .string($0))])).description + "\n" }
    let file = try folder.write(lines.joined(), to: "texts.jsonl")
    let ids = try Ingot.output("tokenize", folder.path, "--jsonl", file)
    #expect(ids.split(separator: "\n").count == texts.count)
    #expect(ids.hasPrefix("{\"ids\":[256,32,115,97,105,100]}\n{\"ids\":[]}\n{\"ids\":[257,120]}\n"))
    let back = try Ingot.output("detokenize", folder.path, "--jsonl", folder.write(ids, to: "ids.jsonl"))
    #expect(back == lines.joined())
    let skipped = try Ingot.output(
      "detokenize", folder.path, "--jsonl", folder / "ids.jsonl", "--skip-special")
    #expect(skipped.split(separator: "\n")[2] == "{\"text\":\"x\"}")
    #expect(try Ingot.output("tokenize", folder.path, "--jsonl", "-", input: lines.joined()) == ids)
  }

  @Test func errorsNameTheLine() throws {
    func tokenize(_ text: String) throws -> String {
      try Ingot.failure("tokenize", folder.path, "--jsonl", folder.write(text, to: "f.jsonl"))
    }
    #expect(try tokenize("{\"text\":\"a\"}\n{\"text\":1}\n").contains("line 2"))
    #expect(try tokenize("{\"text\":\"a\"}\n\n{\"text\":\n").contains("line 3"))
    #expect(try tokenize("[1]").contains("line 1"))
    #expect(try tokenize(String(repeating: "[", count: 100_000)).contains("line 1"))
    let ids = try folder.write("{\"ids\":[1,2]}\n{\"ids\":[1,99999]}\n", to: "i.jsonl")
    #expect(try Ingot.failure("detokenize", folder.path, "--jsonl", ids).contains("line 2"))
    for text in ["{\"ids\":[-1]}", "{\"ids\":[1.5]}", "{\"ids\":[9223372036854775807]}", "{\"ids\":3}"] {
      _ = try Ingot.failure("detokenize", folder.path, "--jsonl", folder.write(text, to: "j.jsonl"))
    }
    _ = try Ingot.failure("tokenize", folder.path, "--jsonl", folder / "none.jsonl")
    _ = try Ingot.failure("tokenize", folder.path, "--jsonl", folder.path)
    _ = try Ingot.failure("tokenize", folder.path)
    _ = try Ingot.failure("tokenize", folder / "none", "x")
  }

  @Test func templatesPrintExactlyThePrompt() throws {
    let conversation = try folder.write(
      """
      {"messages": [{"role": "user", "content": "hi"}], "add_generation_prompt": true,
       "extra": {"greeting": "Hé"}}
      """, to: "case.json")
    #expect(try Ingot.output("template", folder.path, "--json", conversation) == "<s>[user]hi")
    let file = try folder.write(
      "{{ greeting }}{{ bos_token }}{{ messages|length }}{% if add_generation_prompt %}>{% endif %}",
      to: "t.jinja")
    #expect(try Ingot.output("template", file, "--json", conversation) == "Hé1>")
    let winning = try folder.write("{\"messages\": [], \"extra\": {\"bos_token\": \"B\"}}", to: "extra.json")
    #expect(try Ingot.output("template", folder.path, "--json", winning) == "B")
  }

  @Test func badTemplatesAndCasesAreOneError() throws {
    let good = try folder.write("{\"messages\": []}", to: "good.json")
    for source in [
      "{% for %}", "{{ raise_exception('no') }}", "{{ 1/0 }}",
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ 'x' * 999999999 }}",
    ] {
      _ = try Ingot.failure("template", folder.write(source, to: "bad.jinja"), "--json", good)
    }
    for text in [
      "", "[]", "{}", "{\"messages\": 1}", "{\"messages\": [], \"tools\": 1}",
      "{\"messages\": [], \"extra\": []}", "{\"messages\": [], \"add_generation_prompt\": 1}",
    ] {
      _ = try Ingot.failure("template", folder.path, "--json", folder.write(text, to: "bad.json"))
    }
    _ = try Ingot.failure("template", folder / "none.jinja", "--json", good)
    _ = try Ingot.failure("template", folder.path, "--json", folder / "none.json")
  }
}
