import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

private let runtime = try? OrtRuntime.load()

/// Every operator of the graph, as ONNX Runtime computes it and as our own engine does.
@Suite(.enabled(if: runtime != nil, "ONNX Runtime is not installed")) struct NetworkExportTests {
  /// A network, and how large its named dims are.
  struct Example: Sendable, CustomTestStringConvertible {
    var name: String
    var opsets = [13, 17, 18, 20, 23]
    var make: @Sendable () -> [Tensor]
    var testDescription: String { name }
  }

  static let x = Tensor("x", .f32, ["n", 6])
  static let y = Tensor("y", .f32, ["n", 6])
  static let positive = Tensor("positive", .f32, ["n", 6])
  static let indices = Tensor("indices", .i64, ["m"])
  static let heads = Tensor("heads", .f32, ["n", 4, 8])
  static let keys = Tensor("keys", .f32, ["n", 2, 8])
  static let positions = Tensor("positions", .i64, ["n"])

  static let examples: [Example] = [
    Example(name: "arithmetic") {
      [x + y, x - y, x * y, x / positive, x * 3, x.binary(.max, y), x.binary(.min, y)]
    },
    Example(name: "functions") {
      Op.Unary.allCases.filter { $0 != .logicalNot }.map { function in
        activation(function, [.log, .sqrt, .rsqrt, .reciprocal].contains(function) ? positive : x)
      }
    },
    Example(name: "reductions") {
      Op.Reduction.allCases.flatMap { [x.reduce($0, axis: -1), x.reduce($0, axis: 1, keepDims: true)] }
    },
    Example(name: "moves") {
      [
        x.reshape([.keep(0), .fixed(2), .infer]), heads.permute([1, 0, 2]), x.slice(axis: 1, 1..<6, by: 2),
        x.tile([1, 2]), concat([x, y], axis: 1), gather(x, indices, axis: 0), softmax(x, axis: -1),
      ] + x.split(axis: 1, sizes: [2, 4])
    },
    Example(name: "order") {
      let top = x.topK(3)
      let sorted = x.sorted(descending: true)
      return [top.values, top.indices, sorted.values, sorted.indices, x.sorted().values]
    },
    Example(name: "products") {
      [
        matmul(heads, Tensor("square", .f32, [8, 3])),
        matmul(heads, Tensor("turned", .f32, [3, 8]), transposeB: true),
        linear(x, Tensor("w", .f32, [5, 6]), bias: Tensor("b", .f32, [5])),
        linear(x, Tensor("v", .f32, [6, 5]), transposeB: false),
        rmsNorm(x, Tensor("scale", .f32, [6]), weightOffset: 1),
        layerNorm(x, Tensor("scale", .f32, [6]), Tensor("shift", .f32, [6])),
      ]
    },
    Example(name: "attention") {
      [
        causalAttention(heads, keys, keys, scale: 0.3),
        causalAttention(heads, keys, keys, scale: 0.3, window: 3),
        causalAttention(heads, keys, keys, scale: 0.3, softcap: 5),
      ]
    },
    Example(name: "rope") {
      [
        rope(heads, at: positions, rotaryDim: 4), rope(heads, at: positions, rotaryDim: 4, interleaved: true),
        rope(heads, at: positions, rotaryDim: 8, table: "full"),
      ]
    },
  ]

  @Test(arguments: examples) func runtimeAgreesWithTheEngine(_ example: Example) throws {
    let network = Network()
    for (index, tensor) in example.make().enumerated() { network.markOutput(tensor, "out\(index)") }
    var random = SplitMix64(7)
    var inputs: [String: HostTensor] = [:]
    for (name, type) in network.inputs {
      let dims = try #require(type).binding(["n": 5, "m": 3]).shape!
      let count = dims.reduce(1, *)
      inputs[name] =
        switch name {
        case "indices": try HostTensor([4, 0, 2] as [Int64], shape: Shape(dims))
        case "positions": try HostTensor([0, 1, 2, 7, 30] as [Int64], shape: Shape(dims))
        case "positive":
          try HostTensor((0..<count).map { _ in random.float(0.5...1.5) }, shape: Shape(dims))
        default: try HostTensor((0..<count).map { _ in random.float(-2...2) }, shape: Shape(dims))
        }
    }
    var options = NetworkOptions()
    options.rotary = ["rope": RotaryTableSource(), "full": RotaryTableSource()]
    let expected = try network.buildEngine(options: options).forward(inputs)
    let folder = try Folder()
    var rotary: [String: RotaryFrequencies] = [:]
    for (name, width) in [("rope", 4), ("full", 8)] {
      rotary[name] = try RotaryFrequencies(
        RopeParameters(), headDim: width, maxPositions: 4096, plannedLength: 4096)
    }
    for opset in example.opsets {
      let path = "\(folder.path)/\(opset).onnx"
      try network.exportONNX(rotary: rotary, opset: opset, to: path)
      let results = try OrtSession(runtime!, path: path).run(inputs)
      #expect(results.count == expected.count)
      for (name, tensor) in expected {
        let result = try #require(results[name])
        #expect(result.shape == tensor.shape && result.dtype == tensor.dtype, "\(name) at opset \(opset)")
        if tensor.dtype == .f32 {
          let difference = largestDifference(result.array(of: Float.self), tensor.array(of: Float.self))
          // f32 on both sides, values of a few units.
          #expect(difference < 2e-5, "\(name) at opset \(opset)")
        } else {
          #expect(result.array(of: Int64.self) == tensor.array(of: Int64.self), "\(name) at opset \(opset)")
        }
      }
    }
  }

  @Test func pagedAttentionIsRefused() throws {
    let network = Network()
    network.markOutput(pagedAttention(Self.heads, Self.keys, Self.keys, layer: 0, Batch(), scale: 1), "out")
    #expect(throws: IngotError.self) { try network.exportONNX(to: "/nonexistent/x.onnx") }
  }
}
