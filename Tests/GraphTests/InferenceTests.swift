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
    #expect(
      try type(matmul(x.heads(3).permute([1, 0, 2]), x.heads(3).permute([1, 2, 0]))) == "f32[3, t, t]")
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (Tensor) -> Tensor
    init(_ name: String, _ make: @escaping @Sendable (Tensor) -> Tensor) {
      (testDescription, self.make) = (name, make)
    }
  }

  static let mistakes = [
    Mistake("linear") { Linear("w", 13, 5)($0) },
    Mistake("heads") { $0.heads(5) },
    Mistake("add") { $0 + Tensor("z", .f32, [3, 12]) },
    Mistake("permute") { $0.permute([0, 0]) },
    Mistake("slice") { $0.slice(axis: 1, 0..<13) },
    Mistake("axis") { softmax($0, axis: 2) },
    Mistake("split") { $0.split(axis: 1, sizes: [5, 6])[0] },
    Mistake("norm") { RMSNorm("n", 11, 1e-6)($0) },
    Mistake("rope") { rope($0.heads(4), at: Tensor("p", .i64, ["t"]), rotaryDim: 4) },
    Mistake("groups") { x in
      let two = x.heads(3).slice(axis: 1, 0..<2)
      return causalAttention(x.heads(3), two, two, scale: 1)
    },
    Mistake("untyped") { $0 + Tensor("unknown") },
    Mistake("ids") { embedding($0, $0) },
  ]

  @Test(arguments: mistakes) func mistakesNameTheirLine(_ mistake: Mistake) throws {
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
