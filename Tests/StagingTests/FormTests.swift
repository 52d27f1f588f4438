import IngotCore
import Staging
import Testing

@Suite struct FormTests {
  let source = ToySource(ToyModel())

  @Test func lengthsAreReadOffThePorts() throws {
    let form = try StagedForm(source)
    #expect(form.inputLength == 4 && form.cacheLength == 24 && form.blocks.map(\.layerCount) == [2, 1])
    #expect(form.blocks[1].cacheShape == [1, 1, 2, 24, 4] && form.output.vocabularySize == 19)
  }

  /// Changes one port of block 0.
  func refuse(
    _ kind: IngotError.Kind, _ port: String, _ words: String, dtype: DType? = nil, dims: [Int?]? = nil,
    location: SourceLocation = #_sourceLocation
  ) {
    var ports = source.ports(of: .block(0))
    func change(_ list: inout [StagePort]) {
      for index in list.indices where list[index].name == port {
        list[index].dtype = dtype ?? list[index].dtype
        list[index].dims = dims ?? list[index].dims
        if dtype == nil && dims == nil { list[index].name = "other" }
      }
    }
    change(&ports.inputs)
    change(&ports.outputs)
    expectError(kind, words, "block0.onnx", sourceLocation: location) {
      _ = try BlockForm(ports, file: "x/block0.onnx")
    }
  }

  @Test func portsOfAnotherFormAreNamed() {
    for name in ["attention_mask", "position_ids", "past_key", "hidden_states_out", "present_value"] {
      refuse(.format, name, "\"\(name)\"")
    }
    refuse(.shape, "past_key", "bf16", dtype: .bf16)
    refuse(.shape, "position_ids", "f32", dtype: .f32)
    refuse(.shape, "present_key", "f16", dtype: .f16)
    refuse(.unsupported, "past_key", "[2, 1, 2, ?, 4]", dims: [2, 1, 2, nil, 4])
    refuse(.shape, "past_key", "[2, 2, 2, 24, 4]", dims: [2, 2, 2, 24, 4])
    refuse(.shape, "past_value", "[2, 1, 2, 24, 5]", dims: [2, 1, 2, 24, 5])
    refuse(.shape, "attention_mask", "[1, 1, 4, 24]", dims: [1, 1, 4, 24])
    refuse(.shape, "attention_mask", "4 extents", dims: [4, 28])
    refuse(.shape, "present_key", "[2, 1, 2, 28, 4]", dims: [2, 1, 2, 28, 4])
    refuse(.unsupported, "past_key", "fixed", dims: [2, 1, 2, 0, 4])
    refuse(.shape, "past_key", "impossible", dims: [1 << 30, 1, 1 << 30, 1 << 30, 1 << 30])
  }

  @Test func weightsTellModelsApart() {
    func print(_ weights: (String, Int, UInt64)...) -> PartPrint {
      PartPrint(graph: 0, weights: weights.map { .init(form: $0.0, byteCount: $0.1, digest: $0.2) })
    }
    let prefill = print(("1[8,8]", 9000, 1), ("1[8,8]", 9000, 2), ("1[64,2]", 2000, 3))
    // Tables follow the lengths; weights do not.
    #expect(prefill.hasWeights(of: print(("1[8,8]", 9000, 2), ("1[8,8]", 9000, 1), ("1[32,2]", 1000, 4))))
    #expect(!prefill.hasWeights(of: print(("1[8,8]", 9000, 2), ("1[8,8]", 9000, 5), ("1[64,2]", 2000, 3))))
    #expect(!prefill.hasWeights(of: print(("1[8,9]", 9000, 1), ("1[64,2]", 2000, 3))))
    #expect(prefill.hasWeights(of: prefill) && print().hasWeights(of: print()))
    let back = PartPrint(json: prefill.json)
    #expect(back == prefill)
  }
}
