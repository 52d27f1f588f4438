import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Ctrl-C as a flag to look at, instead of the end of the program.
enum Interrupts {
  /// From now on Ctrl-C raises the flag, and interrupts a read from the terminal.
  static func catchThem() {
    _ = take()
    var action = sigaction()
    #if canImport(Darwin)
      action.__sigaction_u.__sa_handler = raiseFlag
    #else
      action.__sigaction_handler.sa_handler = raiseFlag
    #endif
    // Without SA_RESTART, so that `read` returns.
    action.sa_flags = 0
    sigaction(SIGINT, &action, nil)
  }

  /// Whether Ctrl-C was pressed since the last look.
  static func take() -> Bool { flag.exchange(false, ordering: .relaxed) }
}

private let flag = Atomic<Bool>(false)

private func raiseFlag(_ signal: Int32) { flag.store(true, ordering: .relaxed) }
