import Artifact
import Ingot
import Testing

@Suite struct StageChoiceTests {
  @Test func theSmallestSetThatHoldsTheRequestServesIt() throws {
    let small = try StageSet(share: 10, unshare: 5, total: 20)
    let large = try StageSet(share: 10, unshare: 8, total: 40)
    let wide = try StageSet(share: 30, unshare: 2, total: 36)
    let sets = [large, wide, small]
    #expect(sets.choice(shared: 10, question: 5, answer: 5) == small)
    // The answer, the question and the text each call for another.
    #expect(sets.choice(shared: 10, question: 5, answer: 6) == large)
    #expect(sets.choice(shared: 10, question: 6, answer: 1) == large)
    #expect(sets.choice(shared: 11, question: 1, answer: 1) == wide)
    // Nothing holds it: the answer is cut where it fits longest, and the rest is refused with the largest lengths.
    #expect(sets.choice(shared: 10, question: 5, answer: .max) == large)
    #expect(sets.choice(shared: 10, question: 9, answer: 1) == large)
    #expect(sets.choice(shared: 31, question: 1, answer: 1) == wide)
    #expect([StageSet]().choice(shared: 1, question: 1, answer: 1) == nil)
  }
}
