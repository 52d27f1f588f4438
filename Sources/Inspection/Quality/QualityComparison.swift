internal import Checkpoints
package import Generation
package import IngotCore

/// Compares a model with a base on a text.
package enum QualityComparison {
  /// Bytes of the base's logits that are held at a time.
  private static let heldBytes = 1 << 24

  /// Rows of logits that are read of each model at a time.
  package static func heldRows(_ windows: EvaluationWindows, vocabSize: Int) -> Int {
    max(1, min(windows.scoredCount, heldBytes / (4 * max(vocabSize, 1))))
  }

  /// Runs both models on the same windows, side by side: nothing is kept of the base but some rows of logits.
  /// - Parameter onWindow: called after each window with their number and the mean KL so far.
  /// - Throws: `.argument` for models of unlike vocabularies or windows they cannot read; errors of the models.
  package static func run(
    _ model: any LanguageModel, base: any LanguageModel, _ windows: EvaluationWindows,
    onWindow: (Int, Double) -> Void = { _, _ in }
  ) throws(IngotError) -> QualityReport {
    try check(model.config.vocabSize, base: base.config.vocabSize)
    return try run(
      WindowReader(model, windows), base: WindowReader(base, windows), windows, onWindow: onWindow)
  }

  /// The same of whatever shows logits of these windows.
  package static func run(
    _ own: some WindowLogits, base other: some WindowLogits, _ windows: EvaluationWindows,
    onWindow: (Int, Double) -> Void = { _, _ in }
  ) throws(IngotError) -> QualityReport {
    let width = other.vocabSize
    try check(own.vocabSize, base: width)
    let held = heldRows(windows, vocabSize: width)
    var logits = [Float](repeating: 0, count: held * width)
    var statistics = KLStatistics()
    for window in 0..<windows.count {
      try own.begin(window)
      try other.begin(window)
      for start in stride(from: 0, to: windows.scoredCount, by: held) {
        let range = start..<min(start + held, windows.scoredCount)
        try other.read(window, range) { (scored, row) throws(IngotError) in
          logits.replaceSubrange(((scored - start) * width)..<((scored - start + 1) * width), with: row)
        }
        try own.read(window, range) { (scored, row) throws(IngotError) in
          let row = try LogRow(row, window: window, scored: scored)
          let token = windows.target(window, scored)
          let added: Result<KLStatistics.Token, IngotError> = logits.withUnsafeBufferPointer { buffer in
            do throws(IngotError) {
              let slice = UnsafeBufferPointer(
                rebasing: buffer[((scored - start) * width)..<((scored - start + 1) * width)])
              return .success(compare(row, try LogRow(slice, window: window, scored: scored), token))
            } catch { return .failure(error) }
          }
          statistics.add(try added.get())
        }
      }
      onWindow(window + 1, statistics.meanDivergence)
    }
    return statistics.report(windows: windows.count, windowLength: windows.length)
  }

  /// Runs a model on the windows of a file with a base's log-probabilities.
  /// - Parameters:
  ///   - bosID: what windows begin with instead of their first token.
  ///   - limit: most windows; nil for all.
  /// - Throws: `.argument` for a model of another vocabulary; `.format` for what is wrong with the file; errors of the model.
  package static func run(
    _ model: any LanguageModel, base: LogitsBaseFile, bosID: Int?, limit: Int? = nil,
    onWindow: (Int, Double) -> Void = { _, _ in }
  ) throws(IngotError) -> QualityReport {
    try check(model.config.vocabSize, base: base.vocabSize)
    let windows = try base.windows(bosID: bosID, limit: limit)
    let reader = try WindowReader(model, windows)
    var buffer = [Float](repeating: 0, count: base.vocabSize)
    var statistics = KLStatistics()
    for window in 0..<windows.count {
      try reader.begin(window)
      try reader.read(window, 0..<windows.scoredCount) { (scored, row) throws(IngotError) in
        let row = try LogRow(row, window: window, scored: scored)
        let token = windows.target(window, scored)
        let stored = try base.read(window: window, scored: scored, token: token, into: &buffer)
        let divergence = buffer.withUnsafeBufferPointer {
          Softmax.divergence($0, maximum: 0, row.logits, shift: Float(row.logSum))
        }
        statistics.add(
          .init(
            surprise: row.surprise(token), baseSurprise: -stored.logProbability, divergence: divergence,
            sameTop: row.likeliest == stored.likeliest))
      }
      onWindow(window + 1, statistics.meanDivergence)
    }
    return statistics.report(windows: windows.count, windowLength: windows.length)
  }

  private static func check(_ vocabSize: Int, base: Int) throws(IngotError) {
    guard vocabSize == base else {
      throw IngotError(
        .argument, "the vocabularies differ: the model has \(vocabSize) tokens, the base \(base)",
        hint: "compare a model with one of the same tokenizer")
    }
  }

  private static func compare(_ row: LogRow, _ base: LogRow, _ token: Int) -> KLStatistics.Token {
    let shift = Float(row.logSum - base.logSum)
    let divergence =
      Softmax.divergence(base.logits, maximum: base.maximum, row.logits, shift: shift) / base.sum
    return .init(
      surprise: row.surprise(token), baseSurprise: base.surprise(token),
      // Rounding may end below zero.
      divergence: max(0, divergence), sameTop: row.likeliest == base.likeliest)
  }
}
