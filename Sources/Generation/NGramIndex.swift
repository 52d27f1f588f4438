/// Where each n-gram of a growing text occurred last; constant work per token.
struct NGramIndex: Sendable {
  /// How many tokens an n-gram has.
  let lengths: ClosedRange<Int>
  /// The text.
  private(set) var text: [Int] = []
  /// By the hash of an n-gram that something follows: where that stands, the last time.
  private var places: [UInt64: Int] = [:]
  /// Hashes of the n-grams that end the text, the shortest first.
  private var tails: [UInt64] = []

  init(lengths: ClosedRange<Int>) { self.lengths = lengths }

  /// Forgets the text.
  mutating func removeAll() {
    text.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    tails.removeAll(keepingCapacity: true)
  }

  mutating func append(_ id: Int) {
    // Not before now is there something behind them.
    for tail in tails { places[tail] = text.count }
    text.append(id)
    tails.removeAll(keepingCapacity: true)
    var hash: UInt64 = 0
    for length in 1...lengths.upperBound {
      guard length <= text.count else { break }
      hash = Self.mix(hash &+ UInt64(truncatingIfNeeded: text[text.count - length]) &+ 0x9E37_79B9_7F4A_7C15)
      if length >= lengths.lowerBound { tails.append(hash) }
    }
  }

  /// What followed the longest n-gram that ends the text and occurred before, the newest time: its place in the
  /// text.
  func continuation() -> Int? {
    for (index, tail) in tails.enumerated().reversed() {
      if let place = places[tail], ends(at: place, likeTextBy: lengths.lowerBound + index) { return place }
    }
    return nil
  }

  /// Whether the tokens before a place are the last of the text: hashes may collide.
  private func ends(at place: Int, likeTextBy length: Int) -> Bool {
    place >= length && text[place - length..<place].elementsEqual(text.suffix(length))
  }

  /// The finaliser of SplitMix64.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
