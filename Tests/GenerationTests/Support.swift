import Checkpoints
import Generation
import IngotCore
import TestSupport
import Tokenizers

/// A model whose logits follow from the tokens so far by a rule.
final class ScriptedModel: LanguageModel {
  let config: DecoderConfig
  let contextLength: Int
  private let rule: @Sendable ([Int]) -> [Float]
  /// The tokens of every forward.
  let forwards = Locked<[[Int]]>([])
  /// Most tokens of a forward that it takes.
  let longest = Locked(Int.max)
  /// How many forwards were too long for it.
  let refused = Locked(0)

  init(vocabSize: Int, contextLength: Int, eosIDs: [Int] = [], rule: @escaping @Sendable ([Int]) -> [Float]) {
    var config = DecoderConfig(
      modelType: "llama", vocabSize: vocabSize, hiddenSize: 8, layerCount: 1, headCount: 1, kvHeadCount: 1,
      headDim: 8, intermediateSize: 8)
    config.eosTokenIDs = eosIDs
    (self.config, self.contextLength, self.rule) = (config, contextLength, rule)
  }

  /// Says `reply` after a prompt of `promptCount` tokens, token by token, then its last token again and again.
  convenience init(
    saying reply: [Int], after promptCount: Int, contextLength: Int = 256, eosIDs: [Int] = []
  ) {
    self.init(vocabSize: ByteTokenizer.size, contextLength: contextLength, eosIDs: eosIDs) { tokens in
      let index = max(0, min(tokens.count - promptCount, reply.count - 1))
      return .peak(at: reply[index], of: ByteTokenizer.size)
    }
  }

  func makeSequence(plannedLength: Int) throws(IngotError) -> any ModelSequence { ScriptedSequence() }

  func forward(
    _ inputs: [ModelInput], onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    for (index, input) in inputs.enumerated() {
      guard let sequence = input.sequence as? ScriptedSequence else { continue }
      let total = sequence.count + input.tokens.count
      guard total <= contextLength, input.tokens.count <= longest.withLock({ $0 }) else {
        refused.withLock { $0 += 1 }
        throw IngotError(.limit, "\(total) tokens in \(contextLength)")
      }
      forwards.withLock { $0.append(input.tokens) }
      for (position, token) in input.tokens.enumerated() {
        sequence.tokens.withLock { $0.append(token) }
        let isWanted =
          switch input.logits {
          case .none: false
          case .last: position == input.tokens.count - 1
          case .all: true
          }
        guard isWanted else { continue }
        rule(sequence.tokens.withLock { $0 }).withUnsafeBufferPointer { onLogits(index, position, $0) }
      }
    }
  }
}

final class ScriptedSequence: ModelSequence {
  let tokens = Locked<[Int]>([])
  var count: Int { tokens.withLock { $0.count } }
  func truncate(to count: Int) { tokens.withLock { $0 = Array($0.prefix(count)) } }
  func fork() -> any ModelSequence {
    let copy = ScriptedSequence()
    copy.tokens.withLock { $0 = tokens.withLock { $0 } }
    return copy
  }
}

extension [Float] {
  /// Logits of which one is far ahead.
  static func peak(at id: Int, of count: Int) -> [Float] {
    var logits = [Float](repeating: 0, count: count)
    logits[id] = 20
    return logits
  }
}

/// A tokenizer whose ids are bytes, and a few special tokens.
enum ByteTokenizer {
  static let end = 256, start = 257, stop = 258
  static let size = 259
  static let specials = ["<|end|>", "<|im_start|>", "<|im_end|>"]

  /// - Parameters:
  ///   - template: the chat template, if any.
  ///   - swapped: two letters that have each other's ids.
  static func make(template: String? = nil, swapping swapped: (String, String)? = nil) throws -> Tokenizer {
    var vocabulary = byteVocabulary()
    if let (one, other) = swapped {
      (vocabulary[one], vocabulary[other]) = (vocabulary[other], vocabulary[one])
    }
    let added = specials.enumerated().map { index, text in
      """
      {"id": \(256 + index), "content": "\(text)", "special": true, "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": false}
      """
    }
    let text = """
      {"version": "1.0", "added_tokens": [\(added.joined(separator: ","))], "normalizer": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
       "decoder": {"type": "ByteLevel"}, "post_processor": null,
       "model": {"type": "BPE", "vocab": \(JSONValue.object(vocabulary)), "merges": []}}
      """
    var config = JSONObject()
    config["eos_token"] = .string("<|end|>")
    if let template { config["chat_template"] = .string(template) }
    return try Tokenizer(json: JSONParser.parse(text), config: .object(config))
  }
}

/// The bytes of a text as ids.
func ids(_ text: String) -> [Int] { text.utf8.map { Int($0) } }
