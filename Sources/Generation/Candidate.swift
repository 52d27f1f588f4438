/// A token that may be drawn.
struct Candidate: Sendable, Equatable {
  var logit: Float
  var id: Int32

  /// Whether this one is likelier; of equals the one with the lower id. No two candidates are equal.
  @inline(__always)
  func precedes(_ other: Candidate) -> Bool {
    logit > other.logit || (logit == other.logit && id < other.id)
  }
}

/// The tokens that are still in play, in memory that is used again for every draw.
struct CandidatePool: Sendable {
  private var storage: [Candidate] = []
  private(set) var count = 0

  /// Σ weight of all candidates.
  func sum(_ weight: (Candidate) -> Double) -> Double { storage[..<count].reduce(0) { $0 + weight($1) } }

  /// The candidates.
  var candidates: ArraySlice<Candidate> { storage[..<count] }

  /// Refills the pool with the `wanted` likeliest tokens, in no particular order.
  ///
  /// A heap of the best so far, the worst of them on top: one comparison for most tokens.
  mutating func fill(withBest wanted: Int, of logits: UnsafeMutableBufferPointer<Float>) {
    reserve(wanted)
    count = wanted
    storage.withUnsafeMutableBufferPointer { storage in
      let heap = UnsafeMutableBufferPointer(rebasing: storage[..<wanted])
      for id in 0..<wanted { heap[id] = Candidate(logit: logits[id], id: Int32(truncatingIfNeeded: id)) }
      for root in (0..<wanted / 2).reversed() { heap.sink(root) }
      var worst = heap[0].logit
      for id in wanted..<logits.count where logits[id] > worst {
        heap[0] = Candidate(logit: logits[id], id: Int32(truncatingIfNeeded: id))
        heap.sink(0)
        worst = heap[0].logit
      }
    }
  }

  /// Refills the pool with the tokens whose logits are at least `cutoff`.
  mutating func fill(atLeast cutoff: Float, of logits: UnsafeMutableBufferPointer<Float>) {
    reserve(logits.count)
    count = storage.withUnsafeMutableBufferPointer { candidates in
      var kept = 0
      for id in 0..<logits.count where logits[id] >= cutoff {
        candidates[kept] = Candidate(logit: logits[id], id: Int32(truncatingIfNeeded: id))
        kept &+= 1
      }
      return kept
    }
  }

  /// Keeps the fewest of the likeliest candidates whose weights sum to at least `target`, at least one, in no
  /// particular order. Expected time is linear: a quickselect that follows weight instead of rank.
  mutating func keepBest(reaching target: Double, weight: (Candidate) -> Double) {
    let all = count
    count = storage.withUnsafeMutableBufferPointer {
      UnsafeMutableBufferPointer(rebasing: $0[..<all]).partition(reaching: target, weight: weight)
    }
  }

  private mutating func reserve(_ capacity: Int) {
    if storage.count < capacity { storage = Array(repeating: Candidate(logit: 0, id: 0), count: capacity) }
  }
}

extension UnsafeMutableBufferPointer<Candidate> {
  /// Moves the candidate at `start` down until none below it is worse.
  fileprivate func sink(_ start: Int) {
    var parent = start
    let moving = self[start]
    while true {
      var child = 2 * parent + 1
      if child >= count { break }
      if child + 1 < count, self[child].precedes(self[child + 1]) { child += 1 }
      if !moving.precedes(self[child]) { break }
      self[parent] = self[child]
      parent = child
    }
    self[parent] = moving
  }

  /// Brings the best candidates whose weights reach `target` to the front.
  /// - Returns: their number.
  fileprivate func partition(reaching target: Double, weight: (Candidate) -> Double) -> Int {
    var (low, high, needed) = (0, count, target)
    while high - low > 24 {
      let middle = pivot(low, high)
      let (split, passed) = split(low, high, around: middle, weight)
      let own = weight(self[split])
      if passed >= needed {
        high = split
      } else if passed + own >= needed {
        return split + 1
      } else {
        needed -= passed + own
        low = split + 1
      }
    }
    // Not `sort(by:)`: insertion is quicker on so few.
    for index in low..<high {
      var hole = index
      let moving = self[index]
      while hole > low, moving.precedes(self[hole - 1]) {
        self[hole] = self[hole - 1]
        hole -= 1
      }
      self[hole] = moving
    }
    var index = low
    while index < high {
      needed -= weight(self[index])
      index += 1
      if needed <= 0 { break }
    }
    return Swift.min(count, Swift.max(1, index))
  }

  /// The median of three spread over a range.
  private func pivot(_ low: Int, _ high: Int) -> Int {
    let (a, b, c) = (low, low + (high - low) / 2, high - 1)
    if self[a].precedes(self[b]) {
      return self[b].precedes(self[c]) ? b : self[a].precedes(self[c]) ? c : a
    }
    return self[a].precedes(self[c]) ? a : self[b].precedes(self[c]) ? c : b
  }

  /// Moves what precedes the pivot before it, the rest behind.
  /// - Returns: the pivot's place and the weight before it.
  private func split(
    _ low: Int, _ high: Int, around pivot: Int, _ weight: (Candidate) -> Double
  ) -> (place: Int, weight: Double) {
    swapAt(pivot, high - 1)
    let middle = self[high - 1]
    var place = low
    var passed = 0.0
    for index in low..<high - 1 where self[index].precedes(middle) {
      passed += weight(self[index])
      swapAt(index, place)
      place += 1
    }
    swapAt(place, high - 1)
    return (place, passed)
  }
}
