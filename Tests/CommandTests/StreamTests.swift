import Foundation
import IngotCore
import TestSupport
import Testing

/// Pipes, devices and closed descriptors, as shells hand them over.
@Suite(.timeLimit(.minutes(2))) struct StreamTests {
  /// Runs a line of shell in which `$INGOT` and `$MODEL` stand for the command and a tiny model.
  static func shell(_ line: String, in folder: Folder) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line + " > '\(folder / "log")' 2>&1"]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["INGOT": Ingot.executable.path, "MODEL": Fixture.model("llama-gqa"), "FOLDER": folder.path]
    ) { $1 }
    try process.run()
    process.waitUntilExit()
    let output = try String(contentsOfFile: folder / "log", encoding: .utf8)
    try? Folder.remove(folder / "log")
    return (process.terminationStatus, output)
  }

  @Test func aPipeInPlaceOfAFileIsAnError() throws {
    let folder = try Folder()
    let line = "mkfifo \"$FOLDER/config.json\"; touch \"$FOLDER/a.safetensors\"; $INGOT info \"$FOLDER\""
    let outcome = try Self.shell("(\(line))", in: folder)
    #expect(outcome.status == 1 && outcome.output.contains("not a regular file"), "\(outcome.output)")
  }

  @Test func endlessInputIsAnError() throws {
    let folder = try Folder()
    try FileManager.default.createSymbolicLink(
      atPath: folder / "t.jinja", withDestinationPath: "/dev/zero")
    _ = try folder.write("{\"messages\": []}", to: "c.json")
    let outcome = try Self.shell(
      "$INGOT template \"$FOLDER/t.jinja\" --json \"$FOLDER/c.json\"", in: folder)
    #expect(outcome.status == 1 && outcome.output.hasPrefix("error: limit: "), "\(outcome.output)")
  }

  @Test func anAnswerNobodyReadsEnds() throws {
    let folder = try Folder()
    // 4 million tokens would take minutes.
    let run = "$INGOT run \"$MODEL\" --ids 1,2 -c 4000000 --ignore-eos --output ids -t 1"
    let outcome = try Self.shell("(\(run) | head -c 1)", in: folder)
    #expect(outcome.status == 0)
  }

  @Test func messagesDoNotGoIntoTheOutputFile() throws {
    let folder = try Folder()
    let logits = "$INGOT logits \"$MODEL\" --ids 1,2,3 -o"
    #expect(try Self.shell("(\(logits) \"$FOLDER/a.npy\")", in: folder).status == 0)
    #expect(try Self.shell("(\(logits) \"$FOLDER/b.npy\" <&- >&- 2>&-)", in: folder).status == 0)
    let (a, b) = (try Data(contentsOf: folder.url / "a.npy"), try Data(contentsOf: folder.url / "b.npy"))
    #expect(a == b)
    let closed = try Self.shell("($INGOT tokenize \"$MODEL\" x >&-)", in: folder)
    #expect(closed.status == 1)
  }

  @Test func aKilledCommandLeavesNoFile() throws {
    #if os(Linux)
      let folder = try Folder()
      let ids = (0..<6000).map { "\($0 % 100)" }.joined(separator: ",")
      let line = "(timeout -s INT 0.3 $INGOT logits \"$MODEL\" --ids \(ids) --chunk 1 -o \"$FOLDER/o.npy\")"
      _ = try Self.shell(line, in: folder)
      // The command may have been quick enough; what it leaves is all or nothing.
      #expect(try folder.names.filter { $0 != "o.npy" } == [])
    #endif
  }
}

extension Folder {
  fileprivate var url: URL { URL(fileURLWithPath: path) }
}

private func / (url: URL, name: String) -> URL { url.appendingPathComponent(name) }
