package import IngotCore
package import Tokenizers

/// A text's tokens in windows of one length that follow one another; a rest that fills none is left out.
///
/// A model sees each window alone, and is asked about its second half only, where it has some context: the logits at
/// positions length/2 up to the last but one are scored by the token after them. Where the tokenizer begins texts with a
/// BOS token, the first token of each window gives way to it.
///
/// Source: `tools/perplexity/perplexity.cpp` of llama.cpp, whose numbers are meant to be comparable.
package struct EvaluationWindows: Sendable, Equatable {
  /// The length of llama-perplexity.
  package static let defaultLength = 512
  /// Shorter windows have nothing to score.
  package static let lengths = 4...(1 << 20)

  /// Tokens of a window.
  package let length: Int
  /// The tokens of all windows as the text has them, end to end.
  package let tokens: [Int]
  /// What windows begin with instead of their first token.
  package let bosID: Int?

  /// Cuts tokens into windows.
  /// - Parameter limit: most windows; nil for all.
  /// - Throws: `.argument` for a length out of range, a limit below 1, or fewer tokens than a window has.
  package init(
    _ ids: [Int], length: Int = defaultLength, limit: Int? = nil, bosID: Int? = nil
  ) throws(IngotError) {
    guard Self.lengths.contains(length) else {
      throw IngotError(
        .argument,
        "the window is \(length) tokens; it must be from \(Self.lengths.lowerBound) to \(Self.lengths.upperBound)"
      )
    }
    if let limit, limit < 1 {
      throw IngotError(.argument, "the number of windows is \(limit); it must be at least 1")
    }
    guard ids.count >= length else {
      throw IngotError(
        .argument, "the text has \(ids.count) tokens, fewer than one window of \(length)",
        hint: "use a longer text or a shorter window (-c)")
    }
    let count = min(ids.count / length, limit ?? .max)
    (self.length, self.bosID) = (length, bosID)
    tokens = Array(ids[..<(count * length)])
  }

  /// Cuts a text into windows; special tokens written in it stay text.
  /// - Throws: as above; errors of the tokenizer.
  package init(
    text: String, _ tokenizer: Tokenizer, length: Int = defaultLength, limit: Int? = nil
  ) throws(IngotError) {
    let bosID = try Self.beginning(tokenizer)
    let ids = try tokenizer.encode(text, parseSpecial: false)
    try self.init((bosID.map { [$0] } ?? []) + ids, length: length, limit: limit, bosID: bosID)
  }

  /// The BOS token, where the tokenizer puts it before texts.
  package static func beginning(_ tokenizer: Tokenizer) throws(IngotError) -> Int? {
    guard let bosID = tokenizer.bosID, try tokenizer.encode("", addSpecial: true).first == bosID else {
      return nil
    }
    return bosID
  }

  /// - Throws: `.argument` for tokens that a model does not have.
  package func check(vocabSize: Int) throws(IngotError) {
    if let id = (tokens + [bosID].compactMap(\.self)).first(where: { $0 < 0 || $0 >= vocabSize }) {
      throw IngotError(
        .argument, "token id \(id) is outside the vocabulary of \(vocabSize)",
        hint: "the text must be encoded with the model's own tokenizer")
    }
  }

  /// Windows.
  package var count: Int { tokens.count / length }
  /// The first position whose logits are scored.
  package var firstScored: Int { length / 2 }
  /// Positions of a window that are scored.
  package var scoredCount: Int { length - 1 - length / 2 }

  /// What a model reads of a window; the last token is only predicted.
  package func inputs(_ window: Int) -> [Int] {
    var ids = Array(tokens[(window * length)..<(window * length + length - 1)])
    if let bosID { ids[0] = bosID }
    return ids
  }

  /// The token that the logits of a scored position should have foreseen.
  func target(_ window: Int, _ scored: Int) -> Int { tokens[window * length + firstScored + scored + 1] }
}
