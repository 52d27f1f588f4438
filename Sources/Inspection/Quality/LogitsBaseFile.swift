package import IngotCore

/// A file with a base's log-probabilities, mapped; see `LogitsBase`. Whatever bytes it has, reading it is safe.
package struct LogitsBaseFile: Sendable {
  /// Tokens of a window.
  package let windowLength: Int
  /// Tokens of the vocabulary.
  package let vocabSize: Int
  /// Windows.
  package let windowCount: Int
  private let file: MappedFile
  private let tokens: [Int]

  /// Opens a file and checks all its lengths.
  /// - Throws: `.io`; `.format` for another kind of file, sizes that do not fit each other, tokens that do not exist.
  package init(path: String) throws(IngotError) {
    let file = try MappedFile(path: path)
    func fail(_ what: String, at offset: Int, hint: String? = nil) -> IngotError {
      IngotError(.format, what, at: .init(file: path, offset: offset), hint: hint)
    }
    guard file.byteCount >= LogitsBase.headerBytes,
      Array(try file.bytes(at: 0, count: 8)) == Array(LogitsBase.magic.utf8)
    else {
      throw fail("not a file with log-probabilities", at: 0, hint: "make one with --kl-divergence-base FILE")
    }
    var reader = ByteReader(file, at: 8)
    let (length, width, count) = (
      Int(try reader.read(Int32.self)), Int(try reader.read(Int32.self)), Int(try reader.read(Int32.self))
    )
    guard EvaluationWindows.lengths.contains(length) else { throw fail("windows of \(length) tokens", at: 8) }
    guard width > 0 else { throw fail("a vocabulary of \(width) tokens", at: 12) }
    guard count > 0 else { throw fail("\(count) windows", at: 16) }
    let rows = length - 1 - length / 2
    let (all, overflows) = (4 * length + rows * LogitsBase.rowBytes(width)).multipliedReportingOverflow(
      by: count)
    guard !overflows, all == file.byteCount - LogitsBase.headerBytes else {
      throw fail(
        "\(count) windows of \(length) tokens with a vocabulary of \(width) do not take \(file.byteCount) bytes",
        at: 8, hint: "the file may be cut short; make it again")
    }
    var tokens: [Int] = []
    tokens.reserveCapacity(count * length)
    for _ in 0..<count * length {
      let place = reader.offset
      let token = Int(try reader.read(Int32.self))
      guard token >= 0, token < width else {
        throw fail("token \(token) is outside the vocabulary of \(width)", at: place)
      }
      tokens.append(token)
    }
    (self.file, self.tokens) = (file, tokens)
    (windowLength, vocabSize, windowCount) = (length, width, count)
  }

  /// The windows whose log-probabilities it holds.
  /// - Throws: `.argument` for a limit below 1.
  package func windows(bosID: Int?, limit: Int? = nil) throws(IngotError) -> EvaluationWindows {
    try EvaluationWindows(tokens, length: windowLength, limit: limit, bosID: bosID)
  }

  /// Unpacks a row. What is as unlikely as e⁻¹⁶ is left out of divergences, as llama-perplexity does, since it may
  /// stand for anything smaller: it becomes a number whose exponential is 0.
  /// - Returns: the log-probability of `token`, and the likeliest token, the first of equals.
  /// - Throws: `.format` for scales that no log-probabilities have.
  func read(
    window: Int, scored: Int, token: Int, into target: inout [Float]
  ) throws(IngotError) -> (logProbability: Double, likeliest: Int) {
    let rowBytes = LogitsBase.rowBytes(vocabSize)
    let row = window * (windowLength - 1 - windowLength / 2) + scored
    let offset = LogitsBase.headerBytes + 4 * tokens.count + row * rowBytes
    var reader = ByteReader(file, at: offset)
    let (step, smallest) = (try reader.readFloat(), try reader.readFloat())
    // A rounded probability may be a little more than 1.
    guard step >= 0, step * LogitsBase.levels <= LogitsBase.range * 1.001, smallest.isFinite,
      smallest + step * LogitsBase.levels < 0.01, smallest > -1e6
    else {
      throw IngotError(
        .format, "a row of log-probabilities from \(smallest) in steps of \(step)",
        at: .init(file: file.path, offset: offset))
    }
    let values = try reader.take(rowBytes - 8)
    var (best, largest) = (0, Float(-1))
    for index in 0..<vocabSize {
      let level = value(values, index)
      if level > largest { (best, largest) = (index, level) }
      let logProbability = step * level + smallest
      target[index] = logProbability > -LogitsBase.range ? logProbability : -200
    }
    return (Double(step * value(values, token) + smallest), best)
  }
}

/// The 16-bit integer of a token.
private func value(_ values: UnsafeRawBufferPointer, _ token: Int) -> Float {
  Float(UInt16(littleEndian: values.loadUnaligned(fromByteOffset: 2 * token, as: UInt16.self)))
}
