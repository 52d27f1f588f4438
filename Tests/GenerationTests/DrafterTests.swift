import Generation
import IngotCore
import Testing
import Tokenizers

/// What drafters guess.
@Suite struct DrafterTests {
  static func lookup(_ text: String, _ count: Int, max: Int = 4, min: Int = 2) throws -> String {
    let lookup = try PromptLookup(.init(maxNGram: max, minNGram: min))
    lookup.begin(Array(ids(text).prefix(3)), cancellation: Cancellation())
    for id in ids(text).dropFirst(3) { lookup.append(id) }
    return String(decoding: lookup.draft(atMost: count).map { UInt8($0) }, as: UTF8.self)
  }

  @Test func theNewestOfTheLongestIsFound() throws {
    #expect(try Self.lookup("abcX abcY ab", 2) == "cY")
    // Longer wins over newer.
    #expect(try Self.lookup("1abcX 2bcY 1abc", 1) == "X")
    #expect(try Self.lookup("1abcX 2bcY 1abc", 1, max: 2) == "Y")
    #expect(try Self.lookup("xa b c a", 3) == "")
    #expect(try Self.lookup("xa b c a", 3, min: 1) == " b ")
    #expect(try Self.lookup("abab", 0) == "")
  }

  @Test func aRepetitionIsDraftedBeyondTheEnd() throws {
    #expect(try Self.lookup("xabcabcab", 8) == "cabcabca")
    #expect(try Self.lookup("zaaaa", 5) == "aaaaa")
  }

  /// The index against a scan of the whole text.
  @Test(arguments: [(1, 1), (1, 4), (2, 3), (3, 16)]) func theIndexFindsWhatAScanFinds(min: Int, max: Int)
    throws
  {
    var random = RandomGenerator(seed: 7)
    let text = (0..<500).map { _ in Int(random.next() % 4) }
    let lookup = try PromptLookup(.init(maxNGram: max, minNGram: min))
    lookup.begin([], cancellation: Cancellation())
    for end in text.indices {
      lookup.append(text[end])
      let known = Array(text[...end])
      var place: Int?
      for length in (min...max).reversed() where place == nil && length < known.count {
        let tail = known.suffix(length)
        place = (length..<known.count).last { known[($0 - length)..<$0].elementsEqual(tail) }
      }
      #expect(lookup.draft(atMost: 1) == (place.map { [text[$0]] } ?? []))
    }
  }

  @Test func anotherPromptReplacesTheText() throws {
    let lookup = try PromptLookup()
    let fresh = try PromptLookup()
    lookup.begin(ids("abc def abc"), cancellation: Cancellation())
    lookup.begin(ids("abc def abc d"), cancellation: Cancellation())
    #expect(lookup.draft(atMost: 3) == ids("ef "))
    for text in ["abc xyz abc", "abc", "abcdab"] {
      lookup.begin(ids(text), cancellation: Cancellation())
      fresh.begin([], cancellation: Cancellation())
      fresh.begin(ids(text), cancellation: Cancellation())
      #expect(lookup.draft(atMost: 3) == fresh.draft(atMost: 3))
    }
  }

  @Test(arguments: [(0, 1), (17, 1), (2, 3), (2, 0), (-1, -1)]) func badLengthsAreNamed(max: Int, min: Int) {
    let error = #expect(throws: IngotError.self) {
      try PromptLookup(.init(maxNGram: max, minNGram: min))
    }
    #expect(error?.kind == .argument && error?.what.contains("lookup-ngram-m") == true)
  }

  @Test func aTwinGuessesEverything() throws {
    var options = SpeculationTests.Way.greedy.options
    (options.maxTokens, options.drafts.maxTokens) = (101, 8)
    let draft = ScriptedModel.markov()
    let drafter = try ModelDrafter(draft, minProbability: 0)
    _ = try Observed(.markov(), SpeculationTests.prompt, options, drafter: drafter) {
      #expect($0.timings.drafts?.rate == 1)
      #expect($0.timings.decodeForwards == 12)
    }
    // Each token is computed once: what came true stays in the cache.
    let computed = draft.forwards.withLock { $0.reduce(0) { $0 + $1.count } }
    #expect(computed <= SpeculationTests.prompt.count + 101)
  }

  @Test func aDraftModelForgetsWhatDidNotComeTrue() throws {
    let model = ScriptedModel(vocabSize: 10, contextLength: 64) { tokens in
      // The sum of all: any token that should not be there shows.
      .peak(at: tokens.reduce(0, +) % 10, of: 10)
    }
    func next(_ text: [Int]) -> Int { text.reduce(0, +) % 10 }
    let drafter = try ModelDrafter(model)
    var text = [1, 2, 3]
    try drafter.begin(text, cancellation: Cancellation())
    var random = RandomGenerator(seed: 3)
    for _ in 0..<12 {
      var expected: [Int] = []
      for _ in 0..<4 { expected.append(next(text + expected)) }
      #expect(try drafter.draft(atMost: 4) == expected)
      // Some come true, then another comes.
      let agreed = Int(random.next() % 5)
      for id in expected.prefix(agreed) + [Int(random.next() % 10)] {
        drafter.append(id)
        text.append(id)
      }
    }
  }

  @Test func aDraftModelStopsWhereItIsNotSure() throws {
    // Two tokens that are as likely: each has a probability of a half.
    let model = ScriptedModel(vocabSize: 10, contextLength: 64) { tokens in
      var logits = [Float].peak(at: 3, of: 10)
      if tokens.count == 5 { logits[4] = 20 }
      return logits
    }
    for (least, count) in [(0.0, 6), (0.49, 6), (0.51, 2), (0.99, 2)] {
      let drafter = try ModelDrafter(model, minProbability: least)
      try drafter.begin([1, 2, 3], cancellation: Cancellation())
      #expect(try drafter.draft(atMost: 6).count == count, "\(least)")
    }
    for bad in [-0.1, 1.1, .nan] {
      let error = #expect(throws: IngotError.self) { try ModelDrafter(model, minProbability: bad) }
      #expect(error?.what.contains("draft-p-min") == true)
    }
  }

  @Test func aDraftModelStaysWithinItsContextAndItsVocabulary() throws {
    let model = ScriptedModel(vocabSize: 10, contextLength: 8) { _ in .peak(at: 3, of: 10) }
    let drafter = try ModelDrafter(model)
    try drafter.begin([1, 2, 3, 4, 5], cancellation: Cancellation())
    // The last guess needs no place.
    #expect(try drafter.draft(atMost: 9).count == 4)
    for _ in 0..<3 { drafter.append(3) }
    #expect(try drafter.draft(atMost: 9).count == 1)
    drafter.append(3)
    #expect(try drafter.draft(atMost: 9).isEmpty)
    drafter.append(3)
    #expect(try drafter.draft(atMost: 9).isEmpty)
    try drafter.begin([Int](repeating: 1, count: 20), cancellation: Cancellation())
    #expect(try drafter.draft(atMost: 9).isEmpty)
    // What it does not know it does not see.
    try drafter.begin([1, 2], cancellation: Cancellation())
    #expect(try drafter.draft(atMost: 2) == [3, 3])
    drafter.append(10)
    #expect(try drafter.draft(atMost: 2).isEmpty)
    drafter.append(1)
    #expect(try drafter.draft(atMost: 2).isEmpty)
    #expect(model.refused.withLock { $0 } == 0)
  }

  @Test func vocabulariesMustAgree() throws {
    func model(_ size: Int, _ tokenizer: Tokenizer?, _ path: String) -> TextModel {
      TextModel(
        ScriptedModel(vocabSize: size, contextLength: 8) { _ in .peak(at: 0, of: size) },
        tokenizer: tokenizer,
        path: path)
    }
    let bytes = try ByteTokenizer.make()
    let target = model(ByteTokenizer.size, bytes, "big")
    // Padding makes no difference where tokenizers are known, and sizes decide where one is not.
    try target.checkVocabulary(of: model(300, bytes, "small"))
    try target.checkVocabulary(of: model(ByteTokenizer.size, nil, "small"))
    let sizes = #expect(throws: IngotError.self) { try target.checkVocabulary(of: model(300, nil, "small")) }
    #expect(sizes?.kind == .argument && sizes?.what.contains("300") == true)
    #expect("\(sizes!)".contains("small") && "\(sizes!)".contains("big"))
    let other = model(ByteTokenizer.size, try ByteTokenizer.make(swapping: ("a", "b")), "small")
    let swapped = #expect(throws: IngotError.self) { try target.checkVocabulary(of: other) }
    #expect(swapped?.what.contains("token 97") == true && swapped?.what.contains("big") == true)
  }
}
