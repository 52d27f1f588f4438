import Ingot
import Testing

/// The engine against Hugging Face transformers. Tolerance: 1e-4 on logits of standard deviation 2, some ten times
/// what float32 itself leaves open (the manifest's `float64_max_abs_diff`).
@Suite struct TransformersLogitsTests {
  @Test(arguments: ModelFixture.safetensors)
  func prefillEqualsTransformers(_ fixture: ModelFixture) throws {
    let ids = try fixture.ids()
    let logits = try fixture.model().allLogits(ids, chunk: ids.count)
    #expect(largestDifference(logits, try fixture.logits()) <= 1e-4)
  }

  @Test(arguments: ModelFixture.safetensors)
  func chunksAndSingleTokensEqualOnePrefill(_ fixture: ModelFixture) throws {
    let ids = try fixture.ids()
    let whole = try fixture.model().allLogits(ids, chunk: ids.count)
    #expect(try fixture.model(chunk: 7).allLogits(ids, chunk: ids.count) == whole)
    #expect(try fixture.model().allLogits(ids, chunk: 5) == whole)
    #expect(try fixture.model(threads: 3).allLogits(ids, chunk: 1) == whole)
  }
}
