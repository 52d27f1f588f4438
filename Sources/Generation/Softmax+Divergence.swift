extension Softmax {
  /// The largest of some logits, of which none is NaN; -∞ for none.
  package static func maximum(_ logits: UnsafeBufferPointer<Float>) -> Float {
    maximum(UnsafeMutableBufferPointer(mutating: logits))
  }

  /// Σ e^(logit - maximum); NaN where one is.
  package static func sum(_ logits: UnsafeBufferPointer<Float>, maximum: Float) -> Double {
    sum(UnsafeMutableBufferPointer(mutating: logits), maximum: maximum)
  }

  /// Σ e^(aᵢ - maximum) · (aᵢ - bᵢ + shift): what a Kullback-Leibler divergence is made of.
  ///
  /// Shifted element by element, so that where a and b hardly differ the terms are small and nothing cancels.
  /// - Precondition: both have one length; no aᵢ is larger than the maximum.
  package static func divergence(
    _ a: UnsafeBufferPointer<Float>, maximum: Float, _ b: UnsafeBufferPointer<Float>, shift: Float
  ) -> Double {
    var total = 0.0
    var start = 0
    // Short runs in float, their sums in double, as in `sum`.
    while start < a.count {
      let end = min(start + 64, a.count)
      var (even, odd) = (Float(0), Float(0))
      for index in start..<end {
        let weight = exponential(a[index] - maximum)
        // A token of no probability adds nothing, whatever the other thinks.
        let term = weight > 0 ? weight * (a[index] - b[index] + shift) : 0
        if index & 1 == 0 { even += term } else { odd += term }
      }
      total += Double(even + odd)
      start = end
    }
    return total
  }
}
