public import IngotCore

/// The lengths that one set of stages is compiled for, as tokens of one sequence's key/value buffer:
///
///     | share: S | unshare: U | decode: N − S − U |
///
/// A prefix of at most S tokens is computed once; questions of at most U tokens each are computed after it; replies
/// fill the rest. Room that share and unshare leave unused is room for the reply.
public struct StageSet: Sendable, Hashable {
  /// Most tokens of the shared prefix; 0 for a set without sharing.
  public let share: Int
  /// Most tokens of a question: the prompt, where nothing is shared.
  public let unshare: Int
  /// Slots of the buffer: N.
  public let total: Int

  /// The longest buffer that can be asked for.
  public static let longest = 1 << 22

  /// Checks and takes the lengths.
  /// - Throws: `.argument` unless 0 ≤ S, 1 ≤ U and S + U < N ≤ `longest`.
  public init(share: Int, unshare: Int, total: Int) throws(IngotError) {
    guard share >= 0, unshare >= 1, total >= 1, share <= Self.longest, unshare <= Self.longest,
      total <= Self.longest, share + unshare < total
    else {
      throw IngotError(
        .argument,
        "share \(share), unshare \(unshare) and \(total) in all do not go together",
        hint: "share + unshare must leave room to decode, and \(Self.longest) is the most")
    }
    (self.share, self.unshare, self.total) = (share, unshare, total)
  }

  /// Tokens left for the reply when share and unshare are full.
  public var decode: Int { total - share - unshare }

  /// The smallest of the sets that hold a prefix and a total length; nil when none does.
  public static func smallest(of sets: [StageSet], share: Int, total: Int) -> StageSet? {
    sets.filter { $0.share >= share && $0.total >= total }
      .min { ($0.total, $0.share, $0.unshare) < ($1.total, $1.share, $1.unshare) }
  }
}

extension StageSet: CustomStringConvertible {
  /// As in a compiled file's name: `share5888_unshare1536_seq8704`, or `seq4096` where nothing is shared.
  public var description: String {
    share == 0 ? "seq\(total)" : "share\(share)_unshare\(unshare)_seq\(total)"
  }
}
