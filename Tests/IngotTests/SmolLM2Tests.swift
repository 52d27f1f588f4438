import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// A real model against llama.cpp, whose continuations `Scripts/make_llamacpp_fixtures.py` recorded. Runs where
/// `Scripts/fetch_smollm2.sh` has fetched the model, as CI does.
@Suite(.enabled(if: SmolLM2.isPresent, "run Scripts/fetch_smollm2.sh first"))
struct SmolLM2Tests {
  /// Every step of every continuation, given llama.cpp's tokens before it.
  ///
  /// Both round activations to 8 bits, each in its own order of sums, which leaves differences of some 0.2 (RMS)
  /// on logits: as much as llama.cpp differs from itself with and without flash attention. So where its two best
  /// logits are closer than that, either may win; where they are not, ours must agree.
  @Test func stepsEqualLlamaCppWhereItIsSure() throws {
    let cases = try SmolLM2.cases()
    let model = try SmolLM2.model(sequences: cases.count)
    var (equal, steps) = (0, 0)
    for item in cases {
      let sequence = try model.makeSequence(plannedLength: 256)
      try model.forward([ModelInput(sequence, item.ids.dropLast(), logits: .none)]) { _, _, _ in }
      let forced = [item.ids[item.ids.count - 1]] + item.continuation.dropLast()
      try model.forward([ModelInput(sequence, forced, logits: .all)]) { _, step, logits in
        let best = logits.indices.max { logits[$0] < logits[$1] } ?? 0
        steps += 1
        if best == item.continuation[step] { equal += 1 }
        #expect(best == item.continuation[step] || item.margins[step] < 0.75, "\(item.name), step \(step)")
      }
    }
    #expect(steps == 320)
    #expect(Double(equal) >= 0.92 * Double(steps), "\(equal) of \(steps)")
  }
}

enum SmolLM2 {
  struct Case {
    let name: String
    let ids: [Int]
    let continuation: [Int]
    let margins: [Double]
  }

  static let path = Fixture.repository.appendingPathComponent("Models/SmolLM2-135M-Instruct.Q4_1.gguf").path
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
