import Engine
import Graph
import IngotCore
import NN
import TestSupport
import Testing

/// Each operator through graph, plan and kernel, against values worked out by hand or plain loops.
@Suite struct OperatorTests {
  private func run(_ outputs: [(String, Tensor)], _ inputs: [String: HostTensor]) throws -> [String:
    HostTensor]
  {
    let network = Network()
    for (name, tensor) in outputs { network.markOutput(tensor, name) }
    return try network.buildEngine(options: .test()).forward(inputs)
  }

  private func floats(_ y: Tensor, _ inputs: [String: HostTensor]) throws -> [Float] {
    try #require(try run([("y", y)], inputs)["y"]).floats
  }

  private let x = Tensor("x", .f32, [2, 3])
  private func input(_ values: [Float] = [1, -2, 3, 4, 5, -6]) throws -> [String: HostTensor] {
    ["x": try HostTensor(values, shape: [2, 3])]
  }

  @Test func arithmeticBroadcastsAsNumPy() throws {
    var inputs = try input()
    inputs["row"] = try HostTensor([10, 20, 30] as [Float], shape: [3])
    inputs["column"] = try HostTensor([1, 2] as [Float], shape: [2, 1])
    let (row, column) = (Tensor("row", .f32, [3]), Tensor("column", .f32, [2, 1]))
    #expect(try floats(x + row, inputs.filter { $0.key != "column" }) == [11, 18, 33, 14, 25, 24])
    #expect(try floats(column * x - row, inputs) == [-9, -22, -27, -2, -10, -42])
    #expect(try floats((x + 1) * 2 / 4, input()) == [1, -0.5, 2, 2.5, 3, -2.5])
    #expect(try floats(-x, input()) == [-1, 2, -3, -4, -5, 6])
  }

  @Test func comparisonsGiveBools() throws {
    let result = try #require(try run([("y", x.binary(.greater, Tensor(scalar: 2)))], input())["y"])
    #expect(result.dtype == .bool)
    #expect(result.array(of: UInt8.self) == [0, 0, 1, 1, 1, 0])
    let negated = activation(.logicalNot, x.binary(.less, Tensor(scalar: 0)))
    #expect(try run([("y", negated)], input())["y"]?.array(of: UInt8.self) == [1, 0, 1, 1, 1, 0])
  }

  @Test func reductionsEqualTorch() throws {
    #expect(try floats(x.reduce(.sum, axis: 1), input()) == [2, 3])
    #expect(try floats(x.reduce(.mean, axis: 0), input()) == [2.5, 1.5, -1.5])
    #expect(try floats(x.reduce(.amax, axis: -1, keepDims: true), input()) == [3, 5])
    #expect(try floats(x.reduce(.amin, axis: 0), input()) == [1, -2, -6])
    let norm = try floats(x.reduce(.norm, axis: 1), input())
    #expect(abs(norm[0] - Float(14).squareRoot()) < 1e-6)
    // torch.std of [1, -2, 3], divisor n - 1.
    let std = try floats(x.reduce(.std, axis: 1), input())
    #expect(abs(std[0] - 2.516_611_5) < 1e-5)
  }

  @Test func movesKeepEveryElement() throws {
    #expect(try floats(x.permute([1, 0]), input()) == [1, 4, -2, 5, 3, -6])
    #expect(try floats(x.slice(axis: 1, 0..<3, by: 2), input()) == [1, 3, 4, -6])
    #expect(try floats(x.slice(axis: 0, 1..<2), input()) == [4, 5, -6])
    #expect(try floats(concat([x, x], axis: 0), input()) == [1, -2, 3, 4, 5, -6, 1, -2, 3, 4, 5, -6])
    #expect(try floats(concat([x, x], axis: 1), input()) == [1, -2, 3, 1, -2, 3, 4, 5, -6, 4, 5, -6])
    #expect(try floats(x.tile([1, 2]), input()) == [1, -2, 3, 1, -2, 3, 4, 5, -6, 4, 5, -6])
    #expect(try floats(x.tile([2, 1]), input()) == [1, -2, 3, 4, 5, -6, 1, -2, 3, 4, 5, -6])
    let parts = x.split(axis: 0, sizes: [1, 1])
    #expect(try floats(parts[1] - parts[0], input()) == [3, 7, -9])
    #expect(try floats(x.reshape([.fixed(3), .infer]).permute([1, 0]), input()) == [1, 3, 5, -2, 4, -6])
  }

  @Test func piecesWithGapsFeedEveryOperator() throws {
    // A split's pieces are rows with gaps; operators that need dense rows must still see the right elements.
    let pieces = x.split(axis: 1, sizes: [1, 2])
    #expect(try floats(pieces[1] + pieces[0], input()) == [-1, 4, 9, -2])
    #expect(try floats(softmax(pieces[1]).reduce(.sum, axis: 1), input()).allSatisfy { abs($0 - 1) < 1e-6 })
    #expect(try floats(pieces[1].permute([1, 0]), input()) == [-2, 5, 3, -6])
    let again = pieces[1].split(axis: 1, sizes: [1, 1])
    #expect(try floats(again[1] * again[0], input()) == [-6, -30])
    #expect(try floats(pieces[1].reshape([.infer]), input()) == [-2, 3, 5, -6])
  }

  @Test func gatherSortAndTopK() throws {
    var inputs = try input()
    inputs["i"] = try HostTensor([1, 0, -1] as [Int64], shape: [3])
    let indices = Tensor("i", .i64, [3])
    #expect(try floats(gather(x, indices, axis: 0), inputs) == [4, 5, -6, 1, -2, 3, 4, 5, -6])
    #expect(try floats(gather(x, indices, axis: 1), inputs) == [-2, 1, 3, 5, 4, -6])
    let top = x.topK(2)
    let results = try run([("values", top.values), ("indices", top.indices)], input())
    #expect(results["values"]?.floats == [3, 1, 5, 4])
    #expect(results["indices"]?.array(of: Int64.self) == [2, 0, 1, 0])
    let sorted = try run([("i", x.sorted().indices)], input())
    #expect(sorted["i"]?.array(of: Int64.self) == [1, 0, 2, 2, 0, 1])
  }

  @Test func castsRound() throws {
    let values: [Float] = [1.5, -2.5, 3.999, 70_000, 0, -1]
    let cast = try run(
      [("i", x.cast(.i64)), ("h", x.cast(.f16).cast(.f32)), ("b", x.cast(.bool))], input(values))
    #expect(cast["i"]?.array(of: Int64.self) == [1, -2, 3, 70_000, 0, -1])
    #expect(cast["h"]?.floats == [1.5, -2.5, 3.998_046_875, .infinity, 0, -1])
    #expect(cast["b"]?.array(of: UInt8.self) == [1, 1, 1, 1, 0, 1])
  }

  @Test func matmulBroadcastsBatches() throws {
    var random = SplitMix64(3)
    let a = try HostTensor.random(.f32, [2, 3, 4, 5], &random)
    let b = try HostTensor.random(.f32, [3, 6, 5], &random)
    let product = matmul(Tensor("a", .f32, [2, 3, 4, 5]), Tensor("b", .f32, [3, 6, 5]), transposeB: true)
    let y = try floats(product, ["a": a, "b": b])
    let (av, bv) = (a.floats, b.floats)
    var reference: [Double] = []
    for outer in 0..<2 {
      for batch in 0..<3 {
        for row in 0..<4 {
          for column in 0..<6 {
            reference.append(
              (0..<5).reduce(0) {
                $0 + Double(av[((outer * 3 + batch) * 4 + row) * 5 + $1])
                  * Double(bv[(batch * 6 + column) * 5 + $1])
              })
          }
        }
      }
    }
    #expect(nmse(y, reference) < 1e-12)
  }

  @Test func indicesThatCannotBeCheckedAreRefused() throws {
    let (table, scores) = (Tensor("t", .f32, [4, 2]), Tensor("s", .f32, [3]))
    let t = try HostTensor([Float](repeating: 1, count: 8), shape: [4, 2])
    let s = try HostTensor([9, 1e9, -1e9] as [Float], shape: [3])
    #expect(throws: IngotError.self) { try floats(embedding(scores.cast(.i64), table), ["t": t, "s": s]) }
    // Gather stays within the table whatever it is given.
    #expect(try floats(gather(table, scores.cast(.i64)), ["t": t, "s": s]) == [1, 1, 1, 1, 1, 1])
    let narrow = try HostTensor([1, 2, 3] as [Int16], dtype: .i16, shape: [3])
    #expect(throws: IngotError.self) {
      try floats(gather(table, Tensor("i", .i16, [3])), ["t": t, "i": narrow])
    }
  }

  @Test func badInputsAreErrors() throws {
    let ids = Tensor("ids", .i64, ["n"])
    let table = Tensor("t", .f32, [4, 2])
    let network = Network()
    network.markOutput(embedding(ids, table), "y")
    let engine = try network.buildEngine(options: .test())
    let t = try HostTensor([Float](repeating: 1, count: 8), shape: [4, 2])
    for bad in [4, -1, Int64.max] {
      #expect(throws: IngotError.self) { try engine.forward(["ids": HostTensor([bad], shape: [1]), "t": t]) }
    }
    #expect(throws: IngotError.self) { try engine.forward(["t": t]) }
    #expect(throws: IngotError.self) { try engine.forward(["ids": t, "t": t]) }
    let error = #expect(throws: IngotError.self) {
      let network = Network()
      network.markOutput(Tensor("a", .f32, [2, 3]) + Tensor("b", .f32, [2, 4]), "y")
      _ = try network.buildEngine()
    }
    #expect(error?.what.contains("f32[2, 3], f32[2, 4]") == true)
    #expect(error?.place.line?.contains("OperatorTests.swift") == true)
  }
}
