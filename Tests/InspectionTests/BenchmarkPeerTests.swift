import Engine
import Foundation
import IngotCore
import Inspection
import TestSupport
import Testing

/// Other programs: what they are asked, and what is read of their answers.
@Suite struct BenchmarkPeerTests {
  static let bench = "llama-bench=/opt/llama-bench"

  @Test func argumentsNameAProgramAndItsPath() throws {
    let peer = try BenchmarkPeer(argument: Self.bench)
    #expect(peer.kind == .llamaBench && peer.path == "/opt/llama-bench")
    #expect(try BenchmarkPeer(argument: "llama-batched-bench=a=b").path == "a=b")
    for odd in ["", "llama-bench", "llama-bench=", "vllm=/x", "=x"] {
      #expect(throws: IngotError.self) { try BenchmarkPeer(argument: odd) }
    }
  }

  private func words(_ peer: String, _ test: BenchmarkTest) throws -> [String] {
    try BenchmarkPeer(argument: peer).calls(test, model: "m.gguf", threads: 3, kvType: .f16)
      .map { $0.arguments.joined(separator: " ") }
  }

  @Test func testsBecomeTheirOptions() throws {
    #expect(
      try words(Self.bench, BenchmarkTest(generate: 128, depth: 4096)) == [
        "-m m.gguf -p 0 -n 128 -d 4096 -t 3 -r 1 -fa 0,1 -o json -ctk f16 -ctv f16"
      ])
    #expect(
      try words(Self.bench, BenchmarkTest(prompt: 512, generate: 128)).first?
        .hasPrefix("-m m.gguf -p 0 -n 0 -pg 512,128 -t 3") == true)
    let batched = try words("llama-batched-bench=/x", BenchmarkTest(generate: 128, batch: 8))
    #expect(
      batched
        == ["off", "on"].map {
          "-m m.gguf -npp 1 -ntg 128 -npl 8 -c 1288 -t 3 --output-format jsonl -fa \($0) -ctk f16 -ctv f16"
        })
    let peer = try BenchmarkPeer(argument: Self.bench)
    #expect(peer.runs(BenchmarkTest(prompt: 1)) && !peer.runs(BenchmarkTest(prompt: 1, batch: 2)))
  }

  @Test func itsRowsAreRead() throws {
    let peer = try BenchmarkPeer(argument: Self.bench)
    func row(_ prompt: Int, _ generate: Int, _ depth: Int, _ flash: String, _ speed: Double) -> String {
      """
      {"build_commit": "0c1e570", "model_type": "llama 256M Q4_1", "n_threads": 2, "flash_attn": \(flash),
       "n_prompt": \(prompt), "n_gen": \(generate), "n_depth": \(depth), "avg_ns": 78436944, "stddev_ns": 0,
       "avg_ts": \(speed), "stddev_ts": 0.000000, "samples_ns": [ 78436944 ], "samples_ts": [ \(speed) ]}
      """
    }
    let output =
      "[\n"
      + [row(0, 4, 32, "0", 110.5), row(0, 4, 32, "1", 99.25), row(16, 0, 32, "1", 7), row(0, 4, 0, "1", 8)]
      .joined(separator: ",\n") + "\n]\n"
    let test = BenchmarkTest(generate: 4, depth: 32)
    #expect(try peer.parse(output, test, setting: nil) == ["-fa 0": 110.5, "-fa 1": 99.25])
    // Older versions tell no depth and write truth values.
    let older = #"[{"n_prompt": 0, "n_gen": 4, "flash_attn": true, "avg_ts": 5}]"#
    #expect(try peer.parse(older, BenchmarkTest(generate: 4), setting: nil) == ["-fa 1": 5])
    for odd in ["", "usage: llama-bench", "[]", "{}", "[1]", "[\(row(0, 4, 32, "0", 0))]", older] {
      #expect(throws: IngotError.self, "\(odd)") { try peer.parse(odd, test, setting: nil) }
    }
  }

  @Test func batchedRowsAreRead() throws {
    let peer = try BenchmarkPeer(argument: "llama-batched-bench=/x")
    let output = """

      main: n_kv_max = 2048
      {"n_kv_max": 2048, "flash_attn": -1, "pp": 16, "tg": 4, "pl": 1, "n_kv": 20, "t_pp": 0.1, "speed_pp": 1, "t_tg": 0.5, "speed_tg": 8}
      {"n_kv_max": 2048, "flash_attn": -1, "pp": 16, "tg": 4, "pl": 8, "n_kv": 160, "t_pp": 0.5, "speed_pp": 2, "t_tg": 0.25, "speed_tg": 128}

      """
    func speed(_ test: BenchmarkTest) throws -> Double? {
      try peer.parse(output, test, setting: "-fa on")["-fa on"]
    }
    #expect(try speed(BenchmarkTest(generate: 4, depth: 16, batch: 8)) == 128)
    #expect(try speed(BenchmarkTest(prompt: 16, batch: 8)) == 256)
    #expect(try speed(BenchmarkTest(prompt: 16, generate: 4, batch: 8)) == 160 / 0.75)
    #expect(throws: IngotError.self) { try speed(BenchmarkTest(generate: 4, batch: 3)) }
  }

  /// A program of a few lines of shell, as a peer.
  private func run(_ script: String) throws -> [String: Double] {
    let folder = try Folder()
    let path = folder / "peer"
    try ("#!/bin/sh\n" + script).write(toFile: path, atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let peer = try BenchmarkPeer(argument: "llama-bench=" + path)
    return try peer.run(BenchmarkTest(generate: 4), model: "m.gguf", threads: 1, kvType: .f32)
  }

  @Test func programsAreRunAndTheirFailuresTold() throws {
    let row = #"[{"n_prompt": 0, "n_gen": 4, "n_depth": 0, "flash_attn": 1, "avg_ts": 5}]"#
    #expect(try run("echo noise >&2; [ \"$1 $2\" = \"-m m.gguf\" ] && echo '\(row)'") == ["-fa 1": 5])
    func failure(_ script: String) throws -> String {
      var text = ""
      do { _ = try run(script) } catch let error as IngotError { text = "\(error)" }
      return text
    }
    let unknown = try failure("echo \"error: invalid parameter for argument: -fa\" >&2; exit 3")
    #expect(unknown.contains("failed with status 3") && unknown.contains("invalid parameter"))
    #expect(unknown.contains("-n 4"))
    #expect(try failure("kill -9 $$").contains("signal 9"))
    let other = try failure("echo hello")
    #expect(other.hasPrefix("format: ") && other.contains("hello"))
    #expect(try failure("true").contains("wrote nothing"))
    let missing = try BenchmarkPeer(argument: "llama-bench=/no/such/program")
    #expect(throws: IngotError.self) {
      try missing.run(BenchmarkTest(generate: 1), model: "m", threads: 1, kvType: .f16)
    }
  }
}
