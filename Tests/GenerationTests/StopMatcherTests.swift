import Generation
import IngotCore
import Testing

@Suite struct StopMatcherTests {
  /// Text up to the stop string that ends first, of those the longest; by looking everywhere.
  static func reference(_ text: String, _ stops: [String]) -> StopMatcher.Output {
    let bytes = Array(text.utf8)
    for end in 0...bytes.count {
      let found = stops.filter { bytes[..<end].suffix($0.utf8.count).elementsEqual($0.utf8) }
      if let stop = found.max(by: { $0.utf8.count < $1.utf8.count }) {
        return .init(text: String(decoding: bytes[..<(end - stop.utf8.count)], as: UTF8.self), stop: stop)
      }
    }
    return .init(text: text, stop: nil)
  }

  static func run(_ pieces: [String], _ stops: [String]) throws -> StopMatcher.Output {
    var matcher = try StopMatcher(stops)
    var text = ""
    for piece in pieces {
      let output = matcher.push(piece)
      text += output.text
      if let stop = output.stop { return .init(text: text, stop: stop) }
    }
    return .init(text: text + matcher.finish(), stop: nil)
  }

  @Test func randomTextInRandomPiecesAgreesWithTheReference() throws {
    var random = RandomGenerator(seed: 3)
    let alphabet = ["a", "b", "é", "\n"]
    func word(_ lengths: ClosedRange<Int>) -> String {
      (0..<Int.random(in: lengths, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "" }
        .joined()
    }
    for _ in 0..<3000 {
      let stops = (0..<Int.random(in: 0...4, using: &random)).map { _ in word(1...4) }
      let pieces = (0..<8).map { _ in word(0...4) }
      #expect(try Self.run(pieces, stops) == Self.reference(pieces.joined(), stops), "\(pieces) \(stops)")
    }
  }

  @Test func onlyWhatMayBeAStopStringIsHeldBack() throws {
    var matcher = try StopMatcher(["\n\nUser:"])
    #expect(matcher.push("Hello.\n").text == "Hello.")
    #expect(matcher.push("\nUse").text == "")
    #expect(matcher.push("ful").text == "\n\nUseful")
    #expect(matcher.push("\n\n\nUser").text == "\n")
    #expect(matcher.push(": hi") == .init(text: "", stop: "\n\nUser:"))
  }

  @Test func anEmptyStopStringIsAnError() {
    #expect(throws: IngotError.self) { try StopMatcher(["a", ""]) }
  }

  @Test func hostileTextTakesLinearTime() throws {
    // Almost a match at every byte: naive matching would take 10¹⁰ steps.
    let stop = String(repeating: "a", count: 100_000) + "b"
    var matcher = try StopMatcher([stop])
    let clock = ContinuousClock()
    let time = clock.measure { _ = matcher.push(String(repeating: "a", count: 300_000)) }
    #expect(time < .seconds(20))
  }
}
