import IngotCore
import Testing

@Suite struct JSONParserTests {
  @Test func valuesAndOrder() throws {
    let value = try JSONParser.parse(
      #" {"b": [1, -2.5e3, true, null, "x"], "a": {}, "n": 12345678901234567890} "#)
    #expect(value.object?.members.map(\.key) == ["b", "a", "n"])
    #expect(value["b"]?.array == [.int(1), .double(-2500), .bool(true), .null, .string("x")])
    #expect(value["n"]?.double == 12_345_678_901_234_567_890)
    #expect(value["a"]?.object?.members.isEmpty == true)
  }

  @Test(arguments: [
    (#""a\n\t\"\\\/\b\f\r""#, "a\n\t\"\\/\u{8}\u{C}\r"), (#""\u00e9\u4e2d\ud83d\ude00""#, "é中😀"),
    (#""\ud83d""#, "\u{FFFD}"), (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\udc00x""#, "\u{FFFD}x"),
    (#""é中😀""#, "é中😀"),
    (#""""#, ""),
  ]) func strings(text: String, expected: String) throws {
    #expect(try JSONParser.parse(text) == .string(expected))
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "tru", "nul", "01",
    "1.", ".5",
    "-", "1e", "1e+", "+1", "\"", "\"\\", "\"\\u12", "\"\\x\"", "\"\n\"", "1 2", "[1}", "{\"a\" 1}", "'a'",
    "\u{0}",
  ]) func brokenTextIsAnErrorWithItsPlace(text: String) {
    let error = #expect(throws: IngotError.self) { try JSONParser.parse(text, file: "x.json") }
    #expect(error?.kind == .format)
    #expect(error?.place.file == "x.json")
    #expect((0...text.utf8.count).contains(error?.place.offset ?? -1))
  }

  @Test func invalidUTF8IsAnError() {
    for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0x5C, 0x6E, 0xFF, 0x22]] {
      #expect(throws: IngotError.self) { try bytes.withUnsafeBytes { try JSONParser.parse($0) } }
    }
  }

  @Test func depthIsBounded() throws {
    let deep = 100_000
    let error = #expect(throws: IngotError.self) {
      try JSONParser.parse(String(repeating: "[", count: deep) + String(repeating: "]", count: deep))
    }
    #expect(error?.what.contains("512") == true)
    #expect(throws: IngotError.self) { try JSONParser.parse(String(repeating: "{\"a\":", count: deep)) }
    let edge = JSONParser.maximumDepth
    _ = try JSONParser.parse(String(repeating: "[", count: edge) + String(repeating: "]", count: edge))
    // Siblings do not add up.
    _ = try JSONParser.parse("[" + String(repeating: "[],", count: 2000) + "{}]")
  }

  @Test func mutatedTextNeverTraps() {
    let text = Array(#"{"a":[1,2.5e-3,"x\u00e9\n",{"b":null,"c":[true,false]}],"d":-0}"#.utf8)
    var state: UInt64 = 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<20_000 {
      var bytes = text
      for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
      bytes.removeLast(next(bytes.count))
      _ = try? bytes.withUnsafeBytes { try JSONParser.parse($0) }
    }
  }
}
