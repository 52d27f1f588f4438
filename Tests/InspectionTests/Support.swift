import Checkpoints
import Engine
import Generation
import IngotCore
import TestSupport

extension Fixture {
  /// Opens a checkpoint by its path.
  static func open(
    _ path: String, context: Int = 64, kvType: KVType = .f32, chunk: Int = 512, sequences: Int = 2,
    observes: Bool = true
  ) throws -> CPUModel {
    try model(
      try openCheckpoint(path), context: context, kvType: kvType, chunk: chunk, sequences: sequences,
      observes: observes)
  }

  static func model(
    _ checkpoint: any Checkpoint, context: Int = 64, kvType: KVType = .f32, chunk: Int = 512,
    sequences: Int = 2,
    observes: Bool = true
  ) throws -> CPUModel {
    var options = DecoderEngine.Options(contextLength: context)
    options.engine = EngineOptions(threads: 1)
    options.engine.spins = 0
    (options.kvType, options.chunkTokens, options.sequences) = (kvType, chunk, sequences)
    options.observesLayers = observes
    return try CPUModel(checkpoint, options: options)
  }
}
