import Graph
import IngotCore
import NN
import Testing

/// Result types, and that mistakes are found where they are made.
@Suite struct InferenceTests {
  private func type(_ y: Tensor) throws -> String {
    let graph = try Graph(outputs: [("y", y)])
    return graph.type(of: graph.outputs[0].value).description
  }
  private let x = Tensor("x", .f32, ["t", 12])

  @Test func namesPassThrough() throws {
    #expect(try type(x.heads(3)) == "f32[t, 3, 4]")
    #expect(try type(x.heads(3).joined()) == "f32[t, 12]")
    #expect(try type(x.reshape([.infer])) == "f32[12*t]")
    #expect(try type(concat([x, x, Tensor("z", .f32, [2, 12])], axis: 0)) == "f32[2*t+2, 12]")
    #expect(try type(x.heads(3).permute([1, 0, 2])) == "f32[3, t, 4]")
    #expect(try type(Linear("w", 12, 5)(x)) == "f32[t, 5]")
    #expect(try type(x.topK(2).indices) == "i64[t, 2]")
    #expect(try type(x.binary(.less, Tensor(scalar: 0))) == "bool[t, 12]")
    #expect(try type(embedding(Tensor("ids", .i64, ["t"]), x)) == "f32[t, 12]")
    #expect(try type(matmul(x.heads(3).permute([1, 0, 2]), x.heads(3).permute([1, 2, 0]))) == "f32[3, t, t]")
  }

  @Test(arguments: [
    ("linear", { (x: Tensor) in Linear("w", 13, 5)(x) }), ("heads", { x in x.heads(5) }),
    ("add", { x in x + Tensor("z", .f32, [3, 12]) }), ("permute", { x in x.permute([0, 0]) }),
    ("slice", { x in x.slice(axis: 1, 0..<13) }), ("axis", { x in softmax(x, axis: 2) }),
    ("split", { x in x.split(axis: 1, sizes: [5, 6])[0] }), ("norm", { x in RMSNorm("n", 11, 1e-6)(x) }),
    ("rope", { x in rope(x.heads(4), at: Tensor("p", .i64, ["t"]), rotaryDim: 4) }),
    ("groups", { x in causalAttention(x.heads(3), x.heads(3).slice(axis: 1, 0..<2), x.heads(3).slice(axis: 1, 0..<2), scale: 1) }),
    ("untyped", { x in x + Tensor("unknown") }), ("ids", { x in embedding(x, x) }),
  ] as [(String, @Sendable (Tensor) -> Tensor)])
  func mistakesNameTheirLine(_ mistake: (name: String, make: @Sendable (Tensor) -> Tensor)) throws {
    let error = #expect(throws: IngotError.self) { _ = try type(mistake.make(x)) }
    #expect(error?.kind == .shape)
    #expect(error?.place.line?.contains("InferenceTests.swift:") == true)
  }

  @Test func twoOutputsNeedTwoNames() {
    #expect(throws: IngotError.self) { try Graph(outputs: [("y", x), ("y", x + 1)]) }
  }

  @Test func hugeGraphsNeedNoStack() throws {
    var y = x
    for _ in 0..<20_000 { y = y + x }
    #expect(try Graph(outputs: [("y", y)]).nodes.count == 20_001)
  }

  @Test func impossibleConstantsAreErrors() {
    var graph = Graph()
    #expect(throws: IngotError.self) {
      try graph.append(.constant(Constant(dtype: .f32, dims: [2], values: [1])), place: "here")
    }
  }
}
