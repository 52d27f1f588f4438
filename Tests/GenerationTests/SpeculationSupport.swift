import Generation
import IngotCore

/// A drafter whose guesses follow from the text by a rule; it may break every promise.
final class ScriptedDrafter: Drafter {
  private let rule: @Sendable (_ text: [Int], _ count: Int) throws(IngotError) -> [Int]
  private let text = Locked<[Int]>([])
  /// How many tokens it was asked for, each time.
  let asked = Locked<[Int]>([])

  init(_ rule: @escaping @Sendable (_ text: [Int], _ count: Int) throws(IngotError) -> [Int]) {
    self.rule = rule
  }

  /// Says what `reply` says after the prompt, changed by `change`.
  convenience init(
    knowing reply: [Int], after prompt: [Int],
    change: @escaping @Sendable (_ place: Int, _ id: Int) -> Int = { $1 }
  ) {
    self.init { text, count in
      let start = text.count - prompt.count
      return reply.enumerated().dropFirst(start).prefix(count).map { change($0.offset, $0.element) }
    }
  }

  func begin(_ prompt: [Int], cancellation: Cancellation) { text.withLock { $0 = prompt } }
  func append(_ id: Int) { text.withLock { $0.append(id) } }

  func draft(atMost count: Int) throws(IngotError) -> [Int] {
    asked.withLock { $0.append(count) }
    return try rule(text.withLock { $0 }, count)
  }
}

/// A reply and all that can be seen of it from outside, but the time it took.
struct Observed: Equatable {
  var ids: [Int] = []
  var text = ""
  var reason: FinishReason?
  var events: [GenerationEvent] = []
  var cachedIDs: [Int] = []
  var sequence: [Int] = []
  var failure: String?

  /// - Parameter cancelAfter: cancels when so many tokens have been said.
  init(
    _ model: ScriptedModel, _ prompt: [Int], _ options: GenerationOptions, drafter: (any Drafter)?,
    cancelAfter: Int? = nil, check: (GenerationResult) -> Void = { _ in }
  ) throws {
    let generator = Generator(model, tokenizer: try ByteTokenizer.make())
    let cache = try CachedSequence(model, plannedLength: model.contextLength)
    let cancellation = Cancellation()
    var events: [GenerationEvent] = []
    var said = 0
    do {
      let result = try generator.generate(
        prompt: prompt, options: options, cache: cache, drafter: drafter, cancellation: cancellation
      ) { event in
        switch event {
        case .finished: break
        case .token:
          said += 1
          if said == cancelAfter { cancellation.cancel() }
          events.append(event)
        case .dropped, .prompt, .text: events.append(event)
        }
      }
      (ids, text, reason) = (result.ids, result.text, result.finishReason)
      check(result)
    } catch {
      failure = "\(error)"
    }
    (self.events, cachedIDs) = (events, cache.ids)
    sequence = (cache.sequence as? ScriptedSequence)?.tokens.withLock { $0 } ?? []
  }
}

extension ScriptedModel {
  /// A model of bytes whose logits follow from the last two tokens, so that texts repeat themselves and nothing is
  /// certain. End-of-text and white space come up now and then.
  static func markov(seed: UInt64 = 1, contextLength: Int = 400, width: Int = 9) -> ScriptedModel {
    ScriptedModel(vocabSize: ByteTokenizer.size, contextLength: contextLength, eosIDs: [ByteTokenizer.end]) {
      tokens in
      var logits = [Float](repeating: -30, count: ByteTokenizer.size)
      var state = tokens.suffix(2).reduce(seed) { ($0 &+ UInt64($1)) &* 0x9E37_79B9_7F4A_7C15 }
      for place in 0..<width {
        state = (state ^ (state >> 29)) &* 0xBF58_476D_1CE4_E5B9
        let id = place == 0 ? ByteTokenizer.end : 96 + place
        logits[id] = Float(state >> 40) / Float(1 << 24) * 6 - (place == 0 ? 4 : 0)
      }
      return logits
    }
  }
}
