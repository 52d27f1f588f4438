import Foundation
import IngotCore
import TestSupport
import Testing

/// Runs the built `ingot`.
enum Ingot {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  /// The command, which lies beside the tests.
  static let executable = program("ingot")

  /// A program of the package.
  static func program(_ name: String) -> URL {
    let candidates =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
      + [URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
    let paths = candidates.map { $0.appendingPathComponent(name) }
    return paths.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? paths[0]
  }

  /// Waits for the command to end.
  /// - Parameter input: what it reads from stdin.
  static func run(_ arguments: String..., input: String = "") throws -> Outcome {
    try run(arguments, input: input)
  }

  /// - Parameters:
  ///   - environment: variables beside those of the tests.
  ///   - shell: a command that runs before, in the same process: `ulimit`, for example.
  ///   - executable: another program to run.
  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:], shell: String? = nil,
    executable: URL = Ingot.executable
  ) throws -> Outcome {
    // Files, not pipes: those fill up while nobody reads.
    let folder = try Folder()
    let (stdin, stdout, stderr) = (folder / "in", folder / "out", folder / "err")
    try input.write(toFile: stdin, atomically: false, encoding: .utf8)
    for path in [stdout, stderr] { try "".write(toFile: path, atomically: false, encoding: .utf8) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let shell {
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", shell + "; exec \"$0\" \"$@\"", executable.path] + arguments
    }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle(forReadingAtPath: stdin)
    process.standardOutput = FileHandle(forWritingAtPath: stdout)
    process.standardError = FileHandle(forWritingAtPath: stderr)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit, "killed by signal \(process.terminationStatus): \(arguments)")
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOfFile: stdout, encoding: .utf8),
      errors: try String(contentsOfFile: stderr, encoding: .utf8))
  }

  /// Runs the command, which must succeed.
  /// - Returns: what it wrote to stdout.
  static func output(_ arguments: String..., input: String = "") throws -> String {
    let outcome = try run(arguments, input: input)
    #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return outcome.output
  }

  /// Runs the command, which must fail with one clear error.
  static func failure(_ arguments: String..., input: String = "") throws -> String {
    let outcome = try run(arguments, input: input)
    #expect(outcome.status == 1, "\(arguments): status \(outcome.status), \(outcome.errors)")
    #expect(outcome.errors.hasPrefix("error: "), "\(arguments): \(outcome.errors)")
    return outcome.errors
  }
}

extension Fixture {
  /// The prompt of a checkpoint's golden logits, as an argument.
  static func ids(_ folder: String) throws -> String {
    let document = try JSONParser.parse(path: folder + "/ids.json")
    let ids = try #require(document.array ?? document["ids"]?.array)
    return ids.compactMap { $0.int.map(String.init) }.joined(separator: ",")
  }
}
