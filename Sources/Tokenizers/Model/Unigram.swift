import IngotCore

/// The unigram model: of all ways to write a piece with tokens, the one of the highest score.
///
/// Viterbi over byte positions, linear in the piece for tokens of bounded length.
/// Source: Kudo, "Subword Regularization", 2018; details as Hugging Face tokenizers 0.23,
/// `models/unigram`.
struct Unigram: Sendable {
  /// How much worse an unknown scalar is than the worst token.
  static let unknownPenalty = 10.0

  let trie: ByteTrie
  let scores: [Double]
  let unknown: Int?
  let byteTokens: [UInt32?]?
  let fusesUnknown: Bool
  private let unknownScore: Double

  init(
    trie: ByteTrie, scores: [Double], unknown: Int?, byteTokens: [UInt32?]?, fusesUnknown: Bool = true
  ) {
    (self.trie, self.scores, self.unknown) = (trie, scores, unknown)
    (self.byteTokens, self.fusesUnknown) = (byteTokens, fusesUnknown)
    unknownScore = (scores.filter { $0.isFinite }.min() ?? 0) - Self.unknownPenalty
  }

  /// The best way to reach a position.
  private struct Node {
    var start: Int32 = -1
    /// -1 for an unknown scalar.
    var token: Int32 = -1
    var score = 0.0
  }

  /// Appends the tokens of a piece.
  func encode(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int], _ workspace: Workspace) {
    guard !piece.isEmpty else { return }
    if piece.count > WordCache.maximumBytes { return search(piece, into: &ids) }
    let key = WordCache.Key(piece)
    if workspace.cache.append(key, to: &ids) { return }
    let start = ids.count
    search(piece, into: &ids)
    workspace.cache.store(key, ids[start...])
  }

  private func search(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
    let text = ScalarText(piece)
    var nodes = [Node](repeating: Node(), count: piece.count + 1)
    nodes.withUnsafeMutableBufferPointer { nodes in
      func reach(_ end: Int, from start: Int, _ token: Int32, _ score: Double) {
        if nodes[end].start < 0 || score > nodes[end].score {
          nodes[end] = Node(start: Int32(truncatingIfNeeded: start), token: token, score: score)
        }
      }
      var position = 0
      while position < piece.count {
        let next = text.scalar(at: position).next
        let score = nodes[position].score
        var hasSingle = false
        trie.forEachPrefix(piece, at: position) { token, end in
          reach(end, from: position, Int32(truncatingIfNeeded: token), scores[token] + score)
          if end == next { hasSingle = true }
        }
        if !hasSingle { reach(next, from: position, Int32(unknown ?? -1), unknownScore + score) }
        position = next
      }
    }
    appendPath(piece, nodes, to: &ids)
  }

  private func appendPath(_ piece: UnsafeBufferPointer<UInt8>, _ nodes: [Node], to ids: inout [Int]) {
    var path: [(range: Range<Int>, token: Int)] = []
    var end = piece.count
    while end > 0 {
      let node = nodes[end]
      let isUnknown = unknown != nil && Int(node.token) == unknown
      if isUnknown, fusesUnknown, let last = path.last, last.token == unknown {
        path[path.count - 1].range = Int(node.start)..<last.range.upperBound
      } else {
        path.append((Int(node.start)..<end, Int(node.token)))
      }
      end = Int(node.start)
    }
    for step in path.reversed() {
      guard step.token < 0 || step.token == unknown else {
        ids.append(step.token)
        continue
      }
      let bytes = piece[step.range]
      if let byteTokens, bytes.allSatisfy({ byteTokens[Int($0)] != nil }) {
        for byte in bytes { ids.append(Int(byteTokens[Int(byte)] ?? 0)) }
      } else if let unknown {
        ids.append(unknown)
      }
    }
  }
}
