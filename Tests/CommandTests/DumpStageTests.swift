import Foundation
import IngotCore
import TestSupport
import Testing

/// `ingot dump --stage`, and the lengths of a compiled file that `dump` and `run` keep.
@Suite struct DumpStageTests {
  /// A tensor's rows and how many each head has; axis 1 of keys and values are the tokens.
  private struct Rows: Equatable {
    var heads: [[Float]]
    var tokens: Int

    init(_ tensor: HostTensor) {
      let values = tensor.array(of: Float.self)
      let count = tensor.shape.rank == 3 ? tensor.shape[0] : 1
      let width = values.count / count
      heads = (0..<count).map { Array(values[$0 * width..<($0 + 1) * width]) }
      tokens = tensor.shape.rank == 3 ? tensor.shape[1] : tensor.shape[0]
    }

    static func + (a: Rows, b: Rows) -> Rows {
      var sum = a
      sum.heads = zip(a.heads, b.heads).map { $0 + $1 }
      sum.tokens += b.tokens
      return sum
    }
  }

  /// Checks that three dumps, end to end, are a fourth, bit for bit.
  private func expectTogether(_ parts: [String], _ whole: String) throws {
    let files = try parts.map { try NPZFile(path: $0) }
    let all = try NPZFile(path: whole)
    #expect(files.allSatisfy { $0.names == all.names })
    #expect(all.names.contains("hidden_states.2") && all.names.contains("present_value.1"))
    for name in all.names {
      if ["input_ids", "position_ids"].contains(name) {
        let joined = try files.flatMap { try $0.tensor(name).array(of: Int64.self) }
        #expect(try joined == all.tensor(name).array(of: Int64.self), "\(name)")
        continue
      }
      let rows = try files.map { Rows(try $0.tensor(name)) }
      #expect(rows.dropFirst().reduce(rows[0], +) == Rows(try all.tensor(name)), "\(name)")
      #expect(rows.allSatisfy { $0.tokens > 0 } && rows[2].tokens == 1)
    }
  }

  private func ids(_ path: String) throws -> [Int64] {
    try NPZFile(path: path).tensor("input_ids").array(of: Int64.self)
  }

  private func dump(_ model: String, _ output: String, _ arguments: [String]) throws -> String {
    let outcome = try Ingot.run(["dump", model, "-o", output] + arguments)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(arguments): \(outcome.errors)")
    return output
  }

  @Test(arguments: [[], ["--chat"]]) func stagesTogetherAreThePrompt(_ chat: [String]) throws {
    let model = try TalkingModel()
    let compiled = model.folder / "model.ingot"
    _ = try Ingot.output("compile", model.path, "-o", compiled, "--no-gate", "--stages", "140+40+20,180+20")
    let share = ["--share-file", model.document, "-p", "How heavy?"] + chat
    for (index, path) in [model.path, compiled].enumerated() {
      let parts = try ["share", "unshare", "decode"].map {
        try dump(path, model.folder / "\($0)\(index).npz", ["--stage", $0] + share)
      }
      let whole = try parts.flatMap { try self.ids($0) }.map { "\($0)" }.joined(separator: ",")
      try expectTogether(parts, try dump(path, model.folder / "whole\(index).npz", ["--ids", whole]))
      // The same prompt in one go, and the token that a greedy answer begins with.
      let prompt = try dump(path, model.folder / "prompt\(index).npz", share)
      #expect(try self.ids(prompt) == parts.dropLast().flatMap { try self.ids($0) })
      let answer = try Ingot.run(
        ["run", path, "--temp", "0", "-n", "1", "--ignore-eos", "--output", "ids", "--kv-type", "f32"]
          + (chat.isEmpty ? ["--raw"] : []) + share.dropLast(chat.count)
      ).output
      #expect(
        try self.ids(parts[2]).map { "\($0)" } == [answer.trimmingCharacters(in: .whitespacesAndNewlines)])
    }
    let (plain, file) = (model.folder / "whole0.npz", model.folder / "whole1.npz")
    #expect(try Data(contentsOf: URL(fileURLWithPath: plain)) == Data(contentsOf: URL(fileURLWithPath: file)))
  }

  /// Windows, and rotary tables that depend on the length; ids alone, and a token that was asked for.
  @Test(arguments: ["mistral-sliding", "qwen3-tied", "llama-rope-longrope-above"])
  func stagesOfIdsAreThePrompt(_ name: String) throws {
    let folder = try Folder()
    let model = Fixture.model(name)
    // The whole is longer than what the one with longrope was trained on, the shared text alone is not.
    let prefix = (0..<30).map { "\($0 * 17 % 101)" }.joined(separator: ",")
    let share = ["--share-ids", prefix, "--ids", "1,2,3,4,5"]
    let parts = try ["share", "unshare", "decode"].map {
      try dump(
        model, folder / "\($0).npz", ["--stage", $0] + share + ($0 == "decode" ? ["--token", "7"] : []))
    }
    try expectTogether(
      parts, try dump(model, folder / "whole.npz", ["--ids", prefix + ",1,2,3,4,5,7"]))
    let alone = try dump(model, folder / "alone.npz", ["--stage", "decode", "--ids", "5,17", "--token", "9"])
    #expect(try NPZFile(path: alone).tensor("position_ids").array(of: Int64.self) == [2])
  }

  @Test func lengthsAreKept() throws {
    let folder = try Folder()
    let (file, flat) = (folder / "m.ingot", folder / "flat.ingot")
    let model = Fixture.model("llama-gqa")
    _ = try Ingot.output("compile", model, "-o", file, "--no-gate", "--stages", "8+4+20,6+20")
    _ = try Ingot.output("compile", model, "-o", flat, "--no-gate", "--stages", "6+20")
    let ids = (1...9).map { "\($0)" }
    func list(_ count: Int) -> String { ids.prefix(count).joined(separator: ",") }
    func dump(_ file: String, _ arguments: [String]) throws -> Ingot.Outcome {
      try Ingot.run(["dump", file, "-o", folder / "a.npz"] + arguments)
    }
    let cases: [(String, [String], String)] = [
      (file, ["--ids", list(7)], "the prompt has 7 tokens; the set seq26 takes at most 6"),
      (file, ["--stage", "decode", "--ids", list(7)], "the prompt has 7 tokens"),
      (
        file, ["--stage", "share", "--share-ids", list(9)],
        "the shared text has 9 tokens; the set share8_unshare4_seq32 takes at most 8"
      ),
      (
        file, ["--stage", "unshare", "--share-ids", list(8), "--ids", list(5)],
        "the question has 5 tokens; the set share8_unshare4_seq32 takes at most 4"
      ),
      (file, ["--stage", "decode", "--share-ids", list(8), "--ids", list(5)], "the question has 5 tokens"),
      (flat, ["--stage", "share", "--share-ids", list(2)], "without stages that share"),
      (file, ["--stage", "unshare", "--ids", list(2)], "needs a shared text"),
      (file, ["--stage", "unshare", "--share-ids", list(2)], "give one of --prompt"),
      (file, ["--token", "1", "--ids", list(2)], "--token needs --stage decode"),
      (file, ["--stage", "decode", "--token", "1000", "--ids", list(2)], "1000"),
      (file, ["--stage", "prefix", "--ids", list(2)], "prefix"),
    ]
    for (file, arguments, message) in cases {
      let outcome = try dump(file, arguments)
      #expect(outcome.status != 0 && outcome.errors.contains(message), "\(arguments): \(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder / "a.npz"))
    }
    for arguments in [
      ["--ids", list(6)], ["--stage", "share", "--share-ids", list(8)],
      ["--stage", "decode", "--share-ids", list(8), "--ids", list(4)],
    ] { #expect(try dump(file, arguments).status == 0) }

    func run(_ arguments: String...) throws -> Ingot.Outcome {
      try Ingot.run(
        ["run", file, "--output", "ids", "--temp", "0", "--ignore-eos"] + arguments)
    }
    let refused = try run("--ids", list(7), "-n", "1")
    #expect(refused.status == 1 && refused.output.isEmpty)
    #expect(
      refused.errors.contains("the prompt has 7 tokens; the set seq26 takes at most 6"), "\(refused.errors)")
    // Room that a shared text would have taken is the answer's.
    let long = try run("--ids", list(4), "-n", "28")
    #expect(long.output.split(separator: " ").count == 28 && !long.errors.contains("full"), "\(long.errors)")
    let full = try run("--ids", list(6), "-n", "28")
    #expect(full.status == 0 && full.errors.contains("the context of 26 tokens is full"), "\(full.errors)")
    #expect(long.output.hasPrefix(try run("--ids", list(4), "-n", "3").output.dropLast()))
  }
}
