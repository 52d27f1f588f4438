package import IngotCore

/// Runs the parts, and checks that what comes out has the form that was promised.
package enum Stages {
  /// Token ids i64 `[1, S]` to hidden states `[1, S, H]`.
  /// - Throws: errors of the back end; `.shape`.
  package static func embed(
    _ part: any StagePart, _ form: EmbedForm, ids: HostTensor
  ) throws(IngotError) -> HostTensor {
    var results = try part.run(["input_ids": ids], outputs: ["hidden_states"])
    return try take("hidden_states", from: &results, form.dtype, [1, form.inputLength, form.hiddenSize])
  }

  /// What a block makes of a step.
  package struct BlockResult {
    /// `[1, S, H]`.
    package let hidden: HostTensor
    /// New rows `[layers, 1, kv, S, hd]`.
    package let keys, values: HostTensor
  }

  /// Hidden states `[1, S, H]` and a cache to hidden states and new rows; the cache stays as it is.
  /// - Throws: as above.
  package static func block(
    _ part: any StagePart, _ form: BlockForm, hidden: HostTensor, mask: HostTensor, positions: HostTensor,
    cache: BlockCache
  ) throws(IngotError) -> BlockResult {
    let names = ["hidden_states_out", "present_key", "present_value"]
    var results = try part.run(
      [
        "hidden_states": hidden, "attention_mask": mask, "position_ids": positions,
        "past_key": cache.keys(), "past_value": cache.values(),
      ], outputs: names)
    let rows: Shape = [form.layerCount, 1, form.headCount, form.inputLength, form.headSize]
    return BlockResult(
      hidden: try take(names[0], from: &results, form.dtype, [1, form.inputLength, form.hiddenSize]),
      keys: try take(names[1], from: &results, form.cacheType, rows),
      values: try take(names[2], from: &results, form.cacheType, rows))
  }

  /// Hidden states `[1, S, H]` to logits, without padding.
  /// - Returns: `[rows, V]`.
  /// - Throws: as above.
  package static func output(
    _ part: any StagePart, _ form: OutputForm, hidden: HostTensor, rows: Int
  ) throws(IngotError) -> HostTensor {
    var results = try part.run(["hidden_states": hidden], outputs: ["logits"])
    let logits = try take(
      "logits", from: &results, form.logitsType, [1, form.inputLength, form.vocabularySize])
    let byteCount = rows * form.vocabularySize * form.logitsType.byteCount
    let buffer = try AlignedBuffer(byteCount: byteCount)
    withExtendedLifetime(logits) {
      buffer.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: logits.bytes[..<byteCount]))
    }
    return try HostTensor(
      dtype: form.logitsType, shape: [rows, form.vocabularySize],
      bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }

  private static func take(
    _ name: String, from results: inout [String: HostTensor], _ dtype: DType, _ shape: Shape
  ) throws(IngotError) -> HostTensor {
    guard let tensor = results.removeValue(forKey: name) else {
      throw IngotError(.shape, "the part gave no such output", at: .init(tensor: name))
    }
    guard tensor.dtype == dtype, tensor.shape == shape else {
      throw IngotError(
        .shape, "the part gave \(tensor.dtype) \(tensor.shape) and promised \(dtype) \(shape)",
        at: .init(tensor: name))
    }
    return tensor
  }
}
