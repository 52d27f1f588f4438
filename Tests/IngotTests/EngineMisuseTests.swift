import Foundation
import Ingot
import IngotCore
import Testing

/// What an application can get wrong is an error, not a trap.
@Suite struct EngineMisuseTests {
  static let fixture = ModelFixture.safetensors.first { $0.name == "llama-gqa" }

  @Test(arguments: [
    (0, 1), (-1, 1), (8, 0), (8, -1), (Int.max, 1), (1, Int.max), (Int.max, Int.max), (1 << 40, 1),
    (64, 1 << 40),
  ])
  func impossibleSizesAreErrors(contextLength: Int, sequences: Int) throws {
    var options = DecoderEngine.Options(contextLength: contextLength)
    options.sequences = sequences
    let checkpoint = try openCheckpoint(#require(Self.fixture).checkpoint)
    let error = #expect(throws: IngotError.self) { try CPUModel(checkpoint, options: options) }
    #expect(error?.kind == .argument)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.physicalMemory < 380 << 30))
  func cachesBeyondTheMachinesMemoryAreErrors() throws {
    var options = DecoderEngine.Options(contextLength: 1 << 22)
    options.sequences = 256
    (options.chunkTokens, options.kvType) = (16, .f32)
    let checkpoint = try openCheckpoint(#require(Self.fixture).checkpoint)
    // 2³⁰ tokens of 2 layers, 2 heads and 12 keys and values each.
    let error = #expect(throws: IngotError.self) { try CPUModel(checkpoint, options: options) }
    #expect(error?.kind == .memory)
  }

  @Test func sequencesAreCheckedBeforeTheyChange() throws {
    let fixture = try #require(Self.fixture)
    let (model, other) = (try fixture.model(sequences: 2), try fixture.model())
    let sequence = try model.makeSequence(plannedLength: 4)
    let twice = [ModelInput(sequence, [1], logits: .last), ModelInput(sequence, [2], logits: .last)]
    #expect(throws: IngotError.self) { try model.forward(twice) { _, _, _ in } }
    let foreign = ModelInput(try other.makeSequence(plannedLength: 4), [1], logits: .last)
    #expect(throws: IngotError.self) { try model.forward([foreign]) { _, _, _ in } }
    #expect(sequence.count == 0 && foreign.sequence.count == 0)
  }
}
