import Ingot
import IngotCore
import Testing

/// GGUF files as llama.cpp's converter writes them, against transformers on the dequantised weights.
@Suite struct GGUFLogitsTests {
  @Test(arguments: ModelFixture.gguf.filter { !$0.isQuantised })
  func floatWeightsEqualTransformers(_ fixture: ModelFixture) throws {
    let ids = try fixture.ids()
    let logits = try fixture.model().allLogits(ids, chunk: ids.count)
    #expect(largestDifference(logits, try fixture.logits()) <= 1e-4)
  }

  /// With quantised weights activations are rounded to 8 bits per 32. A relative error of about 1/254 of the
  /// largest of 32 per product leaves an NMSE of some 1e-3 on these two-layer models of random weights; llama.cpp,
  /// which rounds alike, is as far from the same references (differences of 0.24 to 0.8).
  @Test(arguments: ModelFixture.gguf.filter(\.isQuantised))
  func quantisedWeightsAreCloseToTransformers(_ fixture: ModelFixture) throws {
    let ids = try fixture.ids()
    let logits = try fixture.model().allLogits(ids, chunk: ids.count)
    let reference = try fixture.logits()
    var (difference, size) = (0.0, 0.0)
    for (a, b) in zip(logits, reference) {
      difference += Double((a - b) * (a - b))
      size += Double(b * b)
    }
    #expect(logits.count == reference.count)
    #expect(difference / size < 2.5e-3)
  }
}

extension ModelFixture {
  fileprivate var isQuantised: Bool { name.contains("q") && !name.hasPrefix("qwen") || name.contains("_k_m") }
}
