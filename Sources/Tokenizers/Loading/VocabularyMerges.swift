import IngotCore

extension MergeTable {
  /// The merges that a vocabulary with ranks implies, as tiktoken and SentencePiece have it: two symbols
  /// merge when what they spell is a token, and that token's rank is the merge's.
  ///
  /// - Parameters:
  ///   - tokens: the tokens to merge to.
  ///   - rank: the rank of a token; nil keeps it from being merged to.
  ///   - symbol: the symbol of a part of a token; nil when the part is none.
  ///   - boundaries: whether a token may be divided before one of its bytes.
  static func implied(
    by tokens: TokenTable, rank: (Int) -> UInt32?, symbol: (ArraySlice<UInt8>) -> UInt32?,
    boundaries: (UInt8) -> Bool
  ) -> MergeTable {
    let table = MergeTable(capacity: tokens.idLimit * 3)
    for id in 0..<tokens.idLimit where tokens.contains(id: id) {
      guard let rank = rank(id) else { continue }
      let token = tokens[id]
      guard token.count > 1, tokens.id(of: token) == id else { continue }
      for middle in token.indices.dropFirst() where boundaries(token[middle]) {
        guard let left = symbol(token[..<middle]), let right = symbol(token[middle...]) else { continue }
        table.set(left, right, rank: rank, symbol: UInt32(id))
      }
    }
    return table
  }
}
