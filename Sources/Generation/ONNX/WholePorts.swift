internal import IngotCore
internal import ONNXRuntime

/// The ports of a decoder in one model, found by their names: those of `genai_config.json`, or the usual ones.
struct WholePorts {
  let ids: TensorPort
  let logits: TensorPort
  /// Ones per token of the past and the present.
  let mask: TensorPort?
  let positions: TensorPort?
  /// Whether there is a past, of models that hold both graphs.
  let usesCache: TensorPort?
  /// Tokens of past and present.
  let total: TensorPort?
  /// How many rows of logits are computed; 0 for all.
  let keptLogits: TensorPort?
  /// The cache's ports, one pair per layer: past and present.
  let layers: [Layer]

  struct Layer {
    let pastKey, pastValue, presentKey, presentValue: String
    let key, value: TensorPort
  }

  /// Patterns of the cache's ports.
  private struct Patterns {
    let pastKey, pastValue, presentKey, presentValue: String

    static let usual = [
      Patterns(
        pastKey: "past_key_values.%d.key", pastValue: "past_key_values.%d.value",
        presentKey: "present.%d.key",
        presentValue: "present.%d.value"),
      Patterns(
        pastKey: "past_key_%d", pastValue: "past_value_%d", presentKey: "present_key_%d",
        presentValue: "present_value_%d"),
      Patterns(
        pastKey: "past_key_values.%d.key", pastValue: "past_key_values.%d.value",
        presentKey: "present_key_values.%d.key", presentValue: "present_key_values.%d.value"),
    ]
  }

  /// - Throws: `.unsupported` naming what cannot be driven.
  init(_ session: OrtSession, genai: JSONValue?) throws(IngotError) {
    let inputs = genai?["decoder"]?["inputs"]
    let outputs = genai?["decoder"]?["outputs"]
    func name(_ key: String) -> String { inputs?[key]?.string ?? key }
    if session.input(name("input_ids")) == nil {
      for embeds in [name("inputs_embeds"), "hidden_in", "hidden_states"] where session.input(embeds) != nil {
        throw IngotError(
          .unsupported,
          "the model is driven by \"\(embeds)\", rows of an embedding: it is part of another model and takes no tokens",
          at: .init(file: session.path, tensor: embeds))
      }
    }
    ids = try session.required(input: name("input_ids"))
    logits = try session.required(output: outputs?["logits"]?.string ?? "logits")
    mask = session.input(name("attention_mask"))
    positions = session.input(name("position_ids"))
    usesCache = session.input("use_cache_branch")
    total = session.input(name("total_sequence_length")) ?? session.input("total_seq_len")
    keptLogits = session.input("num_logits_to_keep")
    var patterns = Patterns.usual
    if let pastKey = inputs?["past_key_names"]?.string, let pastValue = inputs?["past_value_names"]?.string {
      patterns.insert(
        Patterns(
          pastKey: pastKey, pastValue: pastValue,
          presentKey: outputs?["present_key_names"]?.string ?? "present.%d.key",
          presentValue: outputs?["present_value_names"]?.string ?? "present.%d.value"), at: 0)
    }
    layers =
      patterns.lazy.map { Self.layers(session, $0) }.first { !$0.isEmpty } ?? []
    for layer in layers {
      _ = try session.required(output: layer.presentKey)
      _ = try session.required(output: layer.presentValue)
    }
    var known = Set(layers.flatMap { [$0.pastKey, $0.pastValue] })
    for port in [ids, mask, positions, usesCache, total, keptLogits] {
      if let port { known.insert(port.name) }
    }
    try session.check(knownInputs: known)
    try checkBatches(session)
  }

  private static func layers(_ session: OrtSession, _ patterns: Patterns) -> [Layer] {
    var layers: [Layer] = []
    while true {
      func name(_ pattern: String) -> String { fill(pattern, layers.count) }
      guard let key = session.input(name(patterns.pastKey)),
        let value = session.input(name(patterns.pastValue)),
        key.name != layers.last?.pastKey
      else { return layers }
      layers.append(
        Layer(
          pastKey: key.name, pastValue: value.name, presentKey: name(patterns.presentKey),
          presentValue: name(patterns.presentValue), key: key, value: value))
    }
  }

  /// A pattern with a number in place of `%d`.
  private static func fill(_ pattern: String, _ number: Int) -> String {
    guard let place = pattern.firstRange(of: "%d") else { return pattern }
    return pattern[..<place.lowerBound] + "\(number)" + pattern[place.upperBound...]
  }

  private func checkBatches(_ session: OrtSession) throws(IngotError) {
    for port in [ids, mask, positions] {
      guard let port else { continue }
      guard port.dims.count == 2, port.dims[0] == nil || port.dims[0] == 1 else {
        throw IngotError(
          .unsupported, "\(port) should be [batch, length] with a batch of 1 or any",
          at: .init(file: session.path, tensor: port.name))
      }
    }
    guard ids.dims[1] == nil || ids.dims[1] == 1 else {
      throw IngotError(
        .unsupported,
        "\(ids) takes a fixed number of tokens; a model with a growing cache should take any or 1",
        at: .init(file: session.path, tensor: ids.name))
    }
    guard logits.dims.count == 3 else {
      throw IngotError(
        .unsupported, "\(logits) should be [batch, length, vocabulary]",
        at: .init(file: session.path, tensor: logits.name))
    }
  }
}
