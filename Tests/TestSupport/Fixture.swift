package import Foundation

/// Files that several test targets read.
package enum Fixture {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The root of the repository.
  package static let repository = tests.deletingLastPathComponent()

  /// Where tiny checkpoints lie, made by `Scripts/make_model_fixtures.py` and `make_gguf_fixtures.py`.
  package static let folder = tests.appendingPathComponent("IngotTests/Fixtures").path

  /// A folder of safetensors.
  package static func model(_ name: String) -> String { "\(folder)/models/\(name)" }
  package static func gguf(_ name: String) -> String { "\(folder)/gguf-models/\(name)/model.gguf" }
}
