import CKernels
import Foundation
import TestSupport
import Testing

/// A function of one number, its double twin, and where it is tried.
struct UnaryCase: Sendable, CustomTestStringConvertible {
  let op: ingot_unary
  let name: String
  let range: ClosedRange<Float>
  let reference: @Sendable (Double) -> Double
  var testDescription: String { name }

  init(
    _ op: ingot_unary, _ name: String, _ range: ClosedRange<Float>,
    _ f: @escaping @Sendable (Double) -> Double
  ) {
    (self.op, self.name, self.range, reference) = (op, name, range, f)
  }

  static let all: [UnaryCase] = [
    .init(INGOT_NEG, "neg", -9...9) { -$0 },
    .init(INGOT_ABS, "abs", -9...9) { abs($0) },
    .init(INGOT_EXP, "exp", -80...80) { exp($0) },
    .init(INGOT_EXP, "exp near 0", -1...1) { exp($0) },
    .init(INGOT_LOG, "log", 0.01...99) { log($0) },
    .init(INGOT_SQRT, "sqrt", 0...99) { $0.squareRoot() },
    .init(INGOT_RSQRT, "rsqrt", 0.01...99) { 1 / $0.squareRoot() },
    .init(INGOT_COS, "cos", -20...20) { cos($0) },
    .init(INGOT_SIN, "sin", -20...20) { sin($0) },
    .init(INGOT_TANH, "tanh", -12...12) { tanh($0) },
    .init(INGOT_TANH, "tanh near 0", -0.7...0.7) { tanh($0) },
    .init(INGOT_SIGMOID, "sigmoid", -30...30) { 1 / (1 + exp(-$0)) },
    .init(INGOT_SILU, "silu", -30...30) { $0 / (1 + exp(-$0)) },
    .init(INGOT_RELU, "relu", -9...9) { max($0, 0) },
    .init(INGOT_GELU, "gelu", -9...9) { $0 * (1 + erf($0 / 2.0.squareRoot())) / 2 },
    .init(INGOT_GELU_TANH, "gelu tanh", -9...9) {
      $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) / 2
    },
    .init(INGOT_QUICK_GELU, "quick gelu", -9...9) { $0 / (1 + exp(-1.702 * $0)) },
    .init(INGOT_RECIPROCAL, "reciprocal", 0.01...9) { 1 / $0 },
  ]
}

@Suite struct ElementwiseTests {
  static func unary(_ op: ingot_unary, _ x: [Float]) -> [Float] {
    Ops.everyWay(x.count) { context, y in ingot_unary_op(context, op, x, y, Int64(x.count)) }
  }

  @Test(arguments: UnaryCase.all, [0, 1, 15, 17, 20001])
  func unaryEqualsDouble(_ function: UnaryCase, count: Int) {
    var random = SplitMix64(count)
    let x = random.floats(count, function.range)
    let y = Self.unary(function.op, x)
    #expect(nmse(y, x.map { function.reference(Double($0)) }) < f32Tolerance)
  }

  /// Pointwise bounds, which a normalised error hides: 1.5 ulp for exp, absolute for the bounded ones.
  @Test func exponentialAndFriendsAreAccurateEverywhere() {
    let x = (0..<40000).map { Float($0 - 20000) * 0.00435 }
    for (x, y) in zip(x, Self.unary(INGOT_EXP, x)) {
      #expect(abs(Double(y) / exp(Double(x)) - 1) < 1.5 * 0x1p-23)
    }
    for (x, y) in zip(x, Self.unary(INGOT_TANH, x)) { #expect(abs(Double(y) - tanh(Double(x))) < 1.2e-7) }
    // 2e-7 of the output's own size: gelu(x) is x times what erf gives.
    for (x, y) in zip(x, Self.unary(INGOT_GELU, x)) {
      let wanted = Double(x) * (1 + erf(Double(x) / 2.0.squareRoot())) / 2
      #expect(abs(Double(y) - wanted) < 2e-7 * max(1, abs(Double(x))))
    }
  }

  @Test func exponentialTakesItsLimits() {
    let x: [Float] = [0, -0.0, -.infinity, .infinity, -1000, 1000, -103, 88.72, .nan]
    let y = Self.unary(INGOT_EXP, x)
    #expect(y[0] == 1 && y[1] == 1 && y[2] == 0 && y[3] == .infinity && y[4] == 0 && y[5] == .infinity)
    #expect(y[6] > 0 && y[6] < Float.leastNormalMagnitude && y[7].isFinite && y[8].isNaN)
    #expect(Self.unary(INGOT_TANH, x)[2...3] == [-1, 1])
    #expect(Self.unary(INGOT_SIGMOID, x)[2...3] == [0, 1])
  }

  @Test(
    arguments: [INGOT_SILU, INGOT_GELU, INGOT_GELU_TANH], [(1, 1536), (3, 5), (5, 4097), (0, 9), (9, 0)])
  func gatedEqualsTheTwoSteps(_ activation: ingot_unary, shape: (Int, Int)) {
    let (rows, width) = shape
    var random = SplitMix64(rows + width)
    // Gate and up are the halves of one matrix.
    let both = random.floats(rows * 2 * width, -2...2)
    let y = Ops.everyWay(rows * width) { context, y in
      both.withUnsafeBufferPointer {
        guard let base = $0.baseAddress else { return }
        ingot_gated(
          context, activation, Int64(rows), Int64(width), base, Int64(2 * width), base + width,
          Int64(2 * width), y, Int64(width))
      }
    }
    var gate: [Float] = []
    var up: [Float] = []
    for row in 0..<rows {
      let start = row * 2 * width
      gate += both[start..<(start + width)]
      up += both[(start + width)..<(start + 2 * width)]
    }
    #expect(Ops.sameBits(y, zip(Self.unary(activation, gate), up).map { $0 * $1 }))
  }

  @Test(arguments: [(1, 1), (3, 15), (4, 16), (2, 1000), (30, 601), (0, 4)])
  func softmaxEqualsDouble(rows: Int, width: Int) {
    var random = SplitMix64(rows * width)
    let x = random.floats(rows * width, -20...20)
    let y = Ops.everyWay(rows * width) { context, y in
      ingot_softmax(context, Int64(rows), Int64(width), x, y)
    }
    var wanted: [Double] = []
    for row in 0..<rows {
      let values = x[(row * width)..<((row + 1) * width)].map(Double.init)
      let maximum = values.max()!
      let sum = values.reduce(0) { $0 + exp($1 - maximum) }
      wanted += values.map { exp($0 - maximum) / sum }
    }
    #expect(nmse(y, wanted) < f32Tolerance)
  }
}
