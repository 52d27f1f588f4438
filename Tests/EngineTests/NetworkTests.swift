import Engine
import Graph
import IngotCore
import NN
import TestSupport
import Testing

@Suite struct NetworkTests {
  @Test func deepExpressionsAreReleasedWithoutRecursion() {
    var x = Tensor("x", .f32, [4])
    for _ in 0..<1_000_000 { x = activation(.silu, x) }
    x = Tensor("y", .f32, [4])
  }

  /// The torch-like guide's first example.
  @Test func linearOfHalvesEqualsReference() throws {
    let network = Network()
    let out = linear(Tensor("x"), Tensor("weight"), transposeB: false)
    network.markOutput(out, "out")
    let engine = try network.buildEngine(options: .test(threads: 2))

    var random = SplitMix64(1)
    let (m, k, n) = (1000, 2000, 3000)
    let x = try HostTensor.random(.f16, [m, k], &random)
    let weight = try HostTensor.random(.f16, [k, n], &random, scale: 0.05)
    let result = try #require(try engine.forward(["x": x, "weight": weight])["out"])
    #expect(result.dtype == .f16)
    #expect(result.shape == [1000, 3000])

    // Rows and columns spread over the result, in double. Rounding to f16 alone is an NMSE of about 1e-7.
    let (a, b, y) = (x.floats, weight.floats, result.floats)
    var (ours, reference): ([Float], [Double]) = ([], [])
    for sample in 0..<600 {
      let (row, column) = (sample * 337 % m, sample * 1013 % n)
      var sum = 0.0
      for index in 0..<k { sum += Double(a[row * k + index]) * Double(b[index * n + column]) }
      ours.append(y[row * n + column])
      reference.append(sum)
    }
    #expect(nmse(ours, reference) < 1e-6)
  }

  /// A decoder block in miniature: norm, projections, rope, attention, residual, SwiGLU.
  static func block(tokens: Dim = "tokens") -> Network {
    let (width, heads, kvHeads, headDim, inner) = (24, 3, 1, 8, 40)
    let network = Network()
    let x = Tensor("x", .f32, [tokens, Dim.fixed(width)])
    let positions = Tensor("positions", .i64, [tokens])
    func weight(_ name: String, _ rows: Int, _ columns: Int) -> Tensor {
      Tensor(name, .f32, [.fixed(rows), .fixed(columns)])
    }
    let h = rmsNorm(x, Tensor("norm", .f32, [24]), epsilon: 1e-5)
    let q = rope(
      linear(h, weight("q", heads * headDim, width)).heads(heads), at: positions, rotaryDim: headDim)
    let k = rope(
      linear(h, weight("k", kvHeads * headDim, width)).heads(kvHeads), at: positions, rotaryDim: headDim)
    let v = linear(h, weight("v", kvHeads * headDim, width)).heads(kvHeads)
    let attended = causalAttention(q, k, v, scale: 0.25).joined()
    let residual = x + linear(attended, weight("o", width, heads * headDim))
    let gate = linear(residual, weight("gate", inner, width))
    let up = linear(residual, weight("up", inner, width))
    network.markOutput(residual + linear(swiglu(gate, up), weight("down", width, inner)), "y")
    return network
  }

  static func blockInputs(tokens: Int, seed: UInt64) throws -> [String: HostTensor] {
    var random = SplitMix64(seed)
    let positions = (0..<tokens).map { Int64($0) }
    return [
      "x": try .random(.f32, [tokens, 24], &random),
      "positions": try HostTensor(positions, shape: Shape([tokens])),
      "norm": try .random(.f32, [24], &random), "q": try .random(.f32, [24, 24], &random),
      "k": try .random(.f32, [8, 24], &random), "v": try .random(.f32, [8, 24], &random),
      "o": try .random(.f32, [24, 24], &random), "gate": try .random(.f32, [40, 24], &random),
      "up": try .random(.f32, [40, 24], &random), "down": try .random(.f32, [24, 40], &random),
    ]
  }

  @Test(arguments: [1, 2, 9, 70]) func decoderBlockEqualsReference(tokens: Int) throws {
    let inputs = try Self.blockInputs(tokens: tokens, seed: 7)
    let engine = try Self.block().buildEngine(options: .test())
    let y = try #require(try engine.forward(inputs)["y"])
    // f32 throughout: an NMSE of (1e-6)² leaves room for the order of sums.
    #expect(nmse(y.floats, ReferenceBlock(inputs, tokens: tokens).output()) < 1e-11)
  }

  @Test func fusedEqualsUnfused() throws {
    let inputs = try Self.blockInputs(tokens: 33, seed: 8)
    let fused = try Self.block().buildEngine(options: .test(fuses: true)).forward(inputs)
    let plain = try Self.block().buildEngine(options: .test(fuses: false)).forward(inputs)
    #expect(fused["y"]?.floats == plain["y"]?.floats)
  }

  /// What is done to heads before attention, and whether anything else needs its results.
  enum Heads: CaseIterable, Sendable {
    case normed, layerNormed, queriesOnly, unnormedKeys, seen, shared, joined
  }

  /// Attention on the thirds of a product, whose heads go through norms and rotations.
  private static func heads(_ kind: Heads) -> Network {
    let (width, heads, headDim) = (24, 4, 6)
    let network = Network()
    let x = Tensor("x", .f32, ["tokens", .fixed(width)])
    let positions = Tensor("positions", .i64, ["tokens"])
    let inner = heads * headDim
    let product = linear(x, Tensor("qkv", .f32, [.fixed(3 * inner), .fixed(width)]))
    let parts = product.split(axis: 1, sizes: [inner, inner, inner])
    var (q, k, v) = (parts[0].heads(heads), parts[1].heads(heads), parts[2].heads(heads))
    let norm = Tensor("norm", .f32, [.fixed(headDim)])
    switch kind {
    case .normed, .seen, .shared:
      (q, k) = (rmsNorm(q, norm, epsilon: 1e-5), rmsNorm(k, norm, epsilon: 1e-5))
    case .layerNormed:
      (q, k) = (layerNorm(q, norm, norm, epsilon: 1e-5), layerNorm(k, norm, norm, epsilon: 1e-5))
    case .unnormedKeys: q = rmsNorm(q, norm, epsilon: 1e-5)
    case .queriesOnly, .joined: break
    }
    if kind == .seen { network.markOutput(k, "normed") }
    q = rope(q, at: positions, rotaryDim: headDim)
    if kind != .queriesOnly { k = rope(k, at: positions, rotaryDim: headDim) }
    if kind == .seen { network.markOutput(q, "turned") }
    let attended = causalAttention(q, kind == .joined ? q : k, v, scale: 0.4).joined()
    network.markOutput(kind == .shared ? attended + k.joined() : attended, "y")
    return network
  }

  @Test(arguments: Heads.allCases, [1, 2, 40]) func headsFusedEqualUnfused(kind: Heads, tokens: Int) throws {
    var random = SplitMix64(UInt64(tokens))
    let inputs: [String: HostTensor] = [
      "x": try .random(.f32, [tokens, 24], &random), "qkv": try .random(.f32, [72, 24], &random),
      "norm": try .random(.f32, [6], &random),
      // Far beyond the rows of the table that are made ahead.
      "positions": try HostTensor((0..<tokens).map { Int64($0) * 97 }, shape: Shape([tokens])),
    ]
    let used = Self.heads(kind).inputs.map(\.name)
    let given = inputs.filter { used.contains($0.key) }
    let fused = try Self.heads(kind).buildEngine(options: .test(threads: 2)).forward(given)
    let plain = try Self.heads(kind).buildEngine(options: .test(fuses: false)).forward(given)
    #expect(!fused.isEmpty && fused.keys == plain.keys)
    for (name, tensor) in plain {
      #expect(fused[name]?.floats == tensor.floats, "\(name)")
      #expect(tensor.floats.contains { $0 != 0 })
    }
  }

  @Test func networksAreIndependentAndConcurrent() async throws {
    let expected = try (0..<8).map { seed in
      try Self.block().buildEngine(options: .test()).forward(
        Self.blockInputs(tokens: 12, seed: UInt64(seed)))["y"]?.floats
    }
    try await withThrowingTaskGroup(of: (Int, [Float]?).self) { group in
      for seed in 0..<8 {
        group.addTask {
          let engine = try Self.block().buildEngine(options: .test(threads: 2))
          return (seed, try engine.forward(Self.blockInputs(tokens: 12, seed: UInt64(seed)))["y"]?.floats)
        }
      }
      for try await (seed, result) in group { #expect(result == expected[seed]) }
    }
  }

  @Test func oneEngineTakesSeveralSizes() throws {
    let engine = try Self.block().buildEngine(options: .test())
    for tokens in [5, 1, 5, 17, 3, 2, 4] {
      let inputs = try Self.blockInputs(tokens: tokens, seed: 9)
      let alone = try Self.block().buildEngine(options: .test()).forward(inputs)
      #expect(try engine.forward(inputs)["y"]?.floats == alone["y"]?.floats)
    }
  }

  @Test func outputsMayBeViewsAndInputs() throws {
    let network = Network()
    let x = Tensor("x", .f32, ["n", 6])
    let parts = x.split(axis: 1, sizes: [2, 4])
    network.markOutput(parts[1], "right")
    network.markOutput(parts[0].reshape([.infer]), "left")
    network.markOutput(x, "x")
    let values = (0..<12).map(Float.init)
    let results = try network.buildEngine(options: .test()).forward(["x": HostTensor(values, shape: [2, 6])])
    #expect(results["right"]?.floats == [2, 3, 4, 5, 8, 9, 10, 11])
    #expect(results["left"]?.floats == [0, 1, 6, 7])
    #expect(results["x"]?.floats == values)
  }
}
