package import IngotCore

/// Writes a model's log-probabilities in llama-perplexity's format; see `LogitsBase`.
package final class LogitsBaseWriter {
  private var file: AtomicFile?
  private let vocabSize: Int
  private let rowCount: Int
  private var written = 0
  private var row: [UInt8]

  /// Begins a file for the rows of some windows; it gets its name when it is whole.
  /// - Throws: `.io`; `.limit` for what 32-bit integers cannot count.
  package init(path: String, _ windows: EvaluationWindows, vocabSize: Int) throws(IngotError) {
    guard let width = Int32(exactly: vocabSize), let count = Int32(exactly: windows.count) else {
      throw IngotError(.limit, "too large for the format", at: .init(file: path))
    }
    let file = try AtomicFile(path: path)
    var head = Array(LogitsBase.magic.utf8)
    for number in [Int32(windows.length), width, count] + windows.tokens.map(Int32.init(truncatingIfNeeded:))
    {
      withUnsafeBytes(of: number.littleEndian) { head += $0 }
    }
    let bytes = LogitsBase.rowBytes(vocabSize)
    self.vocabSize = vocabSize
    rowCount = windows.count * windows.scoredCount
    row = [UInt8](repeating: 0, count: bytes)
    try file.reserve(byteCount: head.count + rowCount * bytes)
    try file.write(head)
    self.file = consume file
  }

  /// Appends the log-probabilities of a row of logits, rounded to 16 bits.
  func append(_ logits: LogRow) throws(IngotError) {
    var smallest = logits.maximum
    for logit in logits.logits { smallest = logit < smallest ? logit : smallest }
    smallest = max(smallest, logits.maximum - LogitsBase.range)
    let step = (logits.maximum - smallest) / LogitsBase.levels
    let offset = Float(Double(smallest) - logits.logSum)
    let inverse = step > 0 ? 1 / step : 0
    row.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: step.bitPattern.littleEndian, as: UInt32.self)
      bytes.storeBytes(of: offset.bitPattern.littleEndian, toByteOffset: 4, as: UInt32.self)
      for index in 0..<vocabSize {
        let level = (logits.logits[index] - smallest) * inverse + 0.5
        let bounded = max(0, min(level, LogitsBase.levels))
        bytes.storeBytes(of: UInt16(bounded).littleEndian, toByteOffset: 8 + 2 * index, as: UInt16.self)
      }
    }
    try file?.write(row)
    written += 1
  }

  /// Gives the file its name.
  /// - Throws: `.io`.
  package func commit() throws(IngotError) {
    guard written == rowCount, let whole = file.take() else {
      throw IngotError(.argument, "\(written) rows of \(rowCount) were written")
    }
    try whole.commit()
  }
}
