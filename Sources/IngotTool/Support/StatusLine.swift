import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// One line on a terminal's stderr that says what is done now; nothing elsewhere.
struct StatusLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ text: String) {
    if isTerminal { standardError("\r\u{1B}[K\(text)") }
  }

  func clear() { show("") }
}
