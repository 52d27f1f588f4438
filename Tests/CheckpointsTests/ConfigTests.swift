import Checkpoints
import IngotCore
import Testing

/// Configurations as transformers reads them. Fixture: Scripts/make_checkpoint_fixtures.py.
@Suite struct ConfigTests {
  static let cases = ((try? JSONParser.parse(path: fixture("configs.json")))?["cases"]?.array ?? [])
    .map { ConfigCase(json: $0) }

  struct ConfigCase: Sendable, CustomTestStringConvertible {
    let json: JSONValue
    var testDescription: String { json["name"]?.string ?? "" }

    func config() throws -> DecoderConfig {
      try DecoderConfig(json: try #require(json["config"]), file: "config.json")
    }
  }

  @Test func thereAreCases() { #expect(Self.cases.count > 35) }

  @Test(arguments: cases) func readsAsTransformersDoes(_ item: ConfigCase) throws {
    let config = try item.config()
    let expected = try #require(item.json["expected"])
    #expect(config.headDim == expected["head_dim"]?.int)
    #expect(config.kvHeadCount == expected["num_key_value_heads"]?.int)
    #expect(config.rmsNormEps == expected["rms_norm_eps"]?.double)
    #expect(config.maxPositions == expected["max_position_embeddings"]?.int)
    #expect(config.ropeTheta == expected["rope_theta"]?.double)
    #expect(config.tiesEmbeddings == expected["tie_word_embeddings"]?.bool)
    #expect(config.bosTokenID == expected["bos_token_id"]?.int)
    #expect(config.eosTokenIDs == expected["eos_token_ids"]?.array?.compactMap(\.int))
    #expect(config.padTokenID == expected["pad_token_id"]?.int)
    #expect(config.slidingWindows == expected["windows"]?.array?.map(\.int))
    #expect(config.attentionBias == expected["qkv_bias"]?.bool)
    #expect(config.attentionOutputBias == expected["output_bias"]?.bool)
    #expect(config.mlpBias == expected["mlp_bias"]?.bool)
  }

  /// Two units in the last place: `pow` is correctly rounded here and within one unit in torch, and the
  /// formulas round a few times after it.
  @Test(arguments: cases) func frequenciesAreThoseOfTransformers(_ item: ConfigCase) throws {
    let config = try item.config()
    let entries = try #require(item.json["frequencies"]?.array)
    for length in [1, 1024, 1025, 4096, 4097, 10_000] {
      let entry = try #require(entries.last { ($0["length"]?.int ?? .max) <= length })
      let expected = try #require(entry["inv_freq"]?.array?.compactMap { $0.double.map { Float($0) } })
      let found = try RotaryFrequencies(config, plannedLength: length)
      #expect(found.inverseFrequencies.count == expected.count)
      for (a, b) in zip(found.inverseFrequencies, expected) {
        #expect(abs(a - b) <= 2 * b.ulp, "\(a) for \(b) at length \(length)")
      }
      let attention = try #require(entry["attention_factor"]?.double)
      #expect(found.attentionFactor == Float(attention))
    }
  }

  func read(_ text: String) throws -> DecoderConfig {
    try DecoderConfig(json: try JSONParser.parse(text), file: "config.json")
  }

  static let sizes = """
    "vocab_size": 99, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, \
    "intermediate_size": 80
    """

  @Test func textConfigIsTheDecoders() throws {
    let config = try read(
      """
      {"architectures": ["A"], "tie_word_embeddings": true, "model_type": "outer", "vocab_size": 1,
       "text_config": {"model_type": "llama", "torch_dtype": "float16", \(Self.sizes)}}
      """)
    #expect(config.modelType == "llama")
    #expect(config.vocabSize == 99)
    #expect(config.tiesEmbeddings)
    #expect(config.architectures == ["A"])
    #expect(config.torchDType == "float16")
  }

  @Test func ropePerLayerTypeIsTakenPerLayer() throws {
    let config = try read(
      """
      {"model_type": "other", \(Self.sizes), "sliding_window": 8,
       "layer_types": ["sliding_attention", "full_attention"],
       "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 1e6},
                           "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}
      """)
    #expect(config.rope(layer: 0) == RopeParameters(theta: 1e4))
    #expect(config.rope(layer: 1) == RopeParameters(theta: 1e6, scaling: .linear(factor: 8)))
    #expect(config.slidingWindows == [8, nil])
  }

  @Test func partialRotaryHolds() throws {
    let config = try read(#"{"model_type": "other", \#(Self.sizes), "partial_rotary_factor": 0.5}"#)
    #expect(try RotaryFrequencies(config, plannedLength: 1).inverseFrequencies.count == 4)
    let llama = try read(#"{"model_type": "llama", \#(Self.sizes), "partial_rotary_factor": 0.5}"#)
    #expect(try RotaryFrequencies(llama, plannedLength: 1).inverseFrequencies.count == 8)
  }

  @Test func suIsLongrope() throws {
    let config = try read(
      """
      {"model_type": "other", \(Self.sizes), "rope_scaling": {"type": "su",
       "short_factor": [1, 1, 1, 1, 1, 1, 1, 1], "long_factor": [2, 2, 2, 2, 2, 2, 2, 2]},
       "original_max_position_embeddings": 10}
      """)
    #expect(config.ropeScaling.name == "longrope")
    #expect(config.originalMaxPositions == 10)
  }

  @Test func generationConfigCountsFirst() throws {
    let json = try JSONParser.parse(#"{"model_type": "llama", \#(Self.sizes), "eos_token_id": 5}"#)
    let generation = try JSONParser.parse(#"{"eos_token_id": [7, 8], "pad_token_id": 9}"#)
    let config = try DecoderConfig(json: json, file: "config.json", generation: generation)
    #expect(config.eosTokenIDs == [7, 8])
    #expect(config.padTokenID == 9)
    #expect(config.bosTokenID == 1)
  }

  @Test func activationsKeepTheirNames() throws {
    for activation in HiddenActivation.allCases {
      let name = activation.rawValue
      let config = try read(#"{"model_type": "llama", \#(Self.sizes), "hidden_act": "\#(name)"}"#)
      #expect(config.hiddenActivation == activation)
    }
  }
}
