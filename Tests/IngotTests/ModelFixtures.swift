import Foundation
import Ingot
import IngotCore
import Testing

/// Tiny checkpoints with the logits of Hugging Face transformers; made by `Scripts/make_model_fixtures.py` and
/// `Scripts/make_gguf_fixtures.py`, which name the versions.
struct ModelFixture: Sendable, CustomTestStringConvertible {
  let name: String
  let folder: String
  let checkpoint: String

  var testDescription: String { name }

  static let folder = Bundle.module.resourcePath! + "/Fixtures"

  static let safetensors = cases(in: "models") { $0 }
  static let gguf = cases(in: "gguf-models") { $0 + "/model.gguf" }

  private static func cases(in subfolder: String, checkpoint: (String) -> String) -> [ModelFixture] {
    let root = folder + "/" + subfolder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return names.sorted().filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/ids.json") }.map {
      ModelFixture(name: $0, folder: "\(root)/\($0)", checkpoint: checkpoint("\(root)/\($0)"))
    }
  }

  /// The prompt.
  func ids() throws -> [Int] {
    try JSONParser.parse(path: folder + "/ids.json").array!.map { $0.int! }
  }

  /// The reference: float32 [T, V], all positions, one prefill.
  func logits() throws -> [Float] { try NPY.read(path: folder + "/logits.npy").array(of: Float.self) }

  func model(threads: Int = 1, kvType: KVType = .f32, chunk: Int = 512, sequences: Int = 1) throws -> CPUModel
  {
    var options = DecoderEngine.Options(contextLength: try ids().count)
    options.engine = EngineOptions(threads: threads)
    options.engine.spins = 0
    options.kvType = kvType
    options.chunkTokens = chunk
    options.sequences = sequences
    return try CPUModel(try openCheckpoint(checkpoint), options: options)
  }
}

extension LanguageModel {
  /// Logits of all positions, fed in pieces.
  func allLogits(_ ids: [Int], chunk: Int) throws -> [Float] {
    let sequence = try makeSequence(plannedLength: ids.count)
    var rows: [Float] = []
    for start in stride(from: 0, to: ids.count, by: chunk) {
      let piece = Array(ids[start..<min(start + chunk, ids.count)])
      try forward([ModelInput(sequence, piece, logits: .all)]) { _, _, row in rows += row }
    }
    return rows
  }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
