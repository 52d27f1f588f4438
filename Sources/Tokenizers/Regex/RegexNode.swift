/// A regular expression as a tree.
indirect enum RegexNode: Sendable, Hashable {
  case empty
  /// One scalar of a set.
  case set(ScalarSet)
  case sequence([RegexNode])
  /// The first alternative that leads to a match wins.
  case alternation([RegexNode])
  case repetition(RegexNode, min: Int, max: Int?, Greed)
  /// A look-ahead.
  case ahead(RegexNode, negative: Bool)
  /// A look-behind over a fixed number of scalars.
  case behind(RegexNode, length: Int, negative: Bool)
  /// A group that is never re-entered.
  case atomic(RegexNode)
  case assertion(Assertion)

  enum Greed: Sendable, Hashable {
    case greedy, lazy, possessive
  }

  enum Assertion: Sendable, Hashable {
    case lineStart, lineEnd
    case textStart, textEnd, textEndOrFinalNewline
    case wordBoundary, notWordBoundary
  }

  /// Number of scalars that every match has, when it is the same for all.
  var fixedLength: Int? {
    switch self {
    case .empty, .ahead, .behind, .assertion: return 0
    case .set: return 1
    case .atomic(let node): return node.fixedLength
    case .sequence(let nodes):
      var total = 0
      for node in nodes {
        guard let length = node.fixedLength else { return nil }
        total += length
      }
      return total
    case .alternation(let nodes):
      guard let first = nodes.first?.fixedLength else { return nil }
      return nodes.allSatisfy { $0.fixedLength == first } ? first : nil
    case .repetition(let node, let min, let max, _):
      guard min == max, let length = node.fixedLength else { return nil }
      let (total, overflow) = length.multipliedReportingOverflow(by: min)
      return overflow ? nil : total
    }
  }
}
