import IngotCore
import Inspection
import Testing

@Suite struct MeasureTests {
  static func difference(_ a: [Float], _ b: [Float]) -> TensorDifference {
    var difference = TensorDifference()
    a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { difference.add(a, $0) } }
    return difference
  }

  static func logits(_ rows: [([Float], [Float])]) -> LogitsDifference {
    var difference = LogitsDifference()
    for (a, b) in rows {
      a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { difference.add(a, $0) } }
    }
    return difference
  }

  @Test func measuresAreThoseOfTheirDefinitions() {
    let difference = Self.difference([3, 4, 0], [3, 0, 4])
    #expect(difference.maxAbsolute == 4 && difference.maxRelative == 1)
    #expect(difference.meanSquared == 32.0 / 3 && difference.meanAbsolute == 8.0 / 3)
    #expect(abs(difference.cosine - 9.0 / 25) < 1e-12)
    #expect(Self.difference([0, 0], [0, 0]).cosine == 1)
    #expect(Self.difference([0, 0], [1, 0]).cosine == 0)
    #expect(Self.difference([0, 0], [1, 0]).maxRelative == .infinity)
    #expect(Self.difference([], []).cosine == 1)
  }

  static let unequal: [(Float, Float)] = [
    (.nan, 1), (1, .nan), (.nan, .nan), (.infinity, 1), (1, -.infinity), (.infinity, -.infinity),
  ]

  @Test(arguments: unequal)
  func whatIsNotFiniteNeverAgrees(a: Float, b: Float) {
    let difference = Self.difference([1, a], [1, b])
    #expect(difference.nonFinite == 1 && difference.cosine == 0)
    #expect(difference.maxAbsolute == .infinity && difference.meanSquared == .infinity)
    let rows = Self.logits([([1, a], [1, b])])
    #expect(rows.top1 == 0 && rows.meanKL == .infinity)
  }

  @Test func equalInfinitiesAreEqual() {
    #expect(Self.difference([.infinity, 1], [.infinity, 1]).maxAbsolute == 0)
    #expect(Self.logits([([-.infinity, 1, 2], [-.infinity, 1, 2])]).meanKL == 0)
  }

  /// p = (½, ½), q = (¼, ¾): ½ ln 2 + ½ ln ⅔.
  @Test func divergenceIsThatOfItsDefinition() {
    let expected = 0.5 * 0.287_682_072_451_780_9
    let one = Self.logits([([0, 0], [0, 1.098_612_3])])
    #expect(abs(one.meanKL - expected) < 1e-6)
    // Adding a number to all logits changes no distribution.
    #expect(abs(Self.logits([([700, 700], [-50, -48.901_387_7])]).meanKL - expected) < 1e-5)
    let two = Self.logits([([0, 0], [0, 1.098_612_3]), ([1, 2], [1, 2])])
    #expect(abs(two.meanKL - expected / 2) < 1e-6 && two.maxKL == one.maxKL)
    #expect(two.top1 == 0.5)
  }

  static let numbers: [(Double, String)] = [
    (0, "0"), (1, "1.00"), (-2.5, "-2.50"), (0.001_234, "0.00123"), (0.000_999_9, "1.00e-03"),
    (123_456, "123456"), (1_234_567, "1.23e+06"), (9.999e-5, "1.00e-04"), (.nan, "nan"), (.infinity, "inf"),
    (1e-300, "1.00e-300"), (12.3456, "12.3"),
  ]

  @Test(arguments: numbers)
  func numbersAreShort(value: Double, text: String) { #expect(NumberText.short(value) == text) }
}
