import Ingot
import IngotCore
import Testing

/// The files, names and shapes that users' devices and scripts expect of each preset. Nothing is written.
@Suite struct ExportLayoutTests {
  /// The plan for a checkpoint of three layers, one kv head of width 12, hidden size 48.
  private func plan(
    _ preset: ExportOptions.Preset, _ change: (inout ExportOptions) -> Void = { _ in }
  ) throws -> ExportPlan {
    var options = ExportOptions(preset)
    change(&options)
    let fixture = try #require(ModelFixture.safetensors.first { $0.name == "llama-mqa-3-layers" })
    return try ModelExport(openCheckpoint(fixture.checkpoint), options: options).plan
  }

  private func ports(_ plan: ExportPlan, _ path: String) throws -> (inputs: [String], outputs: [String]) {
    let file = try #require(plan.files.first { $0.path == path })
    return (file.inputs.map(\.description), file.outputs.map(\.description))
  }

  @Test func genaiIsOneModelWithDynamicAxes() throws {
    let plan = try plan(.genai)
    #expect(plan.files.map(\.path) == ["model.onnx.data", "model.onnx"])
    let ports = try ports(plan, "model.onnx")
    #expect(
      ports.inputs.prefix(4) == [
        "input_ids i64 [batch_size, sequence_length]",
        "attention_mask i64 [batch_size, total_sequence_length]",
        "position_ids i64 [batch_size, sequence_length]",
        "past_key_values.0.key f32 [batch_size, 1, past_sequence_length, 12]",
      ])
    #expect(ports.inputs.count == 3 + 2 * 3 && ports.outputs.count == 1 + 2 * 3)
    #expect(ports.outputs[1] == "present.0.key f32 [batch_size, 1, total_sequence_length, 12]")
  }

  @Test func stagedHasFixedShapesInTwoFoldersAndWeightsOnce() throws {
    let plan = try plan(.staged) {
      ($0.blocks, $0.sequenceLength, $0.cacheLength, $0.dtype) = (2, 4, 16, .f16)
    }
    let models = ["embed", "block0", "block1", "output"]
    #expect(
      plan.files.map(\.path).filter { $0.hasSuffix(".onnx") }
        == models.map { "prefill/\($0).onnx" } + models.map { "prefill/decode/\($0).onnx" })
    // The weights of both lie within decode, which lies within prefill.
    #expect(
      plan.files.map(\.path).filter { $0.hasSuffix(".data") }
        == models.map { "prefill/decode/\($0).onnx.data" })
    // Three layers in two blocks: the remainder goes to the first.
    let first = try ports(plan, "prefill/block0.onnx")
    #expect(
      first.inputs == [
        "hidden_states f16 [1, 4, 48]", "attention_mask f16 [1, 1, 4, 20]", "position_ids i64 [1, 4]",
        "past_key f16 [2, 1, 1, 16, 12]", "past_value f16 [2, 1, 1, 16, 12]",
      ])
    #expect(
      first.outputs == [
        "hidden_states_out f16 [1, 4, 48]", "present_key f16 [2, 1, 1, 4, 12]",
        "present_value f16 [2, 1, 1, 4, 12]",
      ])
    let second = try ports(plan, "prefill/decode/block1.onnx")
    #expect(second.inputs[1] == "attention_mask f16 [1, 1, 1, 17]")
    #expect(second.outputs[1] == "present_key f16 [1, 1, 1, 1, 12]")
  }

  @Test func packedCountsLayersFromZeroInEachPack() throws {
    let plan = try plan(.packed) { ($0.packSize, $0.kvLayout) = (2, .bshd) }
    #expect(
      plan.files.map(\.path).filter { $0.hasSuffix(".onnx") }
        == ["embedding.onnx", "decoders_0.onnx", "decoders_1.onnx", "norm.onnx", "lm_head.onnx"])
    let last = try ports(plan, "decoders_1.onnx")
    #expect(
      last.inputs == [
        "hidden_in f32 [B, N, 48]", "attention_mask f32 [B, 1, N, sumN]", "position_ids i64 [B, N]",
        "past_key_in0 f32 [B, lastSum, 1, 12]", "past_value_in0 f32 [B, lastSum, 1, 12]",
      ])
    #expect(
      last.outputs == [
        "hidden_out f32 [B, N, 48]", "past_key0 f32 [B, sumN, 1, 12]", "past_value0 f32 [B, sumN, 1, 12]",
      ])
    #expect(try ports(plan, "norm.onnx") == (["input f32 [B, N, 48]"], ["output f32 [B, N, 48]"]))
  }

  @Test func packedHeadEndsInTopK() throws {
    let head = try ports(try plan(.packed) { $0.topK = 5 }, "lm_head.onnx")
    #expect(head.outputs == ["values f32 [B, N, 5]", "indices i64 [B, N, 5]"])
  }

  @Test func deviceHasThreeSegmentsPerLayerAndItsHeads() throws {
    let plan = try plan(.device) {
      ($0.shareLength, $0.unshareLength, $0.totalLength, $0.rotaryRows) = (8, 4, 24, 64)
    }
    let names = plan.files.map(\.path)
    #expect(names.contains("greedy_head.onnx") && names.contains("rotary_tables.data"))
    #expect(names.filter { $0.hasPrefix("block_1") || $0.hasSuffix("_1.onnx") }.count == 4)
    let share = try ports(plan, "block_0.onnx")
    #expect(
      share.inputs == [
        "input_states f32 [1, 8, 48]", "position_ids i64 [1, 8]", "attention_mask f32 [1, 1, 8, 8]",
      ])
    let unshare = try ports(plan, "block_unshare_0.onnx")
    #expect(unshare.inputs[2] == "attention_mask f32 [1, 1, 4, 12]")
    #expect(unshare.inputs[3] == "history_k f32 [1, 8, 1, 12]")
    let cache = try ports(plan, "block_cache_0.onnx")
    #expect(cache.inputs[2] == "attention_mask f32 [1, 1, 1, 25]")
    #expect(
      cache.outputs == [
        "hidden_states f32 [1, 1, 48]", "past_k f32 [1, 1, 1, 12]", "past_v f32 [1, 1, 1, 12]",
      ])
    let sampling = try ports(plan, "penalty_sample_head.onnx")
    #expect(sampling.inputs[1] == "input_ids i64 [1, 24]")
    #expect(sampling.outputs == ["probs f32 [1, 50]", "token i64 [1, 50]"])
  }

  @Test func wrongOptionsAreNamed() {
    func message(_ preset: ExportOptions.Preset, _ change: (inout ExportOptions) -> Void) -> String {
      do {
        _ = try plan(preset, change)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message(.staged) { $0.blocks = 4 }.contains("--blocks is 4; the model has 3 layers"))
    #expect(message(.genai) { $0.opset = 24 }.contains("opset 24"))
    #expect(message(.device) { $0.totalLength = 300 }.contains("--seq-length 300"))
    #expect(message(.device) { $0.rotaryRows = 1000 }.contains("--max-pos-len 1000"))
    #expect(message(.packed) { $0.topK = 1 << 20 }.contains("--top-k"))
    #expect(message(.packed) { $0.operators = .ort }.contains("--ops ort"))
    #expect(message(.genai) { $0.only = ["nope"] }.contains("nope"))
  }
}
