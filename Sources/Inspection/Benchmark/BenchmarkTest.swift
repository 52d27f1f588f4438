/// What is timed: tokens fed at once, tokens fed one by one, or both, after a number that are in the cache already.
public struct BenchmarkTest: Sendable, Hashable {
  /// Tokens of the prompt, fed at once; logits of the last are computed.
  public var prompt: Int
  /// Tokens fed one after another, with the logits of each.
  public var generate: Int
  /// Tokens in the cache before that.
  public var depth: Int
  /// Sequences that do so together.
  public var batch: Int

  /// Describes a test.
  public init(prompt: Int = 0, generate: Int = 0, depth: Int = 0, batch: Int = 1) {
    (self.prompt, self.generate, self.depth, self.batch) = (prompt, generate, depth, batch)
  }

  /// As llama-bench names it: `pp512`, `tg128 @ d4096`; and `tg128 b8` for 8 sequences.
  public var name: String {
    let parts = (prompt > 0 ? ["pp\(prompt)"] : []) + (generate > 0 ? ["tg\(generate)"] : [])
    return parts.joined(separator: "+") + (batch > 1 ? " b\(batch)" : "") + (depth > 0 ? " @ d\(depth)" : "")
  }

  /// Tokens that count, of all sequences.
  public var tokens: Int { (prompt + generate) * batch }
  /// Tokens of a sequence in the end.
  public var length: Int { depth + prompt + generate }

  /// All tests of some lists, in llama-bench's order: depths, in them batches, in them prompts, then decoding, then
  /// both in one. A zero among prompts or generated tokens stands for no test.
  public static func all(
    prompts: [Int], generates: [Int], pairs: [(prompt: Int, generate: Int)] = [], depths: [Int] = [0],
    batches: [Int] = [1]
  ) -> [BenchmarkTest] {
    var tests: [BenchmarkTest] = []
    for depth in depths {
      for batch in batches {
        let alone =
          prompts.map { BenchmarkTest(prompt: $0, depth: depth, batch: batch) }
          + generates.map { BenchmarkTest(generate: $0, depth: depth, batch: batch) }
        let together = pairs.map {
          BenchmarkTest(prompt: $0.prompt, generate: $0.generate, depth: depth, batch: batch)
        }
        for test in alone + together where test.tokens > 0 && !tests.contains(test) { tests.append(test) }
      }
    }
    return tests
  }
}
