import Generation
import IngotCore
import Testing

@Suite struct PrefixCacheTests {
  private static func model() -> ScriptedModel {
    ScriptedModel(vocabSize: 3, contextLength: 4096) { _ in [0, 0, 0] }
  }

  private static func sequence(_ ids: [Int], _ model: ScriptedModel) throws -> CachedSequence {
    let session = Generator(model)
    let sequence = try CachedSequence(model, plannedLength: 10)
    var options = GenerationOptions()
    options.maxTokens = 0
    _ = try session.generate(prompt: ids, options: options, cache: sequence)
    return sequence
  }

  /// A tree of few letters, so that texts branch everywhere, against a search through all texts.
  @Test(arguments: [UInt64(1), 2, 3, 4], [4, 25, 1000])
  func itFindsWhatASearchFinds(seed: UInt64, pages: Int) throws {
    let model = Self.model()
    let cache = try PrefixCache(model, budget: .pages(pages))
    var random = RandomGenerator(seed: seed)
    func text() -> [Int] {
      let length = Int.random(in: 1...(Bool.random(using: &random) ? 8 : 150), using: &random)
      // Long texts begin alike, so that there are long edges to split.
      let head = length > 8 ? Array(repeating: 2, count: Int.random(in: 0...140, using: &random)) : []
      return head + (0..<length).map { _ in Int.random(in: 0..<2, using: &random) }
    }
    var inserted: Set<[Int]> = []
    // A sequence of a script has no pages to share: each text counts its own.
    func held(_ texts: [[Int]]) -> Int { texts.reduce(0) { $0 + ($1.count + 63) / 64 } }
    for _ in 0..<600 {
      if Int.random(in: 0..<3, using: &random) == 0 {
        let ids = text()
        try cache.insert(Self.sequence(ids, model), plannedLength: 10)
        inserted.insert(ids)
        #expect(held([ids]) > pages || cache.texts.contains(ids), "what has just been used stays")
      } else {
        let texts = cache.texts
        let wanted =
          Bool.random(using: &random) ? text() : (texts.randomElement(using: &random) ?? []) + text()
        let longest = texts.map { zip($0, wanted).prefix { $0 == $1 }.count }.max() ?? 0
        let found = try cache.lookUp(wanted, plannedLength: 10)
        #expect(found?.ids ?? [] == Array(wanted.prefix(longest)))
        #expect((found?.sequence as? ScriptedSequence)?.tokens.withLock { $0 } ?? [] == found?.ids ?? [])
      }
      let texts = cache.texts
      #expect(Set(texts).count == texts.count && Set(texts).isSubset(of: inserted))
      #expect(cache.pageCount == held(texts) && cache.pageCount <= pages)
    }
    #expect(cache.counts.evictions > 0 || pages == 1000)
    if pages == 1000 { #expect(Set(cache.texts) == inserted) }
    cache.removeAll()
    #expect(cache.texts.isEmpty && cache.pageCount == 0)
    #expect(try cache.lookUp(inserted.first ?? [], plannedLength: 10) == nil)
  }

  @Test func theLeastRecentlyUsedGoFirstAndBeginningsLast() throws {
    let model = Self.model()
    let cache = try PrefixCache(model, budget: .pages(3))
    for ids in [[1], [1, 0], [2]] { try cache.insert(Self.sequence(ids, model), plannedLength: 10) }
    _ = try cache.lookUp([1, 0, 2], plannedLength: 10)
    try cache.insert(Self.sequence([0], model), plannedLength: 10)
    #expect(Set(cache.texts) == [[1], [1, 0], [0]])
    // Of two that were used together, the longer goes first.
    try cache.insert(Self.sequence([2, 2], model), plannedLength: 10)
    #expect(Set(cache.texts) == [[1], [0], [2, 2]])
  }

  @Test func adaptersAndPlannedLengthsAreKeptApart() throws {
    let model = Self.model()
    let cache = try PrefixCache(model, budget: .bytes(1 << 20))
    try cache.insert(Self.sequence([1, 2], model), adapter: "a", plannedLength: 10)
    #expect(try cache.lookUp([1, 2], plannedLength: 10) == nil)
    #expect(try cache.lookUp([1, 2], adapter: "b", plannedLength: 10) == nil)
    #expect(try cache.lookUp([1, 2], adapter: "a", plannedLength: 11) == nil)
    #expect(try cache.lookUp([1, 2], adapter: "a", plannedLength: 10)?.ids == [1, 2])
    #expect(throws: IngotError.self) { try PrefixCache(model, budget: .pages(-1)) }
  }

  @Test func whatIsFoundIsTheCallersOwn() throws {
    let model = Self.model()
    let cache = try PrefixCache(model, budget: .pages(10))
    try cache.insert(Self.sequence([1, 2, 1], model), plannedLength: 10)
    let found = try #require(try cache.lookUp([1, 2, 1], plannedLength: 10))
    found.sequence.truncate(to: 0)
    #expect(try cache.lookUp([1, 2, 1], plannedLength: 10)?.sequence.count == 3)
  }
}
