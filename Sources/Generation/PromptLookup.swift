public import IngotCore

/// Drafts by looking up how the text went on when its last tokens occurred before, in the prompt or the reply.
///
/// Costs next to nothing, and guesses well where a reply repeats its prompt: summaries, corrections, code.
/// Source: prompt lookup decoding, A. Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding; here the longest
/// n-gram that is found decides, of its occurrences the newest.
public final class PromptLookup: Drafter, @unchecked Sendable {
  /// What is looked up.
  public struct Options: Sendable, Hashable {
    /// Most tokens that are looked up.
    public var maxNGram: Int
    /// Fewest tokens that are looked up; with fewer, more is found and less of it is right.
    public var minNGram: Int

    /// The longest n-gram that can be asked for.
    public static let longest = 16

    /// Takes both.
    public init(maxNGram: Int = 4, minNGram: Int = 2) {
      (self.maxNGram, self.minNGram) = (maxNGram, minNGram)
    }

    /// Checks that both are in range.
    /// - Throws: `.argument` naming the option, its value and its range.
    public func validate() throws(IngotError) {
      guard (1...Self.longest).contains(maxNGram) else {
        throw IngotError(.argument, "lookup-ngram-max is \(maxNGram); it must be from 1 to \(Self.longest)")
      }
      guard (1...maxNGram).contains(minNGram) else {
        throw IngotError(
          .argument,
          "lookup-ngram-min is \(minNGram); it must be from 1 to lookup-ngram-max, which is \(maxNGram)")
      }
    }
  }

  private var index: NGramIndex

  /// A drafter that knows no text yet.
  /// - Throws: `.argument` for options out of range.
  public init(_ options: Options = Options()) throws(IngotError) {
    try options.validate()
    index = NGramIndex(lengths: options.minNGram...options.maxNGram)
  }

  /// Begins a reply; see `Drafter`. What follows the text so far is added to the index, another text replaces it.
  public func begin(_ prompt: [Int], cancellation: Cancellation) {
    if !prompt.starts(with: index.text) { index.removeAll() }
    for id in prompt[index.text.count...] { index.append(id) }
  }

  /// Takes a token; see `Drafter`.
  public func append(_ id: Int) { index.append(id) }

  /// What followed the last time; see `Drafter`. A text that repeats itself is drafted on beyond its end.
  public func draft(atMost count: Int) -> [Int] {
    guard count > 0, let place = index.continuation() else { return [] }
    var draft: [Int] = []
    for offset in place..<place + count {
      draft.append(offset < index.text.count ? index.text[offset] : draft[offset - index.text.count])
    }
    return draft
  }
}
