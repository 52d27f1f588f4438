internal import IngotCore

/// Speculative decoding of one reply: drafts, and what the model draws in their places.
///
/// One forward computes the logits of the last token and of all drafted ones. At each place a token is drawn from the
/// model's own distribution, with all filters and penalties, by the reply's one sampler, in order; as long as it is
/// the drafted one the next place counts, and what lies behind the first other one is forgotten. So the reply is the
/// one without drafts, token for token and with every seed, where logits do not depend on how a text is cut into
/// forwards (the engine promises that; other back ends may round differently).
///
/// A drafted token is accepted with its probability p, which for drafts that are not drawn at random is also what
/// the rejection rule min(1, p/q) of the literature accepts, where q is 1.
/// Source: Leviathan, Kalman, Matias 2023, arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318.
struct Speculation {
  private let drafter: any Drafter
  private let options: DraftOptions
  private let vocabSize: Int
  private let eosIDs: Set<Int>
  private var pace: DraftPace
  private(set) var counts = DraftCounts()

  init(_ drafter: any Drafter, _ options: DraftOptions, vocabSize: Int, eosIDs: Set<Int>) {
    (self.drafter, self.options, self.vocabSize, self.eosIDs) = (drafter, options, vocabSize, eosIDs)
    pace = DraftPace(options)
  }

  func begin(_ prompt: [Int], cancellation: Cancellation) throws(IngotError) {
    try drafter.begin(prompt, cancellation: cancellation)
  }

  func append(_ id: Int) { drafter.append(id) }

  /// What may come next.
  /// - Parameter room: most tokens that would be of use.
  mutating func draft(room: Int) throws(IngotError) -> [Int] {
    let wanted = min(pace.next(), room)
    guard wanted > 0, wanted >= options.minTokens else { return [] }
    // Nothing follows the end of a text.
    let draft = try drafter.draft(atMost: wanted)
      .prefix(wanted).prefix { $0 >= 0 && $0 < vocabSize && !eosIDs.contains($0) }
    return draft.count >= options.minTokens ? Array(draft) : []
  }

  /// Learns what came of a draft.
  mutating func report(drafted: Int, agreed: Int) {
    counts.drafted += drafted
    pace.report(drafted: drafted, agreed: agreed)
  }

  /// A drafted token has become part of the reply.
  mutating func countAccepted() { counts.accepted += 1 }
}

/// Tokens drawn ahead of the reply, in order.
struct DrawnTokens {
  private var ids: [Int] = []
  private var taken = 0
  /// Why there are no more.
  private var failure: IngotError?

  /// Whether the next one has to be drawn first.
  var isEmpty: Bool { taken == ids.count && failure == nil }
  /// Whether nothing has been drawn since the last `removeAll`.
  var isUntouched: Bool { ids.isEmpty && failure == nil }
  mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    (taken, failure) = (0, nil)
  }

  /// Whether the token for a place is to be drawn: those before it have been and are the drafted ones.
  func lacks(_ place: Int, of draft: [Int]) -> Bool {
    failure == nil && ids.count == place && (place == 0 || ids[place - 1] == draft[place - 1])
  }

  /// Takes the token drawn for the next place.
  mutating func append(_ id: Int) { ids.append(id) }

  /// Takes what kept the next one from being drawn.
  mutating func fail(_ error: IngotError) { failure = error }

  /// How many drafted tokens have been drawn.
  func agreement(with draft: [Int]) -> Int { zip(ids, draft).prefix { $0 == $1 }.count }

  /// The next one.
  /// - Throws: what kept it from being drawn.
  mutating func next() throws(IngotError) -> Int? {
    if taken < ids.count {
      taken += 1
      return ids[taken - 1]
    }
    if let failure { throw failure }
    return nil
  }
}
