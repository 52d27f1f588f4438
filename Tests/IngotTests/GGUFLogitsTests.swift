import Ingot
import Testing

@Suite struct GGUFLogitsTests {
  @Test(arguments: ModelFixture.gguf)
  func prefillEqualsTransformers(_ fixture: ModelFixture) throws {
    let ids = try fixture.ids()
    let logits = try fixture.model().allLogits(ids, chunk: ids.count)
    let ref = try fixture.logits()
    var num = 0.0, den = 0.0
    for (a, b) in zip(logits, ref) { num += Double((a-b)*(a-b)); den += Double(b*b) }
    print("XX", fixture.name, largestDifference(logits, ref), num/den)
  }
}
