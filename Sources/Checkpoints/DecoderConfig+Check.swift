import IngotCore

extension DecoderConfig {
  /// Bounds of single values, so that no product of them overflows.
  enum Limits {
    static let vocabulary = 1...1 << 24
    static let sizes = 1...1 << 20
    static let intermediate = 1...1 << 24
    static let layers = 1...10_000
    static let heads = 1...1 << 16
    static let headDims = 1...1 << 16
    static let positions = 1...1 << 32
    static let tokenIDs = 0...Int(Int32.max)
    static let epsilon = 0.0...1.0
    static let theta = 1e-3...1e30
    static let factor = 1e-6...1e9
  }

  /// What the values are called where they came from.
  struct Keys {
    let heads, kvHeads, headDim, rope: String

    static let huggingFace = Keys(
      heads: "num_attention_heads", kvHeads: "num_key_value_heads", headDim: "head_dim",
      rope: "rope_parameters")

    static func gguf(_ architecture: String) -> Keys {
      Keys(
        heads: "\(architecture).attention.head_count", kvHeads: "\(architecture).attention.head_count_kv",
        headDim: "\(architecture).attention.key_length", rope: "\(architecture).rope.scaling")
    }
  }

  /// Checks what involves several values.
  /// - Throws: `.config` naming file and key.
  func check(file: String, keys: Keys) throws(IngotError) {
    func fail(_ key: String, _ what: String) -> IngotError {
      IngotError(.config, what, at: .init(file: file, key: key))
    }
    guard headCount % kvHeadCount == 0 else {
      throw fail(keys.kvHeads, "\(headCount) query heads cannot share \(kvHeadCount) key-value heads evenly")
    }
    guard headDim > 0 else { throw fail(keys.heads, "\(headCount) heads in a hidden size of \(hiddenSize)") }
    guard headDim % 2 == 0 else {
      throw fail(keys.headDim, "rotary embedding needs an even head size, not \(headDim)")
    }
    for rope in [rope] + (slidingRope.map { [$0] } ?? []) {
      let rotary = rope.rotaryDim(headDim: headDim)
      guard rotary > 0, rotary % 2 == 0 else {
        throw fail(
          keys.rope,
          "a rotary factor of \(rope.partialRotaryFactor) makes \(rotary) of \(headDim) dimensions turn")
      }
      switch rope.scaling {
      case .none, .linear, .llama3, .yarn: break
      case .dynamic:
        guard rotary > 2 else { throw fail(keys.rope, "dynamic scaling needs more than 2 rotary dimensions") }
      case .longrope(let longrope):
        for factors in [longrope.shortFactors, longrope.longFactors] where factors.count != rotary / 2 {
          throw fail(keys.rope, "\(factors.count) longrope factors for \(rotary / 2) frequencies")
        }
      case .factors(let factors):
        guard factors.count == rotary / 2 else {
          throw fail(keys.rope, "\(factors.count) rope factors for \(rotary / 2) frequencies")
        }
      }
    }
  }
}

extension RopeParameters {
  /// Dimensions of a head that turn.
  public func rotaryDim(headDim: Int) -> Int { Int(Double(headDim) * partialRotaryFactor) }
}
