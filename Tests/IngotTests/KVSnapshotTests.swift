import Ingot
import IngotCore
import Testing

@Suite struct KVSnapshotTests {
  static let fixtures = ["llama-gqa", "llama-mha-odd", "qwen2-sliding", "llama-q4_k_m"]

  @Test(arguments: fixtures, KVType.allCases)
  func aRestoredSequenceGoesOnBitForBit(name: String, kvType: KVType) throws {
    let fixture = try ModelFixture.named(name)
    let model = try fixture.model(context: 150, kvType: kvType)
    var random = RandomGenerator(seed: 8)
    let ids = random.ids(140, below: model.config.vocabSize)
    let reference = try model.allLogits(ids, chunk: 140)
    let vocabulary = model.config.vocabSize
    for count in [1, 63, 64, 65, 128, 130] {
      let sequence = try model.makeSequence(plannedLength: 150)
      try model.forward([ModelInput(sequence, Array(ids.prefix(count)), logits: .none)]) { _, _, _ in }
      let snapshot = try model.snapshot(of: sequence, tokens: count)
      let other = try fixture.model(context: 200, threads: 2, kvType: kvType, chunk: 5)
      let restored = try other.restore(snapshot, plannedLength: 150)
      #expect(restored.count == count)
      #expect(try other.rows(restored) == model.rows(sequence))
      var rows: [Float] = []
      try other.forward([ModelInput(restored, Array(ids[count...]), logits: .all)]) { _, _, row in rows += row
      }
      #expect(rows.map(\.bitPattern) == reference[(count * vocabulary)...].map(\.bitPattern))
    }
  }

  @Test(arguments: KVType.allCases)
  func rowsOfOtherTextsAreNotInIt(kvType: KVType) throws {
    let model = try ModelFixture.named("llama-gqa").model(context: 100, kvType: kvType)
    func rows(after: [Int]) throws -> [UInt8] {
      let sequence = try model.makeSequence(plannedLength: 100)
      try model.forward([ModelInput(sequence, [1, 2, 3] + after, logits: .none)]) { _, _, _ in }
      sequence.truncate(to: 3)
      return try model.rows(sequence)
    }
    let (one, other) = (try rows(after: [4, 5, 6]), try rows(after: Array(40..<90)))
    #expect(one == other)
    // Of 64 rows 3 are there.
    #expect(one.filter { $0 != 0 }.count <= one.count * 3 / 64)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let fixture = try ModelFixture.named("llama-gqa")
    let model = try fixture.model(context: 130, sequences: 1)
    let sequence = try model.makeSequence(plannedLength: 130)
    try model.forward([ModelInput(sequence, (0..<100).map { $0 }, logits: .none)]) { _, _, _ in }
    let snapshot = try model.snapshot(of: sequence, tokens: 100)
    #expect(throws: IngotError.self) { try model.snapshot(of: sequence, tokens: 101) }
    #expect(throws: IngotError.self) { try model.snapshot(of: sequence, tokens: -1) }
    // Two of three pages are taken.
    let full = #expect(throws: IngotError.self) { try model.restore(snapshot, plannedLength: 130) }
    #expect(full?.kind == .limit)
    let short = try fixture.model(context: 99)
    #expect(throws: IngotError.self) { try short.restore(snapshot, plannedLength: 99) }
    #expect(throws: IngotError.self) { try short.snapshot(of: sequence, tokens: 1) }
    for kvType in [KVType.f32, .i8] {
      let other = try fixture.model(context: 130, kvType: kvType)
      let error = #expect(throws: IngotError.self) { try other.restore(snapshot, plannedLength: 130) }
      #expect(error?.what.contains(kvType.rawValue) == true && error?.what.contains("f16") == true)
    }
    for name in ["llama-head-dim", "qwen2-sliding"] {
      let other = try ModelFixture.named(name).model(context: 130)
      #expect(throws: IngotError.self) { try other.restore(snapshot, plannedLength: 130) }
    }
    #expect(throws: IngotError.self) {
      try KVSnapshot(
        layout: snapshot.layout, tokens: 200, bytes: snapshot.bytes, storage: AlignedBuffer(byteCount: 0))
    }
    for tokens in [-1, Int.max, 1 << 40] {
      #expect(KVSnapshot.byteCount(snapshot.layout, tokens: tokens) == nil)
    }
  }

  @Test func identitiesTellModelsApart() throws {
    var seen: Set<ModelIdentity> = []
    let fixtures = ModelFixture.safetensors + ModelFixture.gguf
    for fixture in fixtures {
      let identity = try ModelIdentity(of: openCheckpoint(fixture.checkpoint))
      #expect(try ModelIdentity(of: openCheckpoint(fixture.checkpoint)) == identity)
      seen.insert(identity)
    }
    #expect(seen.count == fixtures.count)
    #expect(throws: IngotError.self) { try ModelIdentity(digest: "abc") }
  }
}
