/// The sums over a whole vocabulary that sampling needs, in loops that vectorise.
enum Softmax {
  /// `eˣ` for x ≤ 0, exact to some 2 units in the last place and branch-free; 0 below the normal range.
  @inline(__always)
  static func exponential(_ x: Float) -> Float {
    // 2ᵗ = 2ⁿ · 2ᶠ with n the nearest integer, which adding and subtracting 1.5·2²³ rounds to.
    let t = max(x * 1.442_695_04, -127)
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

  /// Σ e^((logit - maximum)·scale).
  static func sum(_ logits: UnsafeMutableBufferPointer<Float>, maximum: Float, scale: Float = 1) -> Double {
    var total = 0.0
    var index = 0
    // Short runs in float, their sums in double.
    while index < logits.count {
      let end = min(index + 256, logits.count)
      var (a, b, c, d) = (Float(0), Float(0), Float(0), Float(0))
      while index + 4 <= end {
        a += exponential((logits[index] - maximum) * scale)
        b += exponential((logits[index + 1] - maximum) * scale)
        c += exponential((logits[index + 2] - maximum) * scale)
        d += exponential((logits[index + 3] - maximum) * scale)
        index += 4
      }
      while index < end {
        a += exponential((logits[index] - maximum) * scale)
        index += 1
      }
      total += Double((a + b) + (c + d))
    }
    return total
  }
}
