import ArgumentParser
import Ingot

/// Where a model's time goes.
struct ProfileArguments: ParsableArguments {
  @Flag(help: "Print what each kind of step took, and how near to the machine's limits it came.")
  var profile = false

  @Option(
    parsing: .unconditional,
    help: "Write every step's time to a .json file that chrome://tracing and ui.perfetto.dev show.")
  var trace: String?

  var isWanted: Bool { profile || trace != nil }

  /// Writes the trace, if one is wanted.
  func writeTrace(_ profilers: [(thread: String, profiler: Profiler)]) throws(IngotError) {
    guard let trace else { return }
    let file = try AtomicFile(path: trace)
    try file.write(Profiler.trace(of: profilers))
    try file.commit(flushes: false)
  }
}
