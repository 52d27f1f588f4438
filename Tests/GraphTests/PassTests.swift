import Graph
import IngotCore
import NN
import Testing

/// What each pass does to a graph; that results stay the same is `EngineTests`' to say.
@Suite struct PassTests {
  private let x = Tensor("x", .f32, ["t", 4])

  private func graph(_ y: Tensor) throws -> Graph { try Graph(outputs: [("y", y)]) }
  private func operators(_ graph: Graph) -> [String] {
    graph.nodes.map(\.op.name).filter { $0 != "input" && $0 != "parameter" && $0 != "constant" }
  }

  @Test func deadCodeGoes() throws {
    var graph = Graph()
    let input = try graph.append(.input(name: "x"), inputType: TensorType(.f32, [2]), place: "")
    try graph.append(.unary(.exp), [input], place: "")
    try graph.markOutput(try graph.append(.unary(.silu), [input], place: ""), "y")
    #expect(operators(try Pass.deadCode.run(graph)) == ["silu"])
  }

  @Test func equalOperatorsBecomeOne() throws {
    let twice = activation(.silu, x) * activation(.silu, x)
    let merged = try Pass.commonSubexpressions.run(try graph(twice))
    #expect(operators(merged) == ["silu", "mul"])
    #expect(merged.nodes.last?.inputs[0] == merged.nodes.last?.inputs[1])
  }

  @Test func scalarsFold() throws {
    let y = x + Tensor(scalar: 2) * Tensor(scalar: 0.5)
    let folded = try graph(y).applying([.foldConstants, .deadCode])
    #expect(operators(folded) == ["add"])
    #expect(folded.text.contains("add(x, 1.0)"))
  }

  @Test func linearsOfOneInputMerge() throws {
    let (q, k) = (Linear("q", 4, 6), Linear("k", 4, 2))
    let y = q(x).split(axis: 1, sizes: [2, 4])[0] + k(x)
    let merged = try graph(y).applying([.mergeLinears(where: { _ in true }), .deadCode])
    #expect(operators(merged) == ["linear", "split", "split", "add"])
    #expect(merged.text.contains("@[q.weight; k.weight]"))
    #expect(merged.parameters.map(\.dims) == [[8, 4]])
    let apart = try graph(y).applying([.mergeLinears(where: { _ in false }), .deadCode])
    #expect(operators(apart).count { $0 == "linear" } == 2)
  }

  @Test func linearsWithDifferentBiasesStayApart() throws {
    let y = Linear("a", 4, 4)(x) + Linear("b", 4, 4, bias: true)(x)
    #expect(
      operators(try Pass.mergeLinears(where: { _ in true }).run(try graph(y))).count { $0 == "linear" } == 2)
  }

  @Test func gateAndProductFuse() throws {
    #expect(operators(try Pass.fuseGated.run(try graph(swiglu(x, x + 1)))) == ["add", "siluGated"])
    // An activation that others read must stay.
    let gate = activation(.silu, x)
    #expect(operators(try Pass.fuseGated.run(try graph(gate * (x + 1) + gate))).contains("silu"))
  }

  @Test func residualFuses() throws {
    let fused = try Pass.fuseResidual.run(try graph(x + Linear("o", 4, 4, bias: true)(x)))
    #expect(operators(fused) == ["linear"])
    #expect(fused.text.contains("linear(x, @o.weight, @o.bias, x, bias, residual)"))
    let broadcast = Tensor("v", .f32, [4]) + Linear("o", 4, 4)(x)
    #expect(operators(try Pass.fuseResidual.run(try graph(broadcast))).contains("add"))
  }
}
