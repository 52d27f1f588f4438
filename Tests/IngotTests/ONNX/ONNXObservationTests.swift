import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

@Suite(.enabled(if: onnxRuntime != nil, "ONNX Runtime is not installed")) struct ONNXObservationTests {
  /// The values between layers by name, all tokens end to end.
  private func observe(_ model: any ObservableModel, _ ids: [Int], _ chunk: Int) throws -> [String: [Float]] {
    let sequence = try model.makeSequence(plannedLength: ids.count)
    var values: [String: [Float]] = [:]
    for start in stride(from: 0, to: ids.count, by: chunk) {
      let piece = Array(ids[start..<min(start + chunk, ids.count)])
      var expected = 0
      try model.forward(
        [ModelInput(sequence, piece, logits: .none)], observing: Set(model.observations),
        onTensor: { _, position, name, tensor in
          if name == model.observations.first {
            #expect(position == expected)
            expected += tensor.shape[0]
          }
          values[name, default: []] += tensor.array(of: Float.self)
        }, onLogits: { _, _, _ in })
      #expect(expected == (model.observations.isEmpty ? 0 : piece.count))
    }
    return values
  }

  @Test(arguments: [ExportCase.staged, .stagedBSHD, .packed, .packedBSHD, .device, .deviceBHSD])
  func valuesBetweenPartsAreThoseOfOurEngine(form: ExportCase) throws {
    let fixture = ModelFixture.qwen3
    let ids = try fixture.ids()
    let model = try ExportFolder(fixture, form.options).open()
    var options = DecoderEngine.Options(contextLength: ids.count)
    (options.observesLayers, options.kvType) = (true, .f32)
    options.engine = EngineOptions(threads: 1)
    let engine = try CPUModel(try openCheckpoint(fixture.checkpoint), options: options)
    let expected = try observe(engine, ids, ids.count)
    for chunk in [ids.count, 4] {
      let values = try observe(model, ids, chunk)
      #expect(values.keys.sorted() == model.observations.sorted())
      #expect(values.count >= 2)
      for (name, rows) in values {
        #expect(largestDifference(rows, try #require(expected[name])) < 1e-4, "\(name)")
      }
    }
  }

  @Test(arguments: ExportCase.allCases) func cachesAreThoseOfOurEngine(form: ExportCase) throws {
    let fixture = ModelFixture.qwen3
    let ids = Array(try fixture.ids()[..<17])
    let model = try ExportFolder(fixture, form.options).open()
    let engine = try fixture.model()
    func caches(_ model: any ObservableModel) throws -> [[Float]] {
      let sequence = try model.makeSequence(plannedLength: ids.count)
      try model.forward([ModelInput(sequence, ids, logits: .none)]) { _, _, _ in }
      sequence.truncate(to: 15)
      return try (0..<2).flatMap { layer in
        let (key, value) = try model.cache(of: sequence, layer: layer)
        #expect(key.shape == [2, 15, 24] && value.shape == [2, 15, 24])
        return [key.array(of: Float.self), value.array(of: Float.self)]
      }
    }
    for (found, expected) in zip(try caches(model), try caches(engine)) {
      // Keys and values of halves keep 11 bits of numbers up to 8.
      #expect(largestDifference(found, expected) < (form.tolerance > 1e-3 ? 2e-2 : 1e-4))
    }
    let sequence = try model.makeSequence(plannedLength: 1)
    #expect(failure { _ = try model.cache(of: sequence, layer: 2) }?.kind == .argument)
    let unknown = failure {
      try model.forward(
        [ModelInput(sequence, [1])], observing: ["hidden_states.9"], onTensor: { _, _, _, _ in },
        onLogits: { _, _, _ in })
    }
    #expect(unknown?.kind == .argument)
  }
}
