public import IngotCore

/// A sequence that remembers its tokens, so that a prompt that begins like the last one is computed only from
/// where they differ. Not to be used from two threads at once.
public final class CachedSequence: @unchecked Sendable {
  /// The sequence.
  public let sequence: any ModelSequence
  /// Its tokens.
  public private(set) var ids: [Int] = []

  /// Most tokens it may have, where that is fewer than the model's context; nil for all of that.
  public let capacity: Int?

  /// Begins an empty sequence.
  /// - Parameters:
  ///   - plannedLength: as `LanguageModel.makeSequence`.
  ///   - capacity: most tokens it may have; nil for what the context holds.
  /// - Throws: `.limit`, `.memory`.
  public init(_ model: any LanguageModel, plannedLength: Int, capacity: Int? = nil) throws(IngotError) {
    sequence = try model.makeSequence(plannedLength: plannedLength)
    self.capacity = capacity
  }

  /// Takes a sequence whose tokens are known.
  init(_ sequence: any ModelSequence, ids: [Int], capacity: Int?) {
    precondition(ids.count == sequence.count)
    (self.sequence, self.ids, self.capacity) = (sequence, ids, capacity)
  }

  /// Another sequence with the first `count` tokens, all of which this one has.
  package func fork(prefix count: Int, capacity: Int?) -> CachedSequence {
    let fork = sequence.fork()
    fork.truncate(to: count)
    return CachedSequence(fork, ids: Array(ids.prefix(count)), capacity: capacity)
  }

  /// Most tokens it may have in a model.
  func room(in model: any LanguageModel) -> Int { min(model.contextLength, capacity ?? .max) }

  /// Forgets what does not begin `prompt`, and its last token, whose logits are needed.
  /// - Returns: how many tokens of the prompt need not be computed.
  func reuse(for prompt: [Int]) -> Int {
    let known = min(ids.count, sequence.count)
    var common = 0
    while common < min(known, prompt.count - 1), ids[common] == prompt[common] { common += 1 }
    ids.removeLast(ids.count - common)
    sequence.truncate(to: common)
    return common
  }

  /// Forgets all tokens from position `count` on, if there are any.
  func truncate(to count: Int) {
    let count = max(0, count)
    if count < ids.count { ids.removeLast(ids.count - count) }
    if count < sequence.count { sequence.truncate(to: count) }
  }

  /// Appends tokens.
  /// - Parameters:
  ///   - rows: whose logits are wanted.
  ///   - onLogits: called with the position within the tokens and the logits `[vocab]`.
  func append(
    _ tokens: [Int], to model: any LanguageModel, logits rows: ModelInput.LogitRows,
    onLogits: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    try model.forward([ModelInput(sequence, tokens, logits: rows)]) { _, position, logits in
      onLogits(position, logits)
    }
    ids += tokens
  }
}
