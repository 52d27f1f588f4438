import IngotCore

/// Reads the Unigram model of a tokenizer.json.
struct UnigramReader {
  private(set) var vocabulary: TokenTable
  let model: Unigram

  /// - Throws: `.tokenizer` for broken members.
  init(_ node: JSONNode) throws(IngotError) {
    let vocabularyNode = try node.required("vocab")
    guard let entries = vocabularyNode.value.array else {
      throw vocabularyNode.error("an array of tokens and scores should be here")
    }
    vocabulary = TokenTable(capacity: entries.count + 1024)
    var trie = ByteTrie(byteCapacity: entries.count * 4)
    var scores: [Double] = []
    scores.reserveCapacity(entries.count)
    for (id, entry) in entries.enumerated() {
      guard let pair = entry.array, pair.count == 2, let token = pair[0].string, let score = pair[1].double
      else { throw vocabularyNode.error("entry \(id) is not a token and its score") }
      try vocabulary.add(token, id: id, expected: entries.count)
      trie.insert(token.utf8, value: id, replaces: true)
      scores.append(score)
    }
    let unknown = try node.count("unk_id")
    if let unknown, unknown >= entries.count {
      throw node.error("unk_id \(unknown) is not in the vocabulary")
    }
    let hasFallback = try node.bool("byte_fallback", default: false)
    model = Unigram(
      trie: trie, scores: scores, unknown: unknown, byteTokens: hasFallback ? vocabulary.byteTokens() : nil)
  }
}
