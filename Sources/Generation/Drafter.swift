public import IngotCore

/// Guesses how a text goes on, so that the model can check several tokens in one forward.
///
/// A guess costs time when it is wrong and changes nothing else: what is said is what the model itself draws. So a
/// drafter may be as simple as it likes. It is told the text and is not to be used from two threads at once.
public protocol Drafter: AnyObject, Sendable {
  /// Begins a reply to a prompt, which may begin like the text before.
  /// - Parameter cancellation: ends long work early.
  /// - Throws: what keeps a draft model from running.
  func begin(_ prompt: [Int], cancellation: Cancellation) throws(IngotError)

  /// Takes a token that the text goes on with.
  func append(_ id: Int)

  /// The tokens that may come next, at most `count`, and none where it has no idea.
  /// - Throws: as `begin`.
  func draft(atMost count: Int) throws(IngotError) -> [Int]
}

/// How many tokens are drafted.
public struct DraftOptions: Sendable, Hashable {
  /// Most tokens drafted at once. By default a forward has at most 8 rows: matrix products take rows by fours.
  public var maxTokens = 7
  /// Drafts of fewer tokens are not tried.
  public var minTokens = 0

  /// The longest draft that can be asked for.
  public static let longest = 64

  /// The defaults.
  public init() {}

  /// Checks that both are in range.
  /// - Throws: `.argument` naming the option, its value and its range.
  public func validate() throws(IngotError) {
    guard (1...Self.longest).contains(maxTokens) else {
      throw IngotError(.argument, "draft-max is \(maxTokens); it must be from 1 to \(Self.longest)")
    }
    guard (0...maxTokens).contains(minTokens) else {
      throw IngotError(
        .argument, "draft-min is \(minTokens); it must be from 0 to draft-max, which is \(maxTokens)")
    }
  }
}

/// What came of the drafts of a reply.
public struct DraftCounts: Sendable, Hashable {
  /// Tokens guessed and checked.
  public var drafted = 0
  /// Those of them that became part of the reply.
  public var accepted = 0

  /// None yet.
  public init() {}

  /// Accepted tokens by drafted ones; 0 when there were none.
  public var rate: Double { drafted > 0 ? Double(accepted) / Double(drafted) : 0 }
}
