/// How many tokens to draft next: more while guesses come true, fewer when they do not, and for a while none when
/// hardly any do, so that a text nobody can predict costs little.
///
/// Counts alone decide, never the clock: drafts are the same each time.
struct DraftPace {
  private let most: Int
  private let least: Int
  private var length: Int
  /// Recent tokens drafted and agreed; older ones count less and less.
  private var drafted = 0.0
  private var agreed = 0.0
  /// Tokens until the next draft.
  private var rest = 0
  private var pause = Self.shortestPause

  /// With a smaller share of its tokens a draft costs more than it saves: one more row makes a forward of few rows
  /// about this much longer.
  private static let leastRate = 0.3
  private static let memory = 0.85
  /// With fewer recent tokens the share says nothing.
  private static let enough = 3.0
  private static let shortestPause = 8
  private static let longestPause = 128

  init(_ options: DraftOptions) {
    (most, least) = (options.maxTokens, max(1, options.minTokens))
    length = max(least, most / 2)
  }

  /// Most tokens of the draft for the next forward; 0 while pausing.
  mutating func next() -> Int {
    if rest > 0 {
      rest -= 1
      return 0
    }
    return length
  }

  /// Learns what came of a draft.
  mutating func report(drafted count: Int, agreed right: Int) {
    guard count > 0 else { return }
    drafted = drafted * Self.memory + Double(count)
    agreed = agreed * Self.memory + Double(right)
    if right == count {
      length = min(most, max(length, 2 * count + 1))
    } else {
      // As far as it went and a little further.
      length = min(most, max(least, right + 1))
    }
    if agreed >= Self.leastRate * drafted {
      pause = Self.shortestPause
    } else if drafted >= Self.enough {
      rest = pause
      pause = min(2 * pause, Self.longestPause)
      // Then two single guesses decide.
      (drafted, agreed, length) = (Self.enough - 1, 0, least)
    }
  }
}
