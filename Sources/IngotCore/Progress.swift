#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A one-line progress display on stderr for work longer than a second; silent when stderr is not a
/// terminal.
public struct Progress {
  private let title: String
  private let total: Int
  private let start: ContinuousClock.Instant
  private var lastShown: ContinuousClock.Instant
  private var shown = false
  private let isTerminal: Bool

  /// Begins work of `total` units.
  public init(_ title: String, total: Int) {
    (self.title, self.total) = (title, total)
    start = .now
    lastShown = start
    isTerminal = isatty(STDERR_FILENO) == 1
  }

  /// Reports that `done` units are finished. Cheap: draws at most ten times a second.
  public mutating func update(_ done: Int) {
    guard isTerminal else { return }
    let now = ContinuousClock.now
    guard now - start > .seconds(1), now - lastShown > .milliseconds(100) else { return }
    lastShown = now
    shown = true
    standardError("\r\u{1B}[K\(title) \(done * 100 / max(total, 1))% (\(done)/\(total))")
  }

  /// Removes the line.
  public mutating func finish() {
    if shown { standardError("\r\u{1B}[K") }
    shown = false
  }
}

/// Writes text to stderr at once.
public func standardError(_ text: String) {
  var text = text
  text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
