import IngotCore
import Testing

@testable import Jinja

/// Byte-for-byte agreement with jinja2 as transformers sets it up.
@Suite struct ConformanceTests {
  @Test func rendersRealTemplatesAsTransformersDoes() throws {
    let fixture = try Fixtures.json("cases.json")
    let tokens = try #require(fixture["tokens"]?.object)
    let chats = try #require(fixture["chats"]?.object)
    let cases = try #require(fixture["cases"]?.array)
    var templates: [String: Template] = [:]
    var variables: [String: JSONObject] = [:]
    for member in chats.members {
      variables[member.key] = JSONObject(tokens.members + (member.value.object?.members ?? []))
    }
    var failures: [String] = []
    for item in cases {
      let name = try #require(item["template"]?.string)
      let chat = try #require(item["chat"]?.string)
      if templates[name] == nil { templates[name] = try Template(try Fixtures.template(name), name: name) }
      let template = try #require(templates[name])
      let found = compare(item) { () throws(IngotError) in
        try template.render(variables[chat]!, now: Fixtures.now)
      }
      if let found { failures.append("\(name), \(chat): \(found)") }
    }
    report(failures, of: cases.count)
  }

  @Test func rendersSnippetsAsJinja2Does() throws {
    let fixture = try Fixtures.json("expressions.json")
    let variables = try #require(fixture["variables"]?.object)
    let snippets = try #require(fixture["snippets"]?.array)
    var failures: [String] = []
    for snippet in snippets {
      let source = try #require(snippet["template"]?.string)
      let found = compare(snippet) { () throws(IngotError) in
        try Template(source).render(variables, now: Fixtures.now)
      }
      if let found { failures.append("\(source.debugDescription): \(found)") }
    }
    report(failures, of: snippets.count)
  }

  /// What is wrong with a rendering; nil when nothing is.
  private func compare(
    _ expected: JSONValue, _ render: () throws(IngotError) -> String
  ) -> String? {
    let output = expected["output"]?.string
    do throws(IngotError) {
      let actual = try render()
      guard let output else { return "rendered, instead of \(expected["error"]?.string ?? ""): \(actual)" }
      if Array(actual.utf8) == Array(output.utf8) { return nil }
      return Fixtures.difference(actual, output)
    } catch {
      if output == nil {
        // A limit is an answer only to what has no end in Python either.
        return error.place.line == nil ? "no line in \(error)" : nil
      }
      return "\(error)"
    }
  }

  private func report(_ failures: [String], of count: Int) {
    #expect(count > 0)
    #expect(
      failures.isEmpty,
      "\(failures.count) of \(count) differ:\n\(failures.prefix(60).joined(separator: "\n"))")
  }
}
