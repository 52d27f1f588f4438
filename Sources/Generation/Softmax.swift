/// The sums over a whole vocabulary that sampling needs, in loops that vectorise.
package enum Softmax {
  /// `eˣ` for x ≤ 0, exact to some 2 units in the last place and branch-free; 0 below the normal range.
  @inline(__always)
  static func exponential(_ x: Float) -> Float {
    // 2ᵗ = 2ⁿ · 2ᶠ with n the nearest integer, which adding and subtracting 1.5·2²³ rounds to.
    let scaled = x * 1.442_695_04
    let t = scaled > -127 ? scaled : -127
    let shifted = t + 12_582_912
    let f = t - (shifted - 12_582_912)
    var power: Float = 1.535_336_188e-4
    power = power * f + 1.339_887_440e-3
    power = power * f + 9.618_437_357e-3
    power = power * f + 5.550_332_471e-2
    power = power * f + 2.402_264_791e-1
    power = power * f + 6.931_472_028e-1
    power = power * f + 1
    let exponent = shifted.bitPattern &- 0x4B40_0000 &+ 127
    return power * Float(bitPattern: exponent &<< 23)
  }

  /// The largest of some logits, of which none is NaN; -∞ for none.
  static func maximum(_ logits: UnsafeMutableBufferPointer<Float>) -> Float {
    var (a, b, c, d) = (-Float.infinity, -Float.infinity, -Float.infinity, -Float.infinity)
    var index = 0
    while index + 4 <= logits.count {
      a = logits[index] > a ? logits[index] : a
      b = logits[index + 1] > b ? logits[index + 1] : b
      c = logits[index + 2] > c ? logits[index + 2] : c
      d = logits[index + 3] > d ? logits[index + 3] : d
      index += 4
    }
    while index < logits.count {
      a = logits[index] > a ? logits[index] : a
      index += 1
    }
    return max(max(a, b), max(c, d))
  }

  /// Σ e^(logit - maximum).
  static func sum(_ logits: UnsafeMutableBufferPointer<Float>, maximum: Float) -> Double {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: runLength) { weights in
      var total = 0.0
      var start = 0
      // Short runs in float, their sums in double; apart from each other, so that the first loop vectorises.
      while start < logits.count {
        let count = min(runLength, logits.count - start)
        let run = UnsafeMutableBufferPointer(rebasing: logits[start..<start + count])
        for index in 0..<count { weights[index] = exponential(run[index] - maximum) }
        for index in count..<runLength { weights[index] = 0 }
        var (a, b, c, d) = (Float(0), Float(0), Float(0), Float(0))
        for index in stride(from: 0, to: runLength, by: 4) {
          a += weights[index]
          b += weights[index + 1]
          c += weights[index + 2]
          d += weights[index + 3]
        }
        total += Double((a + b) + (c + d))
        start += count
      }
      return total
    }
  }

  private static let runLength = 256
}
