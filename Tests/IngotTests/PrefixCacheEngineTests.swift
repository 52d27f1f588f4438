import Artifact
import Ingot
import IngotCore
import Testing

@Suite struct PrefixCacheEngineTests {
  @Test(arguments: ["llama-gqa", "qwen2-sliding"], [KVType.f16, .i8])
  func sessionsFindEachOthersPrefixes(name: String, kvType: KVType) throws {
    let model = try ModelFixture.named(name).model(context: 300, kvType: kvType, sequences: 3)
    let cache = try PrefixCache(model, budget: .pages(9))
    let set = try StageSet(share: 200, unshare: 20, total: 300)
    let text = (0..<190).map { $0 * 13 % 97 }
    let options = GenerationOptions.drawing(15, seed: 5)
    // 150 tokens are known to begin with; then the text goes on in another way.
    let first = try SharedSession(Generator(model), set)
    #expect(try first.share(Array(text.prefix(150)), prefixes: cache)?.cachedTokens == 0)
    for (tail, cached) in [(Array(text[150...]), 150), ([1, 1], 150), (Array(text[150...]), 190)] {
      let prefix = Array(text.prefix(150)) + tail
      let session = try SharedSession(Generator(model), set)
      #expect(try session.share(prefix, prefixes: cache)?.cachedTokens == cached)
      let alone = try SharedSession(Generator(model), set)
      try alone.share(prefix)
      #expect(try session.ask([9], options: options).ids == alone.ask([9], options: options).ids)
      #expect(
        try model.rows(try #require(session.sequence)) == model.rows(try #require(alone.sequence)))
    }
    // Forks share pages: 3 for the first text, and the rest of the others' last page.
    #expect(cache.texts.count == 3 && cache.pageCount <= 5)
    let other = try SharedSession(Generator(try ModelFixture.named(name).model(context: 300)), set)
    #expect(throws: IngotError.self) { try other.share(text, prefixes: cache) }
  }

  @Test func pagesAreGivenBackBeforeAForwardFails() throws {
    let model = try ModelFixture.named("llama-gqa").model(context: 256, sequences: 1)
    let cache = try PrefixCache(model, budget: .pages(100))
    let generator = Generator(model)
    var options = GenerationOptions.drawing(1, seed: 1)
    func fill(_ first: Int) throws {
      let sequence = try CachedSequence(model, plannedLength: 256)
      _ = try generator.generate(prompt: [first] + (0..<63).map { $0 }, options: options, cache: sequence)
      try cache.insert(sequence, plannedLength: 256)
    }
    for first in 0..<4 { try fill(first) }
    #expect(cache.pageCount == 4 && model.engine.freePages == 0)
    // The oldest makes room for the fifth; a long text takes all.
    try fill(4)
    #expect(Set(cache.texts.map { $0[0] }) == [1, 2, 3, 4] && cache.counts.evictions == 1)
    options.maxTokens = 2
    _ = try generator.generate(prompt: (0..<250).map { $0 % 90 }, options: options)
    #expect(cache.texts.isEmpty && model.engine.freePages == 4)
  }

  @Test func restoringAsksForPagesToo() throws {
    let model = try ModelFixture.named("llama-gqa").model(context: 128, sequences: 1)
    let cache = try PrefixCache(model, budget: .pages(100))
    let sequence = try CachedSequence(model, plannedLength: 128)
    _ = try Generator(model).generate(
      prompt: (0..<100).map { $0 }, options: .drawing(1, seed: 1), cache: sequence)
    let snapshot = try model.snapshot(of: sequence.sequence, tokens: 100)
    try cache.insert(sequence, plannedLength: 128)
    sequence.sequence.truncate(to: 0)
    #expect(model.engine.freePages == 0)
    #expect(try model.restore(snapshot, plannedLength: 128).count == 100)
    #expect(cache.texts.isEmpty)
  }

  @Test func sequencesOfOtherModelsAreRefused() throws {
    let fixture = try ModelFixture.named("llama-gqa")
    let cache = try PrefixCache(try fixture.model(context: 64), budget: .bytes(1 << 20))
    let other = try fixture.model(context: 64)
    let sequence = try CachedSequence(other, plannedLength: 64)
    #expect(throws: IngotError.self) { try cache.insert(sequence, plannedLength: 64) }
    let long = try ModelFixture.named("llama-rope-longrope-above").model(context: 64)
    let longCache = try PrefixCache(long, budget: .pages(9))
    let short = try CachedSequence(long, plannedLength: 20)
    #expect(throws: IngotError.self) { try longCache.insert(short, plannedLength: 64) }
  }
}
