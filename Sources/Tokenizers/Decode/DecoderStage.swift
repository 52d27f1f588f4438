/// A step from tokens back to text.
/// Source: Hugging Face tokenizers 0.23, `decoders`.
enum DecoderStage: Sendable {
  /// What becomes of a run of byte tokens that is not valid UTF-8.
  enum ByteRepair: Sendable {
    /// Every byte of the run becomes U+FFFD: Hugging Face.
    case wholeRun
    /// Every byte that is not part of a valid sequence becomes U+FFFD: SentencePiece.
    case eachByte
    /// The bytes join those of the tokens around them; maximal ill-formed parts become U+FFFD: llama.cpp.
    case maximalParts
  }

  /// GPT-2's alphabet back to bytes, joined.
  case byteLevel
  /// Tokens that are bytes, joined.
  case bytes
  /// Tokens like `<0x0A>` to bytes.
  case byteFallback(ByteRepair)
  /// Joins all tokens into one.
  case fuse
  /// Takes up to `start` scalars off the front of each token and `stop` off its end.
  case strip(content: [UInt8], start: Int, stop: Int)
  case replace(SplitPattern, with: [UInt8])
  /// The mark for spaces back to spaces; in the first token it goes, unless `keepsFirst`.
  case metaspace(replacement: [UInt8], keepsFirst: Bool)
  /// The mark for the end of a word to a space; nothing at the end of the text.
  case wordSuffix([UInt8])
  /// A space between tokens: without a decoder.
  case spaced
}
