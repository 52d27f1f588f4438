package import Checkpoints
package import IngotCore

/// The `genai_config.json` that tells onnxruntime-genai how to drive a decoder.
/// Source: onnxruntime-genai 0.18, `src/config.cpp` and `models/builders/base.py`.
package struct GenAIConfig: Sendable {
  /// The names of the graph's inputs and outputs; `%d` stands for the layer.
  package struct Names: Sendable {
    package var inputIDs = "input_ids"
    package var attentionMask = "attention_mask"
    /// nil when the graph counts positions itself.
    package var positionIDs: String? = "position_ids"
    package var pastKey = "past_key_values.%d.key"
    package var pastValue = "past_key_values.%d.value"
    package var logits = "logits"
    package var presentKey = "present.%d.key"
    package var presentValue = "present.%d.value"

    /// The names that Hugging Face's and Microsoft's exporters share.
    package init() {}
  }

  /// The family, sizes and special tokens.
  package var config: DecoderConfig
  /// The model's file, relative to the folder.
  package var filename: String
  /// Most tokens of a conversation.
  package var contextLength: Int
  /// Whether past and present of a layer are one buffer (`past_present_share_buffer`), as GroupQueryAttention
  /// allows; a graph that concatenates needs two.
  package var sharesBuffers: Bool
  /// What the graph calls things.
  package var names: Names
  /// The checkpoint's `generation_config.json`, for the defaults of sampling.
  package var generation: JSONValue?

  /// Describes a model; `contextLength` is the configuration's unless given.
  package init(
    config: DecoderConfig, filename: String = "model.onnx", contextLength: Int? = nil, sharesBuffers: Bool,
    names: Names = Names(), generation: JSONValue? = nil
  ) {
    (self.config, self.filename, self.contextLength) = (
      config, filename, contextLength ?? config.maxPositions
    )
    (self.sharesBuffers, self.names, self.generation) = (sharesBuffers, names, generation)
  }

  /// The names that mean a plain decoder; all are driven alike. Those that stand for more (a convolution's state, two
  /// rotary tables by length) are left out.
  private static let plainTypes: Set = [
    "chatglm", "decoder", "ernie4_5", "gemma", "gemma2", "granite", "llama", "mistral", "nemotron", "olmo",
    "phi",
    "phi3", "qwen2", "qwen3", "smollm3",
  ]

  /// The `type` for a family: its own name where onnxruntime-genai knows it, else that of any decoder.
  package static func type(of modelType: String) -> String {
    plainTypes.contains(modelType) ? modelType : "decoder"
  }

  /// The document.
  package var json: JSONValue {
    .object(JSONObject([.init("model", .object(model)), .init("search", .object(search))]))
  }

  private var model: JSONObject {
    var model = JSONObject()
    // All three must be there. Where a model has none, a token that never begins or fills anything stands in.
    let eos = config.eosTokenIDs
    model["bos_token_id"] = .int(config.bosTokenID ?? eos.first ?? 0)
    model["context_length"] = .int(contextLength)
    model["decoder"] = .object(decoder)
    model["eos_token_id"] = eos.count == 1 ? .int(eos[0]) : .array(eos.map { .int($0) })
    model["pad_token_id"] = .int(config.padTokenID ?? eos.first ?? 0)
    model["type"] = .string(Self.type(of: config.modelType))
    model["vocab_size"] = .int(config.vocabSize)
    return model
  }

  private var decoder: JSONObject {
    var inputs = JSONObject([
      .init("input_ids", .string(names.inputIDs)), .init("attention_mask", .string(names.attentionMask)),
    ])
    if let positions = names.positionIDs { inputs["position_ids"] = .string(positions) }
    inputs["past_key_names"] = .string(names.pastKey)
    inputs["past_value_names"] = .string(names.pastValue)
    let outputs = JSONObject([
      .init("logits", .string(names.logits)), .init("present_key_names", .string(names.presentKey)),
      .init("present_value_names", .string(names.presentValue)),
    ])
    let session = JSONObject([
      .init("log_id", .string("onnxruntime-genai")), .init("provider_options", .array([])),
    ])
    return JSONObject([
      .init("session_options", .object(session)), .init("filename", .string(filename)),
      .init("head_size", .int(config.headDim)), .init("hidden_size", .int(config.hiddenSize)),
      .init("inputs", .object(inputs)), .init("outputs", .object(outputs)),
      .init("num_attention_heads", .int(config.headCount)),
      .init("num_hidden_layers", .int(config.layerCount)),
      .init("num_key_value_heads", .int(config.kvHeadCount)),
    ])
  }

  private var search: JSONObject {
    func setting(_ key: String, _ absent: JSONValue, _ isRight: (JSONValue) -> Bool) -> JSONObject.Member {
      guard let value = generation?[key], isRight(value) else { return .init(key, absent) }
      return .init(key, value)
    }
    return JSONObject([
      .init("diversity_penalty", .double(0)), setting("do_sample", .bool(false)) { $0.bool != nil },
      .init("early_stopping", .bool(true)), .init("length_penalty", .double(1)),
      .init("max_length", .int(contextLength)), .init("min_length", .int(0)),
      .init("no_repeat_ngram_size", .int(0)), .init("num_beams", .int(1)),
      .init("num_return_sequences", .int(1)),
      .init("past_present_share_buffer", .bool(sharesBuffers)),
      setting("repetition_penalty", .double(1)) { ($0.double ?? 0) > 0 },
      setting("temperature", .double(1)) { ($0.double ?? 0) > 0 },
      setting("top_k", .int(50)) { ($0.int ?? -1) >= 0 },
      setting("top_p", .double(1)) { ($0.double).map { $0 > 0 && $0 <= 1 } ?? false },
    ])
  }
}
