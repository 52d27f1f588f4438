import Artifact
import Ingot
import IngotCore
import Testing

extension ModelFixture {
  static func named(_ name: String) throws -> ModelFixture {
    try #require((safetensors + gguf).first { $0.name == name })
  }

  /// A model with room for more than the fixture's own prompt.
  func model(
    context: Int, threads: Int = 1, kvType: KVType = .f16, chunk: Int = 512, sequences: Int = 4
  ) throws -> CPUModel {
    var options = DecoderEngine.Options(contextLength: context)
    options.engine = EngineOptions(threads: threads)
    options.engine.spins = 0
    (options.kvType, options.chunkTokens, options.sequences) = (kvType, chunk, sequences)
    return try CPUModel(try openCheckpoint(checkpoint), options: options)
  }
}

extension RandomGenerator {
  /// Ids of a vocabulary.
  mutating func ids(_ count: Int, below size: Int) -> [Int] {
    (0..<count).map { _ in Int.random(in: 0..<size, using: &self) }
  }
}

extension GenerationOptions {
  /// So many tokens, drawn among all of them: the smallest difference in logits changes a reply sooner or later.
  static func drawing(_ count: Int, seed: UInt64) -> GenerationOptions {
    var options = GenerationOptions()
    (options.maxTokens, options.ignoresEOS) = (count, true)
    (options.sampling.temperature, options.sampling.topK, options.sampling.topP) = (1.5, 0, 1)
    options.sampling.seed = seed
    return options
  }
}

extension SnapshottingModel {
  /// All rows of a sequence as bytes.
  func rows(_ sequence: any ModelSequence, _ count: Int? = nil) throws -> [UInt8] {
    let snapshot = try snapshot(of: sequence, tokens: count ?? sequence.count)
    return withExtendedLifetime(snapshot) { Array(snapshot.bytes) }
  }
}
