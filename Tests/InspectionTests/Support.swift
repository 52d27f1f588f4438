import Checkpoints
import Engine
import Foundation
import Generation
import IngotCore

/// Tiny checkpoints made by `Scripts/make_model_fixtures.py` and `make_gguf_fixtures.py`.
enum Fixture {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("IngotTests/Fixtures").path

  static func path(_ name: String) -> String { "\(folder)/models/\(name)" }
  static func gguf(_ name: String) -> String { "\(folder)/gguf-models/\(name)/model.gguf" }

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

/// A folder that goes with its owner.
final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ingot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static func / (folder: Folder, name: String) -> String { folder.path + "/" + name }
}

/// Numbers that look random and are the same on every run.
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
