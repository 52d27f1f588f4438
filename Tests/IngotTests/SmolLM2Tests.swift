import Foundation
import Ingot
import IngotCore
import Testing

/// A real model against llama.cpp, whose continuations `Scripts/make_llamacpp_fixtures.py` recorded. Runs where
/// `Scripts/fetch_smollm2.sh` has fetched the model, as CI does.
@Suite(.enabled(if: SmolLM2.isPresent, "run Scripts/fetch_smollm2.sh first"))
struct SmolLM2Tests {
  @Test func greedyContinuationsEqualLlamaCpp() throws {
    let cases = try SmolLM2.cases()
    let model = try SmolLM2.model(sequences: cases.count)
    let sequences = try cases.map { _ in try model.makeSequence(plannedLength: 256) }
    var next = [Int](repeating: 0, count: cases.count)
    var generated = [[Int]](repeating: [], count: cases.count)
    for step in 0..<32 {
      let inputs = cases.indices.map { ModelInput(sequences[$0], step == 0 ? cases[$0].ids : [next[$0]]) }
      try model.forward(inputs) { input, _, logits in
        next[input] = logits.indices.max { logits[$0] < logits[$1] } ?? 0
      }
      for index in cases.indices { generated[index].append(next[index]) }
    }
    let equal = cases.indices.filter { generated[$0] == cases[$0].continuation }
    #expect(equal.count >= 8, "equal: \(equal.map { cases[$0].name })")
    for index in cases.indices {
      let d = zip(generated[index], cases[index].continuation).prefix { $0 == $1 }.count
      print("XX", cases[index].name, d, d < 32 ? cases[index].margins[d] : 0)
    }
  }
}

enum SmolLM2 {
  struct Case {
    let name: String
    let ids: [Int]
    let continuation: [Int]
    let margins: [Double]
  }

  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let path = repository.appendingPathComponent("Models/SmolLM2-135M-Instruct.Q4_1.gguf").path
  static let isPresent = FileManager.default.fileExists(atPath: path)

  static func model(sequences: Int) throws -> CPUModel {
    var options = DecoderEngine.Options(contextLength: 512)
    options.sequences = sequences
    options.engine = EngineOptions(threads: 2)
    options.engine.spins = 0
    return try CPUModel(try openCheckpoint(path), options: options)
  }

  static func cases() throws -> [Case] {
    let json = try JSONParser.parse(path: ModelFixture.folder + "/llamacpp/smollm2-greedy.json")
    return (json["cases"]?.array ?? []).map { entry in
      Case(
        name: entry["name"]?.string ?? "", ids: entry["ids"]?.array?.compactMap(\.int) ?? [],
        continuation: entry["continuation"]?.array?.compactMap(\.int) ?? [],
        margins: entry["margins"]?.array?.compactMap(\.double) ?? [])
    }
  }
}
