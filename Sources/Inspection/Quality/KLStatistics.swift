/// What a model and a base think of the tokens of a text, token by token.
struct KLStatistics {
  /// Of one token.
  struct Token {
    /// -ln p.
    var surprise: Double
    /// -ln p of the base.
    var baseSurprise: Double
    /// KL(base ‖ model).
    var divergence: Double
    /// Whether both think the same token likeliest.
    var sameTop: Bool
  }

  private var surprises: [Double] = []
  private var baseSurprises: [Double] = []
  private var divergences: [Double] = []
  private var agreeing = 0

  mutating func add(_ token: Token) {
    surprises.append(token.surprise)
    baseSurprises.append(token.baseSurprise)
    divergences.append(token.divergence)
    agreeing += token.sameTop ? 1 : 0
  }

  /// Σ KL over the tokens so far, for progress.
  var meanDivergence: Double { Estimate(meanOf: divergences).value }

  func report(windows: Int, windowLength: Int) -> QualityReport {
    let (own, base) = (Estimate(meanOf: surprises), Estimate(meanOf: baseSurprises))
    let covariance = Estimate.covariance(surprises, own.value, baseSurprises, base.value)
    func errorOfDifference(_ a: Double, _ b: Double, _ covariance: Double) -> Double {
      // Rounding may end below zero.
      max(0, a * a + b * b - 2 * covariance).squareRoot()
    }
    let logRatio = Estimate(
      own.value - base.value, error: errorOfDifference(own.error, base.error, covariance))
    let (perplexity, basePerplexity) = (own.exponential, base.exponential)
    let changes = zip(surprises, baseSurprises).map { probability($0) - probability($1) }
    let meanSquare = Estimate(meanOf: changes.map { $0 * $0 })
    let rms = meanSquare.value.squareRoot()
    let count = Double(surprises.count)
    let sameTop = count > 0 ? Double(agreeing) / count : 1
    return QualityReport(
      windows: windows, windowLength: windowLength, tokens: surprises.count,
      perplexity: perplexity, basePerplexity: basePerplexity,
      correlation: own.error * base.error > 0 ? covariance / (own.error * base.error) : 1,
      logRatio: logRatio, ratio: logRatio.exponential,
      difference: Estimate(
        perplexity.value - basePerplexity.value,
        error: errorOfDifference(
          perplexity.error, basePerplexity.error, perplexity.value * basePerplexity.value * covariance)),
      divergence: Distribution(divergences), probabilityChange: Distribution(changes),
      rmsProbabilityChange: Estimate(rms, error: rms > 0 ? 0.5 / rms * meanSquare.error : 0),
      sameTop: Estimate(sameTop, error: count > 1 ? (sameTop * (1 - sameTop) / (count - 1)).squareRoot() : 0))
  }

  private func probability(_ surprise: Double) -> Double { Estimate(-surprise, error: 0).exponential.value }
}
