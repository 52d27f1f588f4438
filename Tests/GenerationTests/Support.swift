import Checkpoints
import Generation
import IngotCore
import Tokenizers

/// A model whose logits follow from the tokens so far by a rule.
final class ScriptedModel: LanguageModel {
  let config: DecoderConfig
  let contextLength: Int
  private let rule: @Sendable ([Int]) -> [Float]
  /// The tokens of every forward.
  let forwards = Locked<[[Int]]>([])

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
      guard total <= contextLength else { throw IngotError(.limit, "\(total) tokens in \(contextLength)") }
      forwards.withLock { $0.append(input.tokens) }
      sequence.tokens.withLock { $0 += input.tokens }
      switch input.logits {
      case .none: break
      case .last, .all:
        rule(sequence.tokens.withLock { $0 }).withUnsafeBufferPointer {
          onLogits(index, input.tokens.count - 1, $0)
        }
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

  /// - Parameter template: the chat template, if any.
  static func make(template: String? = nil) throws -> Tokenizer {
    // GPT-2's alphabet: printable bytes stand for themselves, others follow from U+0100 on.
    var vocabulary = JSONObject()
    var next: UInt32 = 256
    for byte in UInt32(0)..<256 {
      let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
      let scalar = Unicode.Scalar(isPrintable ? byte : next) ?? " "
      if !isPrintable { next += 1 }
      vocabulary[String(Character(scalar))] = .int(Int(byte))
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
