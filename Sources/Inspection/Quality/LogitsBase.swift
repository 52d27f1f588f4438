/// The file in which llama-perplexity keeps what a model thought of a text (`--kl-divergence-base`).
///
/// Little endian, without padding between its parts:
/// - 8 bytes `_logits_`;
/// - three 32-bit integers: tokens of a window, tokens of the vocabulary, windows;
/// - the tokens of all windows, 32 bits each, as the text has them (before BOS takes the first place);
/// - for each window, for each of its scored positions, a row: a 32-bit float, the step; a 32-bit float, the smallest
///   log-probability; then per token of the vocabulary a 16-bit integer q, and one more to fill up an odd number. The
///   log-probability is step · q + smallest. Tokens more than 16 nats below the likeliest share the smallest.
///
/// The scored positions are those of `EvaluationWindows`.
///
/// Source: `tools/perplexity/perplexity.cpp` of llama.cpp.
enum LogitsBase {
  static let magic = "_logits_"
  static let headerBytes = 8 + 3 * 4
  /// How far below the likeliest token others are told apart, in nats.
  static let range: Float = 16
  static let levels: Float = 65535

  /// Bytes of a row.
  static func rowBytes(_ vocabSize: Int) -> Int { 8 + 2 * ((vocabSize + 1) / 2 * 2) }
}
