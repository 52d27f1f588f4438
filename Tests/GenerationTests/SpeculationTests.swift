import Generation
import IngotCore
import Testing

/// With a drafter a reply is what it is without, to the last bit of state.
@Suite struct SpeculationTests {
  /// Ways to draw and to end.
  enum Way: String, CaseIterable, Sendable {
    case greedy, defaults, hot, penalties, longPenalties, stops, noEOS, none, one, two, seven, smallContext

    var options: GenerationOptions {
      var options = GenerationOptions()
      options.maxTokens = 60
      switch self {
      case .greedy: (options.sampling, options.ignoresEOS) = (.greedy, true)
      case .defaults: break
      case .hot:
        (options.sampling.temperature, options.sampling.topK, options.sampling.topP) = (1.7, 0, 1)
        options.sampling.minP = 0
      case .penalties:
        (options.sampling.repeatPenalty, options.sampling.repeatLastN) = (1.3, 5)
        options.ignoresEOS = true
      case .longPenalties:
        (options.sampling.presencePenalty, options.sampling.frequencyPenalty) = (0.4, 0.2)
        (options.sampling.repeatLastN, options.sampling.topP) = (-1, 0.8)
      case .stops: (options.stopStrings, options.ignoresEOS) = (["abc", "dd", "hg"], true)
      case .noEOS, .smallContext: options.ignoresEOS = true
      case .none: options.maxTokens = 0
      case .one: options.maxTokens = 1
      case .two: options.maxTokens = 2
      case .seven: (options.maxTokens, options.ignoresEOS) = (7, true)
      }
      return options
    }

    var contextLength: Int {
      switch self {
      case .smallContext: 47
      case .greedy, .defaults, .hot, .penalties, .longPenalties, .stops, .noEOS, .none, .one, .two, .seven:
        400
      }
    }
  }

  /// Drafters from good to hostile.
  enum Guesser: String, CaseIterable, Sendable {
    case right, wrong, halfRight, tooLong, foreign, ends, lookup, wideLookup, twin, stranger

    func drafter(_ model: ScriptedModel, _ prompt: [Int], _ reply: [Int]) throws -> any Drafter {
      // What the reply would have gone on with is not known: then it says anything.
      let reply = reply + [Int](repeating: 97, count: 20)
      return switch self {
      case .right: ScriptedDrafter(knowing: reply, after: prompt)
      case .wrong: ScriptedDrafter(knowing: reply, after: prompt) { ($1 + 1) % ByteTokenizer.size }
      case .halfRight: ScriptedDrafter(knowing: reply, after: prompt) { $0 % 3 == 2 ? 97 : $1 }
      case .tooLong: ScriptedDrafter { text, _ in Array(reply.dropFirst(text.count - prompt.count)) + text }
      case .foreign: ScriptedDrafter { text, _ in text.count % 2 == 0 ? [-1, 97] : [97, .max, 98] }
      case .ends: ScriptedDrafter { text, count in [ByteTokenizer.end] + text.suffix(count) }
      case .lookup: try PromptLookup()
      case .wideLookup: try PromptLookup(.init(maxNGram: 16, minNGram: 1))
      case .twin: try ModelDrafter(ScriptedModel.markov(contextLength: model.contextLength))
      case .stranger: try ModelDrafter(ScriptedModel.markov(seed: 2, contextLength: 60), minProbability: 0)
      }
    }
  }

  static let prompt = ids("abcabcabhello")

  @Test(arguments: Way.allCases, Guesser.allCases)
  func theReplyIsTheSame(way: Way, guesser: Guesser) throws {
    for (seed, length) in [(0, (7, 0)), (1, (1, 0)), (2, (3, 2)), (3, (40, 0))] {
      let model = ScriptedModel.markov(contextLength: way.contextLength)
      var options = way.options
      options.sampling.seed = UInt64(seed)
      let plain = try Observed(model, Self.prompt, options, drafter: nil)
      (options.drafts.maxTokens, options.drafts.minTokens) = length
      let drafter = try guesser.drafter(model, Self.prompt, plain.ids)
      let drafted = try Observed(model, Self.prompt, options, drafter: drafter)
      #expect(drafted == plain, "seed \(seed), \(length)")
      #expect(model.refused.withLock { $0 } == 0)
      #expect(drafted.sequence == drafted.cachedIDs)
    }
  }

  @Test(arguments: 1...9) func cancellationEndsTheReplyWithinADraft(tokens: Int) throws {
    var options = Way.noEOS.options
    options.sampling.seed = 3
    let model = ScriptedModel.markov()
    let plain = try Observed(model, Self.prompt, options, drafter: nil, cancelAfter: tokens)
    #expect(plain.reason == .cancelled && plain.ids.count == tokens)
    let whole = try Observed(model, Self.prompt, options, drafter: nil)
    let drafter = ScriptedDrafter(knowing: whole.ids, after: Self.prompt)
    #expect(try Observed(model, Self.prompt, options, drafter: drafter, cancelAfter: tokens) == plain)
  }

  @Test func errorsComeWhenTheyAreReachedAndNotBefore() throws {
    // After "xx" there are no numbers; the reply ends before, or not.
    let model = ScriptedModel(vocabSize: ByteTokenizer.size, contextLength: 64) { tokens in
      tokens.suffix(2) == ids("xx")[...]
        ? [Float](repeating: .nan, count: ByteTokenizer.size)
        : .peak(at: ids("abxx")[min(3, tokens.count - 2)], of: ByteTokenizer.size)
    }
    for (most, fails) in [(3, false), (4, false), (5, true)] {
      var options = GenerationOptions()
      (options.sampling, options.maxTokens) = (.greedy, most)
      let plain = try Observed(model, ids("Hi"), options, drafter: nil)
      #expect((plain.failure != nil) == fails)
      let drafter = ScriptedDrafter(knowing: ids("abxxxxxx"), after: ids("Hi"))
      let drafted = try Observed(model, ids("Hi"), options, drafter: drafter)
      #expect(drafted.failure == plain.failure && drafted.ids == plain.ids && drafted.events == plain.events)
    }
  }

  @Test func aCacheWithoutRoomForDraftsStillHasRoomForTokens() throws {
    var options = Way.noEOS.options
    options.sampling.seed = 1
    let plain = try Observed(.markov(), Self.prompt, options, drafter: nil)
    let model = ScriptedModel.markov()
    model.longest.withLock { $0 = Self.prompt.count }
    let drafter = ScriptedDrafter { text, count in [Int](repeating: 97, count: 20) }
    options.drafts.maxTokens = 64
    #expect(try Observed(model, Self.prompt, options, drafter: drafter) == plain)
    model.longest.withLock { $0 = 1 }
    options.chunkTokens = 1
    let single = try Observed(model, Self.prompt, options, drafter: drafter)
    #expect(single.ids == plain.ids && model.refused.withLock { $0 } > 0)
  }

  @Test func aDraftersErrorIsTheReplys() throws {
    let drafter = ScriptedDrafter { (_, _) throws(IngotError) in throw IngotError(.memory, "no more") }
    let reply = try Observed(.markov(), Self.prompt, Way.noEOS.options, drafter: drafter)
    #expect(reply.failure?.contains("no more") == true)
  }

  @Test func rightGuessesSaveForwards() throws {
    var options = Way.noEOS.options
    (options.sampling.seed, options.maxTokens) = (5, 101)
    let plain = try Observed(.markov(), Self.prompt, options, drafter: nil) {
      #expect($0.timings.decodeForwards == 100 && $0.timings.drafts == nil)
      #expect($0.timings.tokensPerForward == 1)
    }
    let drafter = ScriptedDrafter(knowing: plain.ids, after: Self.prompt)
    let model = ScriptedModel.markov()
    options.drafts.maxTokens = 8
    _ = try Observed(model, Self.prompt, options, drafter: drafter) {
      let drafts = $0.timings.drafts ?? DraftCounts()
      #expect(drafts.accepted == drafts.drafted && drafts.rate == 1)
      // Nine tokens of a forward, after a shorter one to begin with.
      #expect($0.timings.decodeForwards == 12)
      #expect(drafts.accepted + $0.timings.decodeForwards == 100)
    }
    #expect(model.forwards.withLock { $0.count } == 13)
    #expect(model.forwards.withLock { $0.dropFirst().map(\.count).max() } == 9)
  }

  @Test func wrongGuessesAreSoonNotAskedForAnyMore() throws {
    var options = Way.noEOS.options
    (options.sampling.seed, options.maxTokens) = (5, 300)
    let plain = try Observed(.markov(), Self.prompt, options, drafter: nil)
    let drafter = ScriptedDrafter(knowing: plain.ids, after: Self.prompt) { ($1 + 1) % ByteTokenizer.size }
    _ = try Observed(.markov(), Self.prompt, options, drafter: drafter) {
      #expect($0.timings.drafts?.accepted == 0)
      #expect((1...30).contains($0.timings.drafts?.drafted ?? 0))
      #expect($0.timings.decodeForwards == 299)
    }
    #expect(drafter.asked.withLock { $0.last } == 1)
  }

  @Test func guessesThatGetBetterAreAskedForAgain() throws {
    var options = Way.noEOS.options
    (options.sampling.seed, options.maxTokens) = (5, 300)
    let plain = try Observed(.markov(), Self.prompt, options, drafter: nil)
    let drafter = ScriptedDrafter(knowing: plain.ids, after: Self.prompt) { place, id in
      place < 100 ? (id + 1) % ByteTokenizer.size : id
    }
    _ = try Observed(.markov(), Self.prompt, options, drafter: drafter) {
      // Of the last 200 tokens most by guesses.
      #expect($0.timings.drafts?.accepted ?? 0 > 100)
    }
    #expect(drafter.asked.withLock { $0.max() } == options.drafts.maxTokens)
  }

  @Test(arguments: [(0, 0), (65, 0), (-1, 0), (4, 5), (4, -1)])
  func lengthsOutOfRangeAreNamed(most: Int, least: Int) {
    var options = GenerationOptions()
    (options.drafts.maxTokens, options.drafts.minTokens) = (most, least)
    let error = #expect(throws: IngotError.self) { try options.validate() }
    #expect(error?.kind == .argument && error?.what.contains("draft-m") == true)
  }

  @Test func aChatKeepsItsDrafter() throws {
    func talk(_ drafter: (any Drafter)?) throws -> ([String], GenerationTimings) {
      let (session, _) = try ChatSessionTests.session(
        reply: "the quick brown fox jumps over the lazy dog", contextLength: 1000, drafter: drafter)
      var (texts, total) = ([String](), GenerationTimings())
      for message in ["one", "two", "three"] {
        let result = try session.reply(to: message)
        texts.append(result.text)
        total += result.timings
      }
      return (texts, total)
    }
    let (plain, _) = try talk(nil)
    let (texts, total) = try talk(try PromptLookup())
    #expect(texts == plain)
    // The second and third time it has been said before.
    #expect(total.drafts?.accepted ?? 0 > 60)
    #expect(total.tokensPerForward > 1.5)
  }
}
