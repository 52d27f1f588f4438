import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct BenchTests {
  static let model = Fixture.model("llama-gqa")

  @Test func aBenchmarkIsATable() throws {
    let output = try Ingot.output(
      "bench", Self.model, "-p", "16", "-n", "4", "-pg", "4,2", "-d", "0,20", "-b", "1,2", "-t", "1", "-r",
      "2")
    let rows = output.split(separator: "\n").filter { $0.hasPrefix("| llama") }
    let names = rows.map { $0.split(separator: "|")[5].split(separator: " ").joined(separator: " ") }
    #expect(
      names == [
        "pp16", "tg4", "pp4+tg2", "pp16 b2", "tg4 b2", "pp4+tg2 b2", "pp16 @ d20", "tg4 @ d20",
        "pp4+tg2 @ d20", "pp16 b2 @ d20", "tg4 b2 @ d20", "pp4+tg2 b2 @ d20",
      ])
    #expect(output.hasPrefix("machine: ") && output.contains("\nlimits: 1 thread: "))
    #expect(output.contains("opened to first token in"))
  }

  @Test func jsonAndATraceHoldTheProfile() throws {
    let folder = try Folder()
    let output = try Ingot.output(
      "bench", Self.model, "-p", "8", "-n", "3", "-r", "2", "-o", "json", "--kv-type", "f16,f32", "-t", "1",
      "--no-warmup", "--profile", "--load", "--trace", folder / "t.json")
    let json = try JSONParser.parse(output)
    let tests = try #require(json["tests"]?.array)
    #expect(tests.map { $0["type_kv"]?.string } == ["f16", "f16", "f32", "f32"])
    for test in tests {
      #expect(test["samples_ts"]?.array?.count == 2)
      #expect(test["avg_ts"]?.double ?? 0 > 0 && test["limit_fraction"]?.double ?? 0 > 0)
    }
    #expect(tests[1]["profile"]?["decode"]?["tokens"]?.int == 6)
    #expect(json["loads"]?.array?.allSatisfy { $0["samples_s"]?.array?.count == 2 } == true)
    let trace = try JSONParser.parse(path: folder / "t.json")
    let events = try #require(trace["traceEvents"]?.array)
    // Two settings, each of a prompt and three tokens, twice.
    #expect(events.filter { $0["name"]?.string == "forward" }.count == 2 * 2 * (1 + 3))
    #expect(Set(events.compactMap { $0["tid"]?.int }).count == 4)
  }

  @Test func otherFormsHaveALineATest() throws {
    let arguments = ["bench", Fixture.gguf("llama-q4_0"), "-p", "8", "-n", "2", "-r", "1", "-t", "1", "-o"]
    let lines = try Ingot.run(arguments + ["jsonl"]).output.split(separator: "\n")
    #expect(try lines.map { try JSONParser.parse(String($0))["test"]?.string } == ["pp8", "tg2"])
    let csv = try Ingot.run(arguments + ["csv"]).output.split(separator: "\n")
    #expect(csv.count == 3 && csv[0].hasPrefix("model_filename,"))
  }

  @Test func anotherProgramTakesTurns() throws {
    let folder = try Folder()
    let script = """
      #!/bin/sh
      echo run >> '\(folder / "calls")'
      echo '[{"n_prompt":0,"n_gen":2,"n_depth":0,"flash_attn":0,"avg_ts":2.0}]'
      """
    let path = try folder.write(script, to: "peer")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let arguments = ["bench", Fixture.gguf("llama-q4_0"), "-p", "0", "-n", "2", "-r", "3", "-t", "1"]
    let outcome = try Ingot.run(arguments + ["--against", "llama-bench=" + path])
    #expect(outcome.status == 0 && outcome.output.contains("| llama-bench | 2.0 (2.0–2.0) | -fa 0 |"))
    #expect(try String(contentsOfFile: folder / "calls", encoding: .utf8) == "run\nrun\nrun\n")
    let missing = try Ingot.run(arguments + ["--against", "llama-bench=/no/such"])
    #expect(missing.status == 1 && missing.errors.contains("cannot start the program"))
  }

  @Test func runTellsItsProfileOnStderr() throws {
    let folder = try Folder()
    let outcome = try Ingot.run(
      "run", Self.model, "--ids", "1,2,3", "-n", "4", "--ignore-eos", "--output", "ids", "-t", "1",
      "--profile",
      "--trace", folder / "t.json")
    #expect(outcome.status == 0 && outcome.output.split(separator: " ").count == 4)
    #expect(outcome.errors.contains("prompt: 1 forwards, 3 tokens"))
    #expect(outcome.errors.contains("decode: 3 forwards, 3 tokens"))
    #expect(outcome.errors.contains("self_attn.q_proj+k_proj+v_proj"))
    #expect(try JSONParser.parse(path: folder / "t.json")["traceEvents"]?.array?.isEmpty == false)
  }

  @Test(arguments: [
    (["-p", "x"], "'x' is invalid"), (["-p", "-1"], "-p is -1"), (["-d", "0,-5"], "-d is -5"),
    (["-b", "0"], "-b is 0"), (["-b", "5000"], "-b is 5000"), (["-pg", "5"], "-pg takes two numbers"),
    (["-t", "0"], "-t is 0"), (["-t", "1,9999"], "-t is 9999"), (["-r", "0"], "-r is 0"),
    (["-p", "0", "-n", "0"], "no tests"), (["-n", "99999999999"], "-n is 99999999999"),
    (["-p", "1,"], "'1,' is invalid"), (["--kv-type", "f8"], "'f8' is invalid"),
    (["-o", "xml"], "'xml' is invalid"),
    (["--against", "x=y"], "names no program"), (["--against", "llama-bench=/bin/true"], ".gguf files only"),
  ])
  func optionsOutOfRangeAreNamed(arguments: [String], message: String) throws {
    let outcome = try Ingot.run(["bench", Self.model] + arguments)
    #expect(outcome.status == 1 && outcome.output == "")
    #expect(
      outcome.errors.hasPrefix("error: argument: ") && outcome.errors.contains(message), "\(outcome.errors)")
  }
}
