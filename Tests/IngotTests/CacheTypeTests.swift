import Ingot
import Testing

/// What a cache of fewer bits costs.
@Suite struct CacheTypeTests {
  /// A rounding to 8 bits moves a value by at most 1/254 of the largest of 32: about 1e-5 of their energy in keys and
  /// values, of each of several layers; 1.8e-4 to 2.3e-4 of the logits' was measured. With integer weights
  /// activations are rounded too, which that difference moves across a border now and then: f32 weights only.
  @Test(
    arguments: ModelFixture.safetensors.filter {
      ["llama-gqa", "llama-head-dim", "mistral-sliding", "qwen2-full", "qwen3-tied", "llama-mha-odd"]
        .contains($0.name)
    })
  func bytesStayNearFloats(_ fixture: ModelFixture) throws {
    let ids = try fixture.ids()
    let exact = try fixture.model(kvType: .f32).allLogits(ids, chunk: ids.count)
    let logits = try fixture.model(kvType: .i8).allLogits(ids, chunk: 5)
    let error = zip(logits, exact).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    let energy = exact.reduce(0.0) { $0 + Double($1 * $1) }
    #expect(logits.count == exact.count && error > 0)
    #expect(error / energy < 5e-4, "NMSE \(error / energy)")
  }
}
