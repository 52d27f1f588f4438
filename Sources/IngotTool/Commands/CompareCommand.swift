import ArgumentParser
import Ingot

/// `ingot compare`: how two sets of tensors differ.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares two runs of the pipeline, or two .npz files, tensor by tensor.",
    discussion: """
      A and B are folders with .npy files below them, .npz files, or .npy files. Rows that a step's meta.json calls \
      padding are left out. max_rel_err is max_abs_err as a part of the largest |A|. The exit code is 1 only for an \
      error, or beyond --tolerance.
      """)

  @Argument(help: "The reference.")
  var a: String

  @Argument(help: "What is compared with it.")
  var b: String?

  @Flag(help: "List the tensors of A: dtype, shape, smallest, largest, mean.")
  var list = false

  @Option(
    parsing: .unconditional,
    help: "Fail when a tensor differs by more than this times max(1, largest |A|), or cannot be compared.")
  var tolerance: Double?

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: "Write an HTML page with a picture.")
  var html: String?

  mutating func run() throws {
    if let tolerance, !(tolerance >= 0) {
      throw IngotError(.argument, "the tolerance is \(tolerance); it must be at least 0")
    }
    let first = try TensorCollection(a)
    if list {
      guard b == nil, html == nil, tolerance == nil else {
        throw IngotError(.argument, "--list takes one set of tensors and no other option but --json")
      }
      return try printList(first)
    }
    guard let b else { throw IngotError(.argument, "two sets of tensors are compared", hint: "name B") }
    var progress = Progress("comparing", total: first.names.count)
    let comparison = try Comparison(first, try TensorCollection(b)) { done, _ in progress.update(done) }
    progress.finish()
    if let html { try write(comparison.html, to: html) }
    var output = Output()
    try output.write(json ? comparison.json.indented + "\n" : comparison.text)
    try output.flush()
    guard let tolerance else { return }
    let beyond = comparison.beyond(tolerance)
    guard !beyond.isEmpty else { return }
    standardError("beyond the tolerance: \(beyond.joined(separator: ", "))\n")
    throw ExitCode(1)
  }

  private func printList(_ tensors: TensorCollection) throws {
    var summaries: [TensorSummary] = []
    var progress = Progress("reading", total: tensors.names.count)
    for name in tensors.names {
      summaries.append(try TensorSummary(tensors, name))
      progress.update(summaries.count)
    }
    progress.finish()
    var output = Output()
    let list = JSONValue.array(summaries.map(\.json))
    try output.write(json ? list.indented + "\n" : TensorSummary.text(summaries))
    try output.flush()
  }
}

/// Writes a text file, whole or not at all.
func write(_ text: String, to path: String) throws(IngotError) {
  let file = try AtomicFile(path: path)
  try file.write(text)
  try file.commit()
}
