extension Verification {
  /// What is run.
  public struct Options: Sendable {
    /// Token sequences; none for one of pseudo-random tokens.
    public var prompts: [[Int]] = []
    /// Lengths of the prefills, each a beginning of the sequence; nil for the whole of a prompt, or
    /// `defaultLengths`. Lengths that do not fit are left out.
    public var lengths: [Int]?
    /// Tokens decoded one by one after a prefill, chosen greedily by the reference.
    public var steps = 16
    /// Tokens that pseudo-random sequences leave out, as special ones.
    public var excludedIDs: Set<Int> = []
    /// Compares hidden states, keys and values of every layer where both back ends show them.
    public var comparesLayers = true
    /// Seed of the pseudo-random tokens.
    public var seed: UInt64 = 1
    /// Bytes of logits and hidden states held at once; longer prefills are compared in pieces or by their last row.
    public var memoryBudget = 256 << 20

    /// The lengths without a prompt: one token, less and more than a vector's, beyond a page of the cache.
    public static let defaultLengths = [1, 7, 32, 80]

    /// The defaults.
    public init() {}
  }

  /// One run of both back ends.
  struct Case {
    var name: String
    var tokens: [Int]
    /// Lengths of the pieces the tokens are fed in.
    var pieces: [Int]
    var steps: Int
    /// Whether layers are compared: in one case for each sequence.
    var isDetailed: Bool
  }
}

extension Verification.Options {
  /// The runs, all within `limit` tokens.
  /// - Returns: with sentences on what is left out.
  func cases(limit: Int, vocabSize: Int) -> (cases: [Verification.Case], notes: [String]) {
    var cases: [Verification.Case] = []
    var notes: [String] = []
    for (number, prompt) in prompts.enumerated() {
      let title = prompts.count == 1 ? "prompt" : "prompt \(number + 1)"
      let inside = lengths?.filter { $0 < prompt.count } ?? []
      append(prompt, inside + [prompt.count], title: title + " ", limit, &cases, &notes)
    }
    if prompts.isEmpty {
      let lengths = lengths ?? Self.defaultLengths
      let tokens = randomTokens(count: min(lengths.max() ?? 0, limit), vocabSize: vocabSize)
      append(tokens, lengths, title: "", limit, &cases, &notes)
    }
    return (cases, notes)
  }

  private func append(
    _ tokens: [Int], _ wanted: [Int], title: String, _ limit: Int, _ cases: inout [Verification.Case],
    _ notes: inout [String]
  ) {
    let fitting = Set(wanted).filter { $0 >= 1 && $0 <= min(limit, tokens.count) }.sorted()
    let left = Set(wanted).subtracting(fitting).sorted()
    if !left.isEmpty {
      let list = left.map(String.init).joined(separator: ", ")
      notes.append("\(title)left out, since only \(limit) tokens fit: \(list)")
    }
    guard let longest = fitting.last, let shortest = fitting.first else { return }
    for length in fitting where length != longest || longest == 1 {
      // The shortest is decoded from as well: a cache that is nearly empty.
      let steps = length == shortest ? min(steps, limit - length) : 0
      cases.append(
        .init(
          name: "\(title)prefill \(length)", tokens: Array(tokens[..<length]), pieces: [length], steps: steps,
          isDetailed: longest == 1))
    }
    guard longest > 1 else { return }
    let all = Array(tokens[..<longest])
    cases.append(
      .init(
        name: "\(title)prefill \(longest)", tokens: all, pieces: [longest],
        steps: min(steps, limit - longest), isDetailed: true))
    // Uneven pieces that straddle pages and chunks.
    let piece = (longest + 2) / 3
    let pieces = stride(from: 0, to: longest, by: piece).map { min(piece, longest - $0) }
    cases.append(
      .init(name: "\(title)in pieces \(longest)", tokens: all, pieces: pieces, steps: 0, isDetailed: false))
    if limit - longest < steps {
      notes.append("\(title)decoded for \(limit - longest) of \(steps) steps: \(limit) tokens fit")
    }
  }

  /// Tokens that look random and are the same every time.
  package func randomTokens(count: Int, vocabSize: Int) -> [Int] {
    var state = seed
    /// SplitMix64.
    func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    let excludesAll = (0..<vocabSize).allSatisfy(excludedIDs.contains)
    var tokens: [Int] = []
    while tokens.count < count {
      let token = Int(next() % UInt64(max(vocabSize, 1)))
      if excludesAll || !excludedIDs.contains(token) { tokens.append(token) }
    }
    return tokens
  }
}
