import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct SplitPatternTests {
  /// The texts between the boundaries that a pattern sets, matches marked.
  static func pieces(_ pattern: SplitPattern, _ text: String) throws -> [String] {
    var text = text
    var pieces: [String] = []
    text.makeContiguousUTF8()
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { buffer in
      try pattern.scan(ScalarText(buffer)) { start, end, isMatch in
        pieces.append((isMatch ? "+" : "-") + String(decoding: bytes[start..<end], as: UTF8.self))
      }
    }
    return pieces
  }

  static let rest = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  static let cased = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
  static let uncased = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
  static let prefix = "[^\\r\\n\\p{L}\\p{N}]?"
  static let deepSeek =
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"

  static let known = [
    PreTokenizer.gpt2Pattern,
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + rest,
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
      + rest,
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
      + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + rest,
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
      + "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" + rest,
    prefix + cased + "*" + uncased + "+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|" + prefix + cased + "+" + uncased
      + "*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + rest,
    prefix + cased + "*" + uncased + "+|" + prefix + cased + "+" + uncased
      + "*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + rest,
    deepSeek,
  ]

  @Test(arguments: known)
  func scannersEqualTheRegularExpression(pattern: String) throws {
    let scanner = try SplitPattern(regex: pattern)
    if case .regex = scanner { Issue.record("no scanner for \(pattern)") }
    let regex = try SplitPattern(regex: pattern, scanners: false)
    var texts = try Fixtures.texts()
    var generator = SplitMix64(3)
    for _ in 0..<600 { texts.append(randomText(&generator, length: 24)) }
    for text in texts {
      #expect(try Self.pieces(scanner, text) == Self.pieces(regex, text), "\(text.debugDescription)")
    }
  }

  @Test(arguments: [
    ("a+?b*", "aabb", "+a +abb"), ("a{2,3}", "aaaaa", "+aaa +aa"), ("a{2}?", "aaa", "+aa -a"),
    ("(?:ab|a)c", "abcac", "+abc +ac"), ("(?>ab|a)c", "abcac", "+abc +ac"), ("(?>a|ab)c", "abc", "-abc"),
    ("a*+a", "aaa", "-aaa"), ("[^a-c]+", "abxyc", "-ab +xy -c"), ("[a-c&&[^b]]", "abc", "+a -b +c"),
    ("[[:digit:]x]+", "1x2y", "+1x2 -y"), ("(?i)STRASSE", "strasse", "+strasse"),
    ("(?i:k)", "\u{212A}", "+\u{212A}"),
    ("^b", "a\nb", "-a\n +b"), ("a$", "a\nba", "+a -\nb +a"), ("\\Aa|a\\z", "aaa", "+a -a +a"),
    ("\\bfoo\\b", "foo food", "+foo - food"), ("(?<!x)y", "xyy", "-xy +y"),
    ("(?<=x|ab)y", "xyaby", "-x +y -ab +y"),
    ("(?=(\\d{3})+(?!\\d))", "1234567", "-1 + -234 + -567"), ("(a*)*b", "aab", "+aab"),
    ("(?:)", "ab", "+ -a + -b +"),
    ("\\p{Han}+", "\u{6F22}\u{5B57}x", "+\u{6F22}\u{5B57} -x"), ("\\P{L}", "a1", "-a +1"),
    ("[\\p{^Lu}]", "aB", "+a -B"),
    ("a|", "ba", "+ -b +a"), ("a{,2}b", "aaab", "-a +aab"), ("a{x", "a{x", "+a{x"),
    ("\\x{1F600}|\\x41|\\u0042", "AB\u{1F600}", "+A +B +\u{1F600}"),
    ("(?<word>\\w+)", "ab!", "+ab -!"), (".", "a\n", "+a -\n"), ("(?m:.)", "\n", "+\n"),
    ("[]a]", "]b", "+] -b"), ("a(?#no)b", "ab", "+ab"),
    ("x(?i)a|b", "xAxBxc", "+xA +xB -xc"), ("\\R", "\r\n\n", "+\r\n +\n"), ("[a\\-c]", "b-", "-b +-"),
    ("\\h+", "fg", "+f -g"),
  ])
  func regularExpressionsMatchAsOnigurumaDoes(pattern: String, text: String, expected: String) throws {
    let pieces = try Self.pieces(SplitPattern(regex: pattern, scanners: false), text)
    #expect(pieces.joined(separator: " ") == expected)
  }

  @Test(arguments: [
    "(", ")", "a)", "[a", "a**b(", "*", "+a", "(?<n", "\\", "[b-a]", "a{3,2}", "(?i", "\\x{110000}", "\\p{L",
    "[[:alpha:]",
  ])
  func brokenExpressionsAreErrors(pattern: String) {
    #expect { try RegexProgram(pattern) } throws: { error in
      let kind = (error as? IngotError)?.kind
      return kind == .tokenizer || kind == .unsupported
    }
  }

  @Test(arguments: [
    "(a)\\1", "\\p{Klingon}", "(?<=a+)b", "\\X", "(?x) a", "a{200000}", "(?:(?:a{500}){500}){500}",
  ])
  func unsupportedExpressionsSaySo(pattern: String) {
    #expect { try RegexProgram(pattern) } throws: { ($0 as? IngotError)?.kind == .unsupported }
  }

  @Test func deepNestingIsAnError() {
    let pattern = String(repeating: "(", count: 100_000)
    #expect(throws: IngotError.self) { try RegexProgram(pattern) }
    #expect(throws: IngotError.self) { try RegexProgram(String(repeating: "[", count: 100_000)) }
  }

  @Test func endlessBacktrackingIsAnError() throws {
    let pattern = try SplitPattern(regex: "(?:a|aa)+(?:a|aa)+(?:a|aa)+c|(x+x+)+y")
    #expect { try Self.pieces(pattern, String(repeating: "a", count: 3000)) } throws: { error in
      (error as? IngotError)?.kind == .limit
    }
  }

  @Test func quickSetMembershipEqualsTheDefinition() {
    var generator = SplitMix64(5)
    let expressions: [SetExpression] = [
      .union([.categories(.letter), .space, .range(0x30, 0x39)]),
      .not(.union([.space, .categories(.number)])),
      .intersection([.categories(.letter), .not(.script(.han))]), .not(.not(.word)),
      .union([.not(.categories(.mark)), .range(0x300, 0x310)]), .any,
    ]
    for expression in expressions {
      let set = ScalarSet(expression)
      for _ in 0..<4000 {
        let value = UInt32.random(
          in: 0...(Bool.random(using: &generator) ? 0x3FF : 0x2FFFF), using: &generator)
        let expected = expression.contains(value, ScalarClassTable.shared[value])
        #expect(set.contains(value, .shared) == expected, "\(value)")
      }
    }
  }
}
