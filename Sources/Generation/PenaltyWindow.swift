/// The last tokens of a text and how often each occurs among them; constant work per token.
struct PenaltyWindow: Sendable {
  /// Most tokens remembered; nil for all.
  private let capacity: Int?
  /// The tokens, as a ring once it is full; stays empty when all are remembered.
  private var ring: [Int] = []
  private var oldest = 0
  private(set) var counts: [Int: Int] = [:]

  /// - Parameter lastN: as `SamplingOptions.repeatLastN`.
  init(lastN: Int) { capacity = lastN < 0 ? nil : lastN }

  mutating func append(_ id: Int) {
    if let capacity {
      guard capacity > 0 else { return }
      if ring.count < capacity {
        ring.append(id)
      } else {
        forget(ring[oldest])
        ring[oldest] = id
        oldest = (oldest + 1) % capacity
      }
    }
    counts[id, default: 0] += 1
  }

  private mutating func forget(_ id: Int) {
    if counts[id] == 1 { counts[id] = nil } else { counts[id, default: 1] -= 1 }
  }

  /// Lowers the logits of the tokens remembered.
  func apply(_ options: SamplingOptions, to logits: UnsafeMutableBufferPointer<Float>) {
    let factor = Float(options.repeatPenalty)
    let presence = Float(options.presencePenalty), frequency = Float(options.frequencyPenalty)
    for (id, count) in counts where id >= 0 && id < logits.count {
      var logit = logits[id]
      logit = logit > 0 ? logit / factor : logit * factor
      logits[id] = logit - (presence + frequency * Float(count))
    }
  }
}
