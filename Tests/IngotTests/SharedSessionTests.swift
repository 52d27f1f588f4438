import Artifact
import Ingot
import IngotCore
import Testing

@Suite struct SharedSessionTests {
  /// Full and sliding attention, tied heads, odd sizes, quantised weights, and angles that depend on the length.
  static let families = [
    "llama-gqa", "mistral-sliding", "qwen2-sliding", "qwen3-sliding", "qwen3-tied", "llama-mha-odd",
    "llama-rope-longrope-above", "llama-rope-dynamic-above", "llama-rope-yarn", "llama-q4_k_m",
  ]

  @Test(arguments: families, KVType.allCases)
  func sharingEqualsNoSharing(family: String, kvType: KVType) throws {
    let fixture = try ModelFixture.named(family)
    let model = try fixture.model(context: 220, kvType: kvType, chunk: 32)
    let set = try StageSet(share: 120, unshare: 60, total: 220)
    let session = try SharedSession(Generator(model), set)
    var random = RandomGenerator(seed: 3)
    // Two prefixes, one that ends within a page; short and long questions.
    for shared in [77, 64] {
      let prefix = random.ids(shared, below: model.config.vocabSize)
      let done = try #require(try session.share(prefix))
      #expect(done.tokens == shared && done.cachedTokens == 0)
      let before = try model.rows(try #require(session.sequence), shared)
      for (index, length) in [1, 9, 60].enumerated() {
        let question = random.ids(length, below: model.config.vocabSize)
        let options = GenerationOptions.drawing(25, seed: UInt64(index))
        let reply = try session.ask(question, options: options)

        let fresh = try CachedSequence(model, plannedLength: 220)
        let alone = try Generator(model).generate(prompt: prefix + question, options: options, cache: fresh)
        #expect(reply.ids == alone.ids && reply.ids.count == 25)
        #expect(reply.cachedTokens == shared && reply.timings.promptTokens == length)
        let sequence = try #require(session.sequence)
        #expect(try model.rows(sequence) == model.rows(fresh.sequence), "rows differ")
        #expect(try model.rows(sequence, shared) == before, "the prefix was touched")
      }
      session.rollback()
      #expect(session.tokens == shared)
    }
  }

  @Test func thePrefixIsNotCopied() throws {
    let model = try ModelFixture.named("llama-gqa").model(context: 256, sequences: 1)
    let session = try SharedSession(Generator(model), StageSet(share: 150, unshare: 50, total: 256))
    let prefix = (0..<150).map { $0 % 100 }
    try session.share(prefix)
    let options = GenerationOptions.drawing(20, seed: 1)
    // There are four pages in all, and the prefix has three.
    let first = try session.ask([1, 2, 3], options: options)
    #expect(try session.ask([5], options: options).ids != first.ids)
    #expect(try session.ask([1, 2, 3], options: options).ids == first.ids)
    session.free()
    #expect(session.tokens == 0 && session.sharedTokens == nil)
    #expect(throws: IngotError.self) { try session.ask([1]) }
  }

  @Test func forksDoNotDisturbEachOther() throws {
    let model = try ModelFixture.named("qwen3-sliding").model(context: 200)
    let session = try SharedSession(Generator(model), StageSet(share: 100, unshare: 50, total: 200))
    let prefix = (0..<70).map { $0 * 7 % 131 }
    try session.share(prefix)
    let options = GenerationOptions.drawing(40, seed: 9)
    let alone = try session.ask([4, 4], options: options)
    let fork = session.fork()
    #expect(fork.tokens == 70)
    let other = try fork.ask([8, 1, 1], options: options)
    #expect(try session.ask([8, 1, 1], options: options).ids == other.ids)
    session.free()
    #expect(try fork.ask([4, 4], options: options).ids == alone.ids)
  }

  @Test func generationStopsAtTheSetsLastSlot() throws {
    let model = try ModelFixture.named("llama-gqa").model(context: 200)
    let session = try SharedSession(Generator(model), StageSet(share: 20, unshare: 10, total: 40))
    try session.share([1, 2, 3, 4, 5])
    var options = GenerationOptions.drawing(100, seed: 2)
    let reply = try session.ask([6, 7], options: options)
    // Slots 7 to 39 hold all tokens of the reply but the last, whose row nobody needs.
    #expect(reply.finishReason == .contextFull)
    #expect(reply.ids.count == 40 - 7 + 1 && session.tokens == 40)
    options.drafts.maxTokens = 8
    let drafted = try session.ask([6, 7], options: options, drafter: PromptLookup())
    #expect(drafted.ids == reply.ids && drafted.finishReason == .contextFull && session.tokens == 40)
  }

  @Test func lengthsAreErrorsWithTheirNumbers() throws {
    let model = try ModelFixture.named("llama-gqa").model(context: 64)
    let generator = Generator(model)
    func message(_ parts: [String], _ body: () throws -> Void) {
      let error = #expect(throws: IngotError.self) { try body() }
      for part in parts { #expect(error?.description.contains(part) == true, "\(part): \(error as Any)") }
    }
    message(["80", "64"]) { _ = try SharedSession(generator, StageSet(share: 1, unshare: 1, total: 80)) }
    let set = try StageSet(share: 8, unshare: 4, total: 16)
    message(["planned", "12", "16", "64"]) { _ = try SharedSession(generator, set, plannedLength: 12) }
    message(["planned", "65"]) { _ = try SharedSession(generator, set, plannedLength: 65) }
    let session = try SharedSession(generator, set)
    message(["before", "8"]) { _ = try session.ask([1]) }
    message(["no tokens"]) { try session.share([]) }
    message(["9 tokens", "at most 8"]) { try session.share(Array(0..<9)) }
    message(["137", "vocabulary"]) { try session.share([137]) }
    try session.share([1, 2])
    message(["no tokens"]) { _ = try session.ask([]) }
    message(["5 tokens", "at most 4"]) { _ = try session.ask([1, 2, 3, 4, 5]) }
    message(["-1", "vocabulary"]) { _ = try session.ask([-1]) }
    let whole = try SharedSession(generator, StageSet(share: 0, unshare: 4, total: 16))
    message(["shares nothing", "2 tokens"]) { try whole.share([1, 2]) }
    #expect(try whole.ask([1, 2], options: .drawing(3, seed: 1)).ids.count == 3)
    message(["2 tokens", "at most 1"]) {
      _ = try session.reuse(in: StageSet(share: 1, unshare: 1, total: 16))
    }
    message(["80", "64"]) { _ = try session.reuse(in: StageSet(share: 4, unshare: 1, total: 80)) }
  }

  @Test(arguments: ["mistral-sliding", "llama-q4_k_m", "qwen3-tied"], KVType.allCases)
  func reuseContinuesWithoutAnotherPrefill(family: String, kvType: KVType) throws {
    let fixture = try ModelFixture.named(family)
    let model = try fixture.model(context: 160, kvType: kvType)
    let session = try SharedSession(
      Generator(model), StageSet(share: 80, unshare: 8, total: 100), plannedLength: 160)
    try session.share((0..<75).map { $0 * 11 % 90 })
    let options = GenerationOptions.drawing(20, seed: 4)
    let reference = try session.ask([3, 1], options: options)

    let larger = try session.reuse(in: StageSet(share: 100, unshare: 20, total: 160))
    let smaller = try larger.reuse(in: StageSet(share: 75, unshare: 2, total: 97))
    #expect(larger.sharedTokens == 75 && smaller.sharedTokens == 75)
    let other = try fixture.model(context: 160, threads: 2, kvType: kvType, chunk: 7, sequences: 1)
    let moved = try session.reuse(in: StageSet(share: 100, unshare: 20, total: 160), on: Generator(other))
    for session in [larger, smaller, moved] {
      let reply = try session.ask([3, 1], options: options)
      #expect(reply.ids == reference.ids && reply.cachedTokens == 75 && reply.timings.promptTokens == 2)
    }
    #expect(
      try model.rows(try #require(larger.sequence)) == other.rows(try #require(moved.sequence)))
  }

  @Test func reuseIsRefusedWhereRowsWouldBeWrong() throws {
    let fixture = try ModelFixture.named("qwen3-tied")
    let set = try StageSet(share: 20, unshare: 8, total: 60)
    let session = try SharedSession(Generator(try fixture.model(context: 64)), set)
    #expect(throws: IngotError.self) { try session.reuse(in: set) }
    try session.share([1, 2, 3])
    let others = [
      ("other weights", try ModelFixture.named("qwen3-sliding").model(context: 64)),
      ("f16", try fixture.model(context: 64, kvType: .i8)),
    ]
    for (part, model) in others {
      let error = #expect(throws: IngotError.self) { try session.reuse(in: set, on: Generator(model)) }
      #expect(error?.what.contains(part) == true, "\(error as Any)")
    }
    // Beyond the original length of 32 longrope turns by other angles.
    let long = Generator(try ModelFixture.named("llama-rope-longrope-above").model(context: 64))
    let short = try SharedSession(long, StageSet(share: 8, unshare: 8, total: 24))
    try short.share([1, 2, 3])
    let error = #expect(throws: IngotError.self) { try short.reuse(in: set) }
    #expect(error?.what.contains("24") == true && error?.what.contains("60") == true)
    let planned = try SharedSession(long, StageSet(share: 8, unshare: 8, total: 24), plannedLength: 60)
    try planned.share([1, 2, 3])
    #expect(try planned.reuse(in: set).sharedTokens == 3)
  }
}
