/// Cuts the work of a `forward` into pieces that fit the plan.
struct ForwardQueue {
  /// A run of an item's tokens.
  struct Piece {
    let item: Int
    /// Positions within the item's tokens.
    let range: Range<Int>
    /// Those of them whose logits are wanted.
    let logitPositions: Range<Int>
  }

  private let lengths: [Int]
  private let wanted: [Range<Int>]
  private var item = 0
  private var position = 0

  init(_ items: [ForwardItem]) { self.init(items.map { ($0.tokens.count, $0.logits) }) }

  /// Takes lengths, and whose logits are wanted.
  init(_ items: [(count: Int, logits: ForwardItem.LogitRows)]) {
    lengths = items.map(\.count)
    wanted = items.map { count, logits in
      switch logits {
      case .none: count..<count
      case .last: max(0, count - 1)..<count
      case .all: 0..<count
      }
    }
  }

  /// The pieces of the next forward, or nil when all is done.
  mutating func next(tokens: Int, rows: Int, sequences: Int) -> [Piece]? {
    var pieces: [Piece] = []
    var (freeTokens, freeRows) = (tokens, rows)
    while item < lengths.count, pieces.count < sequences, freeTokens > 0 {
      // Up to the first wanted row that has no place left.
      let limit = freeRows == 0 ? wanted[item].lowerBound : max(position, wanted[item].lowerBound) + freeRows
      let end = min(lengths[item], position + freeTokens, max(limit, position))
      if end > position {
        let rows = max(position, wanted[item].lowerBound)..<max(end, position, wanted[item].lowerBound)
        pieces.append(Piece(item: item, range: position..<end, logitPositions: rows))
        freeTokens -= end - position
        freeRows -= rows.count
        position = end
      }
      guard position == lengths[item] else { break }
      item += 1
      position = 0
    }
    return pieces.isEmpty ? nil : pieces
  }
}
