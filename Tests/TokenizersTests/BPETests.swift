import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct BPETests {
  /// A byte alphabet with random merges.
  static func randomModel(_ generator: inout SplitMix64, merges count: Int) -> BPE {
    let merges = MergeTable(capacity: 4)
    var symbols = (0..<6).map { UInt32($0) }
    for rank in 0..<count {
      let (left, right) = (
        symbols.randomElement(using: &generator)!, symbols.randomElement(using: &generator)!
      )
      guard merges.merge(left, right).rank == .max else { continue }
      let symbol = UInt32(symbols.count)
      merges.set(left, right, rank: UInt32(rank), symbol: symbol)
      symbols.append(symbol)
    }
    let initials = (0..<256).map { BPE.Initial.symbol(UInt32($0 % 6)) }
    return BPE(alphabet: BPE.byteAlphabet(initials), merges: merges)
  }

  /// Merges the leftmost pair of the lowest rank until there is none: the definition.
  static func mergedByDefinition(_ model: BPE, _ symbols: [UInt32]) -> [UInt32] {
    var symbols = symbols
    while true {
      let ranks = zip(symbols, symbols.dropFirst()).map { model.merges.merge($0, $1) }
      guard let best = ranks.indices.min(by: { (ranks[$0].rank, $0) < (ranks[$1].rank, $1) }),
        ranks[best].rank != .max
      else { return symbols }
      symbols.replaceSubrange(best...best + 1, with: [ranks[best].symbol])
    }
  }

  @Test func scanningAndHeapEqualTheDefinition() {
    var generator = SplitMix64(1)
    for round in 0..<60 {
      let model = Self.randomModel(&generator, merges: 40)
      for length in [0, 1, 2, 3, 17, 48, 49, 150] {
        let alphabet: ClosedRange<UInt32> = round % 3 == 0 ? 0...1 : 0...5
        let symbols = (0..<length).map { _ in UInt32.random(in: alphabet, using: &generator) }
        let expected = Self.mergedByDefinition(model, symbols)
        var scanned = symbols
        var pairs: [MergeTable.Merge] = []
        let scannedCount = model.mergeByScanning(&scanned, &pairs)
        #expect(Array(scanned[..<scannedCount]) == expected)
        var heaped = symbols
        let heapedCount = model.mergeByHeap(&heaped)
        #expect(Array(heaped[..<heapedCount]) == expected)
      }
    }
  }

  @Test(arguments: ["a", " ", "abcdefgh", "\n ", "\u{1F600}", "1", "\u{301}", "<|", "\u{2581}", "aA"])
  func longTextsTakeLinearTime(unit: String) throws {
    let text = String(repeating: unit, count: 60_000 / unit.utf8.count)
    for name in ["qwen2", "llama2", "o200k"] {
      let tokenizer = try Fixtures.tokenizer(name)
      let clock = ContinuousClock()
      var ids: [Int] = []
      let time = try clock.measure { ids = try tokenizer.encode(text) }
      // Half a second without optimization; quadratic work would take minutes.
      #expect(time < .seconds(30))
      let back = try tokenizer.decode(ids)
      #expect(back.utf8.count == text.utf8.count || name != "o200k")
    }
  }

  @Test func cachesAreBounded() throws {
    let tokenizer = try Fixtures.tokenizer("llama3")
    var generator = SplitMix64(2)
    // More words than the cache has places, twice over, in different orders.
    let words = (0..<20_000).map { "w\($0 &* 7919) " }
    let first = try words.map { word throws(IngotError) in try tokenizer.encode(word) }
    for index in words.indices.shuffled(using: &generator).prefix(5000) {
      #expect(try tokenizer.encode(words[index]) == first[index])
    }
  }

  @Test func cacheKeysTellPiecesApart() {
    let cache = WordCache()
    var pieces: [[UInt8]] = []
    for length in 1...32 {
      for position in 0..<length {
        var piece = [UInt8](repeating: 0x61, count: length)
        piece[position] = 0
        pieces.append(piece)
      }
    }
    for (index, piece) in pieces.enumerated() {
      piece.withUnsafeBufferPointer { cache.store(WordCache.Key($0), [index, index + 1][...]) }
    }
    for (index, piece) in pieces.enumerated() {
      var ids: [Int] = []
      let found = piece.withUnsafeBufferPointer { cache.append(WordCache.Key($0), to: &ids) }
      #expect(!found || ids == [index, index + 1])
    }
  }
}
