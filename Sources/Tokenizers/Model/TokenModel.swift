/// The model that encodes pieces of text.
enum TokenModel: Sendable {
  case bpe(Shared<BPE>)
  case unigram(Shared<Unigram>)

  static func bpe(_ model: BPE) -> TokenModel { .bpe(Shared(model)) }
  static func unigram(_ model: Unigram) -> TokenModel { .unigram(Shared(model)) }
}

/// Holds a value of many references, so that passing it on counts one.
final class Shared<Value: Sendable>: Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
