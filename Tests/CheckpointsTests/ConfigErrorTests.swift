import Checkpoints
import IngotCore
import Testing

/// What a configuration may not be; every message names file and key.
@Suite struct ConfigErrorTests {
  /// A good configuration with members replaced or added.
  static func config(_ changes: [String: JSONValue], type: String = "llama") throws -> DecoderConfig {
    let text = #"{"model_type": "\#(type)", \#(ConfigTests.sizes), "num_key_value_heads": 2}"#
    var object = try #require(try JSONParser.parse(text).object)
    for (key, value) in changes.sorted(by: { $0.key < $1.key }) { object[key] = value }
    return try DecoderConfig(json: .object(object), file: "config.json")
  }

  static func rope(_ text: String) throws -> DecoderConfig {
    try config(["rope_scaling": try JSONParser.parse(text)])
  }

  static let badValues: [(String, JSONValue, String)] = [
    ("vocab_size", JSONValue.int(0), "0 is not between 1"),
    ("vocab_size", .int(1 << 40), "is not between"),
    ("vocab_size", .string("99"), "expected integer, found string"),
    ("vocab_size", .double(1.5), "expected integer, found number"),
    ("vocab_size", .null, "missing"),
    ("hidden_size", .int(-64), "-64 is not between"),
    ("hidden_size", .int(.max), "is not between"),
    ("hidden_size", .int(2), "4 heads in a hidden size of 2"),
    ("num_hidden_layers", .int(1_000_000), "is not between"),
    ("num_hidden_layers", .bool(true), "expected integer, found boolean"),
    ("num_attention_heads", .int(0), "is not between"),
    ("intermediate_size", .array([]), "expected integer, found array"),
    ("num_key_value_heads", .int(3), "4 query heads cannot share 3"),
    ("num_key_value_heads", .int(8), "cannot share"),
    ("head_dim", .int(7), "even head size, not 7"),
    ("head_dim", .int(0), "is not between"),
    ("rms_norm_eps", .double(.nan), "nan is not between"),
    ("rms_norm_eps", .double(.infinity), "inf is not between"),
    ("rms_norm_eps", .double(-1e-6), "is not between"),
    ("rms_norm_eps", .string("1e-6"), "expected number, found string"),
    ("rope_theta", .double(.nan), "nan is not between"),
    ("rope_theta", .int(0), "is not between"),
    ("rope_theta", .int(-5), "is not between"),
    ("max_position_embeddings", .int(0), "is not between"),
    ("tie_word_embeddings", .int(1), "expected boolean, found integer"),
    ("eos_token_id", .string("2"), "expected integer or list of integers, found string"),
    ("eos_token_id[1]", .array([.int(2), .string("x")]), "found string"),
    ("eos_token_id", .int(-2), "-2 is no token id"),
    ("eos_token_id", .object(.init()), "found object"),
    ("architectures", .string("A"), "expected array, found string"),
    ("architectures[0]", .array([.int(1)]), "expected string, found integer"),
    ("rope_scaling", .string("linear"), "expected object, found string"),
    ("partial_rotary_factor", .double(2), "is not between"),
    ("model_type", .null, "missing"),
    ("model_type", .int(3), "expected string, found integer"),
  ]

  @Test(arguments: badValues) func badValuesNameTheirKey(_ key: String, _ value: JSONValue, _ text: String) {
    let member = String(key.prefix { $0 != "[" })
    let named = text.contains("heads in a hidden") ? "num_attention_heads" : key
    expectFailure(.config, text, "key \(named)", "config.json") { try Self.config([member: value]) }
  }

  @Test func layerTypesMustFit() {
    func types(_ types: [String], window: JSONValue = .int(4)) throws -> DecoderConfig {
      try Self.config(
        [
          "layer_types": .array(types.map { .string($0) }), "sliding_window": window,
          "use_sliding_window": .bool(true),
        ], type: "qwen2")
    }
    expectFailure(.config, "1 entries for 2 layers", "layer_types") { try types(["full_attention"]) }
    expectFailure(.unsupported, "linear_attention", "layer_types[1]") {
      try types(["full_attention", "linear_attention"])
    }
    expectFailure(.config, "no sliding_window", "layer_types") {
      try types(["full_attention", "sliding_attention"], window: .null)
    }
    expectFailure(.config, "a window of 0 tokens", "sliding_window") {
      try types(["full_attention", "sliding_attention"], window: .int(0))
    }
  }

  static let badRopes: [(String, String, String)] = [
    (#"{"rope_type": "linear"}"#, "rope_scaling.factor", "missing"),
    (#"{"rope_type": "linear", "factor": 0}"#, "rope_scaling.factor", "is not between"),
    (#"{"rope_type": "linear", "factor": "2"}"#, "rope_scaling.factor", "expected number, found string"),
    (#"{"type": "dynamic"}"#, "rope_scaling.factor", "missing"),
    (#"{"type": "llama3", "factor": 2, "low_freq_factor": 1}"#, "rope_scaling.high_freq_factor", "missing"),
    (
      #"{"type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4}"#,
      "rope_scaling.high_freq_factor", "must exceed"
    ),
    (#"{"type": "longrope", "short_factor": [1]}"#, "rope_scaling.long_factor", "missing"),
    (
      #"{"type": "longrope", "short_factor": [1], "long_factor": [1, 2]}"#, "rope_parameters",
      "1 longrope factors for 8 frequencies"
    ),
    (
      #"{"type": "longrope", "short_factor": [1], "long_factor": ["a"]}"#, "rope_scaling.long_factor[0]",
      "expected number, found string"
    ),
    (#"{"type": "yarn", "factor": NaN}"#, "rope_scaling.factor", "nan is not between"),
    (#"{"type": "yarn", "truncate": 1}"#, "rope_scaling.truncate", "expected boolean"),
    (#"{"rope_type": 3}"#, "rope_scaling.rope_type", "expected string, found integer"),
  ]

  @Test(arguments: badRopes) func badRopeNamesItsKey(_ text: String, _ key: String, _ what: String) {
    expectFailure(.config, what, "key \(key)", "config.json") { try Self.rope(text) }
  }

  @Test func unknownThingsAreUnsupported() {
    expectFailure(.unsupported, "\"mrope\"", "rope_scaling.type", "supported: default, linear") {
      try Self.rope(#"{"type": "mrope"}"#)
    }
    expectFailure(.unsupported, "\"xielu\"", "hidden_act") {
      try Self.config(["hidden_act": .string("xielu")])
    }
    expectFailure(.unsupported, "quantised by bitsandbytes", "quantization_config", "Ingot reads AWQ") {
      try Self.config([
        "quantization_config": .object(.init([.init("quant_method", .string("bitsandbytes"))]))
      ])
    }
    expectFailure(.unsupported, "cannot rotate 0.5 of a head") {
      try Self.config([
        "partial_rotary_factor": .double(0.5),
        "rope_scaling": try JSONParser.parse(#"{"type": "linear", "factor": 2}"#),
      ])
    }
  }

  @Test func dynamicNeedsMoreThanOneFrequency() {
    expectFailure(.config, "more than 2 rotary dimensions") {
      try Self.config([
        "head_dim": .int(2), "rope_scaling": try JSONParser.parse(#"{"type": "dynamic", "factor": 2}"#),
      ])
    }
  }

  @Test func infiniteFrequenciesFail() throws {
    // The logarithm of theta is zero.
    let config = try Self.config([
      "rope_theta": .int(1), "rope_scaling": try JSONParser.parse(#"{"type": "yarn", "factor": 2}"#),
    ])
    expectFailure(.config, "yarn rope") { try RotaryFrequencies(config, plannedLength: 4) }
  }

  @Test func documentMustBeAnObject() {
    expectFailure(.config, "expected object, found array", "config.json") {
      try DecoderConfig(json: .array([]), file: "config.json")
    }
    expectFailure(.config, "expected object, found integer", "text_config") {
      try DecoderConfig(json: .object(.init([.init("text_config", .int(1))])), file: "config.json")
    }
  }
}
