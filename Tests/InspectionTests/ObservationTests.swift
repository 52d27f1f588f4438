import Checkpoints
import Engine
import Generation
import IngotCore
import TestSupport
import Testing

/// What the CPU engine shows of its inside.
@Suite struct ObservationTests {
  static let ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]

  /// All that a model shows of a prompt, with the logits of all positions.
  static func observe(_ model: CPUModel, pieces: [Int]) throws -> (
    tensors: [String: [Float]], logits: [Float]
  ) {
    let sequence = try model.makeSequence(plannedLength: ids.count)
    var tensors: [String: [Float]] = [:]
    var logits: [Float] = []
    var start = 0
    for count in pieces {
      let tokens = Array(ids[start..<start + count])
      try model.forward(
        [ModelInput(sequence, tokens, logits: .all)], observing: Set(model.observations),
        onTensor: { input, position, name, tensor in
          #expect(input == 0 && tensor.shape.rank == 2)
          // Pieces come in order.
          #expect(start + position == (tensors[name]?.count ?? 0) / tensor.shape[1])
          tensors[name, default: []] += tensor.array(of: Float.self)
        }, onLogits: { _, _, row in logits += row })
      start += count
    }
    for layer in 0..<model.config.layerCount {
      let (key, value) = try model.cache(of: sequence, layer: layer)
      #expect(key.shape == [model.config.kvHeadCount, ids.count, model.config.headDim])
      #expect(value.shape == key.shape)
      tensors["key.\(layer)"] = key.array(of: Float.self)
      tensors["value.\(layer)"] = value.array(of: Float.self)
    }
    return (tensors, logits)
  }

  @Test(arguments: ["llama-gqa", "qwen2-sliding", "qwen3-bias"])
  func observingChangesNoLogit(name: String) throws {
    let observed = try Self.observe(try Fixture.open(Fixture.model(name)), pieces: [Self.ids.count])
    let plain = try Self.observe(
      try Fixture.open(Fixture.model(name), observes: false), pieces: [Self.ids.count])
    #expect(observed.logits.map(\.bitPattern) == plain.logits.map(\.bitPattern))
    #expect(plain.tensors.keys.allSatisfy { !$0.hasPrefix("hidden") })
  }

  @Test(arguments: ["llama-gqa", "qwen2-sliding", "qwen3-bias"])
  func everyLayerBoundaryIsShownWhateverThePieces(name: String) throws {
    let whole = try Fixture.open(Fixture.model(name))
    #expect(whole.observations == (0...whole.config.layerCount).map { "hidden_states.\($0)" })
    let all = try Self.observe(whole, pieces: [Self.ids.count])
    for (name, values) in all.tensors where name.hasPrefix("hidden") {
      #expect(values.count == Self.ids.count * whole.config.hiddenSize, "\(name)")
    }
    // Cut by the caller and by the engine.
    let cut = try Self.observe(try Fixture.open(Fixture.model(name), chunk: 5), pieces: [7, 1, 4])
    #expect(all.tensors == cut.tensors)
  }

  /// The first is the embedding's rows, the last becomes the logits by final norm and head.
  @Test func hiddenStatesAreThoseOfTheModel() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"))
    let (tensors, logits) = try Self.observe(model, pieces: [Self.ids.count])
    let checkpoint = try openCheckpoint(Fixture.model("llama-gqa"))
    let hidden = model.config.hiddenSize
    let table = try checkpoint.floats("model.embed_tokens.weight")
    #expect(tensors["hidden_states.0"] == Self.ids.flatMap { table[$0 * hidden..<($0 + 1) * hidden] })
    let weight = try checkpoint.floats("model.norm.weight")
    let head = model.config.tiesEmbeddings ? table : try checkpoint.floats("lm_head.weight")
    let last = try #require(tensors["hidden_states.\(model.config.layerCount)"])
    for token in Self.ids.indices {
      let row = last[token * hidden..<(token + 1) * hidden]
      let mean = row.reduce(0) { $0 + $1 * $1 } / Float(hidden)
      let scale = 1 / (mean + Float(model.config.rmsNormEps)).squareRoot()
      let normed = zip(row, weight).map { $0 * $1 * scale }
      for word in 0..<model.config.vocabSize {
        let expected = zip(normed, head[word * hidden..<(word + 1) * hidden]).reduce(0) { $0 + $1.0 * $1.1 }
        // Sums of a few dozen products of order 1 in f32.
        #expect(abs(logits[token * model.config.vocabSize + word] - expected) < 1e-4)
      }
    }
  }

  /// Values of the cache in f16 are those in f32, rounded.
  @Test func theCacheInHalfPrecisionIsTheSameRounded() throws {
    let full = try Self.observe(try Fixture.open(Fixture.model("qwen3-bias")), pieces: [12]).tensors
    let half = try Self.observe(try Fixture.open(Fixture.model("qwen3-bias"), kvType: .f16), pieces: [12])
      .tensors
    for part in ["key.0", "value.0"] {
      let (a, b) = (try #require(full[part]), try #require(half[part]))
      #expect(a.contains { $0 != 0 })
      for (x, y) in zip(a, b) { #expect(abs(x - y) <= abs(x) * 0x1p-11 + 0x1p-24) }
    }
  }

  @Test func whatIsNotThereIsRefused() throws {
    let model = try Fixture.open(Fixture.model("llama-gqa"))
    let sequence = try model.makeSequence(plannedLength: 4)
    #expect(throws: IngotError.self) {
      try model.forward(
        [ModelInput(sequence, [1])], observing: ["hidden_states.99"], onTensor: { _, _, _, _ in },
        onLogits: { _, _, _ in })
    }
    #expect(sequence.count == 0)
    #expect(throws: IngotError.self) { try model.cache(of: sequence, layer: 99) }
    #expect(throws: IngotError.self) { try model.cache(of: sequence, layer: -1) }
    let empty = try model.cache(of: sequence, layer: 0)
    #expect(empty.key.shape.count == 0)
  }
}

extension Checkpoint {
  /// A tensor of a float32 checkpoint.
  func floats(_ name: String) throws -> [Float] {
    try required(name).floats()
  }
}
