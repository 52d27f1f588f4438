import IngotCore
import TestSupport
import Testing

@testable import Jinja

/// Mutated templates either render or fail with an error: nothing traps and nothing runs for ever.
@Suite struct FuzzTests {
  static let fragments = [
    "{%", "%}", "{{", "}}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "'", "\"",
    "\\", "\n", " if ", " else ", " not ", " is ", " in ", "and", "or", "{% endfor %}", "{% endif %}",
    "{% else %}",
    "loop", "messages", "x", "1", "1.5", "**", "//", "%", "~", "==", "<", "é", "\u{1F600}", "\u{0}",
    "|tojson",
    "|list", "|sort", "|join", "[::-1]", "range(9)", ".items()", "none", "9223372036854775807",
    "{% set x = 1 %}",
    "{% break %}", "{% macro m() %}", "{% endmacro %}", "{% raw %}", "caller()", "namespace()", "*", "=",
  ]

  @Test(arguments: 0..<4)
  func mutatedTemplatesFailCleanly(seed: UInt64) throws {
    var random = SplitMix64(0xB05 &+ seed)
    let chats = try #require(try Fixtures.json("cases.json")["chats"]?.object)
    let conversations = ["called-twice", "turns", "text-parts", "reasoning"]
    var options = TemplateOptions()
    (options.limits.steps, options.limits.outputBytes) = (20_000, 1 << 18)
    var (rendered, failed) = (0, 0)
    for (index, name) in try Fixtures.templateNames.enumerated() where index % 4 == Int(seed) {
      let original = Array(try Fixtures.template(name).utf8)
      for round in 0..<112 {
        let source = FuzzTests.mutate(original, &random)
        let chat = try #require(chats[conversations[round % conversations.count]]?.object)
        do throws(IngotError) {
          _ = try Template(source, options: options).render(chat, now: Fixtures.now)
          rendered += 1
        } catch {
          #expect(error.place.line != nil, "\(error)")
          failed += 1
        }
      }
    }
    #expect(rendered > 0 && failed > 0)
  }

  private static func mutate(_ original: [UInt8], _ random: inout SplitMix64) -> String {
    var bytes = original
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let at = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.removeSubrange(at..<end)
      case 1: bytes.insert(contentsOf: fragments.randomElement(using: &random)!.utf8, at: at)
      case 2: bytes.replaceSubrange(at..<end, with: fragments.randomElement(using: &random)!.utf8)
      case 3: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
      default: if at < bytes.count { bytes[at] = UInt8.random(in: 0...127, using: &random) }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
