public import Checkpoints
public import IngotCore

/// Something that turns tokens into logits: the one protocol that samplers, sessions, servers and comparisons
/// see. The CPU engine is one back end; others behave alike, so that any two can be compared.
public protocol LanguageModel: AnyObject, Sendable {
  /// The model's configuration.
  var config: DecoderConfig { get }
  /// Most tokens of one sequence.
  var contextLength: Int { get }

  /// Begins an empty sequence.
  /// - Parameter plannedLength: the most tokens it is meant to have; rotary tables that depend on the length
  ///   are chosen by it, once.
  /// - Throws: `.limit`, `.memory`.
  func makeSequence(plannedLength: Int) throws(IngotError) -> any ModelSequence

  /// Appends tokens to sequences and computes the logits asked for.
  /// - Parameter onLogits: called in order with the index of the input, the position within its tokens and a
  ///   row `[vocab]` of logits, valid during the call.
  /// - Throws: `.argument` for ids outside the vocabulary, `.limit` beyond the context; then no sequence has
  ///   changed.
  func forward(
    _ inputs: [ModelInput],
    onLogits: (_ input: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError)
}

/// A sequence in a model's cache. Not to be used from two threads at once.
public protocol ModelSequence: AnyObject, Sendable {
  /// Tokens in the cache.
  var count: Int { get }
  /// Forgets all tokens from position `count` on.
  func truncate(to count: Int)
  /// Another sequence with the same tokens.
  func fork() -> any ModelSequence
}

/// New tokens of one sequence.
public struct ModelInput: Sendable {
  /// Which of the tokens' logits are wanted.
  public enum LogitRows: Sendable {
    case none, last, all
  }
  /// The sequence they are appended to; it occurs once in a forward.
  public var sequence: any ModelSequence
  /// Their ids.
  public var tokens: [Int]
  /// Which logits are wanted.
  public var logits: LogitRows

  /// Pairs tokens with their sequence.
  public init(_ sequence: any ModelSequence, _ tokens: [Int], logits: LogitRows = .last) {
    (self.sequence, self.tokens, self.logits) = (sequence, tokens, logits)
  }
}
