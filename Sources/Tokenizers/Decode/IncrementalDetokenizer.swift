public import IngotCore

/// Decodes ids one at a time, as a model produces them.
///
/// What `append` returns is final and whole UTF-8; joined, with `finish`, it is exactly what
/// `Tokenizer.decode` makes of all the ids. Work per token does not grow with the text, save for
/// decoders that rewrite the joined text by a pattern, which wait for its end.
public struct IncrementalDetokenizer: Sendable {
  private let tokenizer: Tokenizer
  private let skipSpecial: Bool
  private var chain: DecoderChain

  /// Begins a text.
  /// - Parameter skipSpecial: whether special tokens are left out.
  public init(_ tokenizer: Tokenizer, skipSpecial: Bool = true) {
    (self.tokenizer, self.skipSpecial) = (tokenizer, skipSpecial)
    chain = DecoderChain(tokenizer.parts.decoder)
  }

  /// Takes the next id.
  /// - Returns: the text that is now certain; often the token's, sometimes none.
  /// - Throws: `.tokenizer` for an id that no token has.
  public mutating func append(_ id: Int) throws(IngotError) -> String {
    String(decoding: try pushBytes(id), as: UTF8.self)
  }

  /// Ends the text; the detokenizer is then as new.
  /// - Returns: what was held back, incomplete UTF-8 as U+FFFD.
  /// - Throws: `.limit` when a pattern of the decoder backtracks without end.
  public mutating func finish() throws(IngotError) -> String {
    String(decoding: try finishBytes(), as: UTF8.self)
  }

  mutating func pushBytes(_ id: Int) throws(IngotError) -> [UInt8] {
    // Not through a local: copying the parts counts dozens of references.
    guard tokenizer.parts.vocabulary.contains(id: id) else {
      throw IngotError(
        .tokenizer, "no token has the id \(id); ids are below \(tokenizer.vocabularySize)")
    }
    if skipSpecial, tokenizer.parts.specialIDs.contains(id) { return [] }
    return try chain.push(tokenizer.parts.decoderInput(id))
  }

  mutating func finishBytes() throws(IngotError) -> [UInt8] {
    let rest = try chain.finish()
    chain = DecoderChain(tokenizer.parts.decoder)
    return rest
  }
}
