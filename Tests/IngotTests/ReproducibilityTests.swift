import Ingot
import IngotCore
import Testing

/// Logits depend on a sequence's tokens alone, bit for bit.
@Suite struct ReproducibilityTests {
  private static let cases =
    ModelFixture.safetensors.filter {
      ["llama-gqa", "mistral-sliding", "qwen2-sliding", "qwen3-tied", "llama-mha-odd"].contains($0.name)
    } + ModelFixture.gguf

  /// Prompts that are pieces and rotations of the fixture's, so that ids are valid.
  private func prompts(_ ids: [Int]) -> [[Int]] {
    [
      ids, Array(ids.reversed()), Array(ids.prefix(1)), Array(ids[(ids.count / 2)...]),
      Array(ids.dropFirst()),
    ]
  }

  @Test(arguments: cases, KVType.allCases)
  func batchMatesDoNotMatter(_ fixture: ModelFixture, _ kvType: KVType) throws {
    let prompts = prompts(try fixture.ids())
    let alone = try prompts.map { try fixture.model(kvType: kvType).allLogits($0, chunk: $0.count) }

    // All prompts at once, cut by a chunk size that fits none of them, then one token each.
    let model = try fixture.model(threads: 3, kvType: kvType, chunk: 11, sequences: prompts.count)
    let sequences = try prompts.map { try model.makeSequence(plannedLength: $0.count) }
    var rows = [[Float]](repeating: [], count: prompts.count)
    let starts = zip(sequences, prompts).map { ModelInput($0, $1.dropLast(), logits: .all) }
    try model.forward(starts) { input, _, row in rows[input] += row }
    let last = zip(sequences, prompts).map { ModelInput($0, $1.suffix(1), logits: .last) }
    try model.forward(last) { input, _, row in rows[input] += row }
    for (index, reference) in alone.enumerated() { #expect(rows[index] == reference) }
  }

  @Test(arguments: cases, [KVType.f32, .i8])
  func forksAndRollbacksDoNotMatter(_ fixture: ModelFixture, _ kvType: KVType) throws {
    let ids = try fixture.ids()
    guard ids.count > 4 else { return }
    let reference = try fixture.model(kvType: kvType).allLogits(ids, chunk: ids.count)
    let tail = Array(reference.suffix(reference.count / ids.count))

    let model = try fixture.model(kvType: kvType, sequences: 3)
    let sequence = try model.makeSequence(plannedLength: ids.count)
    try model.forward([ModelInput(sequence, Array(ids.dropLast(2)), logits: .none)]) { _, _, _ in }
    let fork = sequence.fork()
    // The original goes astray, is rolled back, and both arrive at the same logits.
    try model.forward([ModelInput(sequence, [ids[0], ids[1]])]) { _, _, _ in }
    sequence.truncate(to: ids.count - 2)
    var results: [[Float]] = [[], []]
    let inputs = [sequence, fork].map { ModelInput($0, ids.suffix(2), logits: .last) }
    try model.forward(inputs) { input, _, row in results[input] = Array(row) }
    #expect(results[0] == tail)
    #expect(results[1] == tail)
  }

  /// A context of millions takes no memory and no time until it is used, and its rotary tables are the same.
  @Test func theContextsLengthDoesNotMatter() throws {
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "llama-gqa" })
    let ids = try (0..<9).flatMap { _ in try fixture.ids() }
    func model(_ length: Int) throws -> CPUModel {
      var options = DecoderEngine.Options(contextLength: length)
      options.engine = EngineOptions(threads: 1)
      options.engine.spins = 0
      return try CPUModel(openCheckpoint(fixture.checkpoint), options: options)
    }
    // Longer than what is made of the tables at a time.
    #expect(ids.count > 300)
    let (short, long) = (try model(ids.count), try model(1 << 22))
    #expect(try short.allLogits(ids, chunk: 64) == long.allLogits(ids, chunk: 64))
  }

  @Test(arguments: InstructionSet.available, [KVType.f16, .i8])
  func instructionSetsAgree(_ set: InstructionSet, _ kvType: KVType) throws {
    for fixture in Self.cases {
      let ids = try fixture.ids()
      var options = DecoderEngine.Options(contextLength: ids.count)
      options.engine = EngineOptions(threads: 1)
      options.kvType = kvType
      options.engine.spins = 0
      options.engine.instructionSet = set
      let model = try CPUModel(try openCheckpoint(fixture.checkpoint), options: options)
      #expect(
        try model.allLogits(ids, chunk: 9) == fixture.model(kvType: kvType).allLogits(ids, chunk: ids.count))
    }
  }

  @Test func sequencesBeyondTheirBoundsAreErrors() throws {
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "llama-gqa" })
    let ids = try fixture.ids()
    let model = try fixture.model()
    let sequence = try model.makeSequence(plannedLength: ids.count)
    for bad in [[-1], [1 << 40], [model.config.vocabSize], ids + ids] {
      #expect(throws: IngotError.self) { try model.forward([ModelInput(sequence, bad)]) { _, _, _ in } }
      #expect(sequence.count == 0)
    }
  }
}
