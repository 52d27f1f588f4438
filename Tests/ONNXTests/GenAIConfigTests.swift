import Checkpoints
import IngotCore
import ONNX
import Testing

/// What onnxruntime-genai is told of a model.
@Suite struct GenAIConfigTests {
  static func config(_ modelType: String = "qwen3") -> DecoderConfig {
    var config = DecoderConfig(
      modelType: modelType, vocabSize: 137, hiddenSize: 48, layerCount: 2, headCount: 4, kvHeadCount: 2,
      headDim: 12,
      intermediateSize: 80, maxPositions: 512)
    (config.bosTokenID, config.eosTokenIDs, config.padTokenID) = (1, [2, 5], nil)
    return config
  }

  @Test func sizesNamesAndTokensComeFromTheConfiguration() throws {
    let json = GenAIConfig(config: Self.config(), sharesBuffers: false).json
    let model = try #require(json["model"])
    #expect(model["type"] == .string("qwen3"))
    #expect(model["vocab_size"] == .int(137) && model["context_length"] == .int(512))
    #expect(model["bos_token_id"] == .int(1) && model["eos_token_id"] == .array([.int(2), .int(5)]))
    #expect(model["pad_token_id"] == .int(2))
    let decoder = try #require(model["decoder"])
    #expect(decoder["filename"] == .string("model.onnx"))
    #expect(decoder["head_size"] == .int(12) && decoder["hidden_size"] == .int(48))
    #expect(decoder["num_attention_heads"] == .int(4) && decoder["num_key_value_heads"] == .int(2))
    #expect(decoder["num_hidden_layers"] == .int(2))
    let inputs = try #require(decoder["inputs"]?.object)
    #expect(
      inputs.members.map(\.key) == [
        "input_ids", "attention_mask", "position_ids", "past_key_names", "past_value_names",
      ])
    #expect(inputs["past_key_names"] == .string("past_key_values.%d.key"))
    #expect(decoder["outputs"]?["present_value_names"] == .string("present.%d.value"))
    #expect(json["search"]?["past_present_share_buffer"] == .bool(false))
    #expect(json["search"]?["max_length"] == .int(512))
  }

  @Test func positionsAndBuffersFollowTheGraph() {
    var names = GenAIConfig.Names()
    names.positionIDs = nil
    let json = GenAIConfig(config: Self.config(), contextLength: 64, sharesBuffers: true, names: names).json
    #expect(json["model"]?["decoder"]?["inputs"]?["position_ids"] == nil)
    #expect(json["search"]?["past_present_share_buffer"] == .bool(true))
    #expect(json["search"]?["max_length"] == .int(64))
  }

  @Test(arguments: [
    ("llama", "llama"), ("mistral", "mistral"), ("qwen2", "qwen2"), ("new_family", "decoder"),
  ])
  func familiesAreThoseThatTheRuntimeKnows(modelType: String, expected: String) {
    let json = GenAIConfig(config: Self.config(modelType), sharesBuffers: false).json
    #expect(json["model"]?["type"] == .string(expected))
  }

  @Test func samplingDefaultsComeFromTheCheckpointWhereTheyMakeSense() throws {
    let text =
      #"{"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 2, "repetition_penalty": "no"}"#
    let generation = try JSONParser.parse(text)
    let search = GenAIConfig(config: Self.config(), sharesBuffers: false, generation: generation).json[
      "search"]
    #expect(search?["do_sample"] == .bool(true) && search?["temperature"] == .double(0.6))
    #expect(search?["top_k"] == .int(20) && search?["top_p"] == .double(1))
    #expect(search?["repetition_penalty"] == .double(1))
  }
}
