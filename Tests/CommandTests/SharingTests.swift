import Foundation
import IngotCore
import TestSupport
import Testing

/// `run --share-file`, `--prompt-cache` and `--generation-mode`.
@Suite struct SharingTests {
  @Test func answersAreThoseWithoutSharing() throws {
    let model = try TalkingModel()
    let questions = ["What is cast?", "How heavy?", "(none)"]
    for draws in [["--temp", "0"], ["--temp", "2", "-s", "3"]] {
      let arguments = ["--share-file", model.document, "--compare-sharing"] + draws
      let outcome = try Ingot.run(
        ["run", model.path, "-n", "9", "--ignore-eos", "--output", "ids"] + arguments,
        input: questions.joined(separator: "\n") + "\n\n")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines.count == 3)
      for (question, line) in zip(questions, lines) {
        let alone = try Ingot.run(
          [
            "run", model.path, "-n", "9", "--ignore-eos", "--output", "ids", "--system", TalkingModel.text,
            "-p",
            question,
          ]
            + draws)
        #expect(alone.output == line + "\n", "\(alone.errors)")
      }
      #expect(outcome.errors.contains("shared ") && !outcome.errors.contains("another"))
      #expect(
        outcome.errors.split(separator: "\n").filter { $0.contains("without sharing after") }.count == 3)
    }
  }

  @Test func rawTextsFollowOneAnother() throws {
    let model = try TalkingModel()
    let shared = try model.run("--share-file", model.document, "--raw", "--temp", "0", "-p", "Gold")
    let alone = try model.run("--raw", "--temp", "0", "-p", TalkingModel.text + "Gold")
    #expect(shared.status == 0 && shared.output == alone.output, "\(shared.errors)")
  }

  @Test func jsonIsOneObjectPerLine() throws {
    let model = try TalkingModel()
    let outcome = try model.run(
      "--share-file", model.document, "--json", "--temp", "0", "--seq-length", "200", "--share-length", "150",
      "--unshare-length", "40", input: "One?\nTwo?\n")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map { try JSONParser.parse(String($0)) }
    #expect(lines.count == 3)
    #expect(lines[0]["seq_length"]?.int == 200 && lines[0]["share_length"]?.int == 150)
    let shared = try #require(lines[0]["share_tokens"]?.int)
    #expect(shared > TalkingModel.text.utf8.count)
    for line in lines.dropFirst() {
      #expect(line["ids"]?.array?.count == 9 && line["finish"]?.string == "length")
      #expect(line["share_tokens"]?.int == shared && (line["unshare_tokens"]?.int ?? 0) > 4)
      #expect((line["first_token_seconds"]?.double ?? 0) > 0)
      #expect(line["first_token_seconds_without_sharing"]?.isNull == true)
    }
  }

  @Test func aPromptCacheSavesTheSecondRunTheWork() throws {
    let model = try TalkingModel()
    let cache = model.folder / "cache.kv"
    let uses = [["--share-file", model.document, "-p", "How?"], ["--raw", "-p", TalkingModel.text]]
    for use in uses {
      try? FileManager.default.removeItem(atPath: cache)
      func run(_ more: String...) throws -> Ingot.Outcome {
        try Ingot.run(
          ["run", model.path, "-n", "9", "--ignore-eos", "--output", "ids", "--temp", "0"] + use + more)
      }
      let plain = try run()
      let first = try run("--prompt-cache", cache)
      #expect(first.errors.contains("written to \(cache)"), "\(first.errors)")
      let second = try run("--prompt-cache", cache)
      #expect(second.errors.contains("tokens of \(cache)") && !second.errors.contains("written"))
      #expect(first.output == plain.output && second.output == plain.output && plain.status == 0)

      let refused = try run("--prompt-cache", cache, "--kv-type", "i8")
      #expect(refused.status == 1 && refused.errors.contains("f16") && refused.errors.contains("i8"))
      let key = try model.folder.write(String(repeating: "0f", count: 32), to: "key.txt")
      let keyed = try run("--prompt-cache", cache, "--prompt-cache-key", key)
      #expect(keyed.status == 1 && keyed.errors.contains("without a key"))
      var bytes = try Data(contentsOf: URL(fileURLWithPath: cache))
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(fileURLWithPath: cache))
      let damaged = try run("--prompt-cache", cache)
      #expect(damaged.status == 1 && damaged.errors.contains("authentication"), "\(damaged.errors)")
      #expect(damaged.output.isEmpty)
    }
  }

  @Test func lengthsAndMisuseAreOneError() throws {
    let model = try TalkingModel()
    let share = ["--share-file", model.document, "-p", "How?"]
    let cases: [([String], String)] = [
      (share + ["--share-length", "5"], "at most 5"), (share + ["--unshare-length", "2"], "at most 2"),
      (share + ["--seq-length", "20"], "20"), (share + ["--seq-length", "0"], "--seq-length is 0"),
      (share + ["--max-pos-len", "10", "-c", "200"], "planned length of 10"),
      (["--share-file", model.folder / "none"], "none"), (["-p", "x", "--json"], "--json needs"),
      (["-p", "x", "--seq-length", "9"], "--seq-length needs"),
      (["-p", "x", "--prompt-cache-key", "y"], "needs --prompt"),
      (["--share-file", model.document, "--ids", "1"], "--ids"),
      (["-p", "x", "--generation-mode", "beam"], "beam"),
      (["-p", "x", "--generation-mode", "penalty_sample", "--top-k", "0"], "top-k is 0"),
    ]
    for (arguments, message) in cases {
      let outcome = try Ingot.run(["run", model.path] + arguments)
      #expect(outcome.status == 1 && outcome.errors.contains(message), "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.hasPrefix("error: ") || outcome.errors.contains("\nerror: "))
    }
  }

  @Test func generationModesSetDefaults() throws {
    func run(_ arguments: String...) throws -> String {
      let outcome = try Ingot.run(
        [
          "run", Fixture.model("llama-gqa"), "--ids", "1,29,136", "-n", "30", "--ignore-eos", "--output",
          "ids",
        ]
          + arguments)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.output
    }
    #expect(try run("--generation-mode", "greedy") == run("--temp", "0"))
    let sample = try run("--generation-mode", "penalty_sample", "-s", "5")
    #expect(try run("--generation-mode", "penalty_sample", "-s", "5") == sample)
    #expect(try run("--generation-mode", "penalty_sample", "-s", "6") != sample)
    // The likeliest alone, with and without a penalty that keeps the last 32 tokens from coming again.
    let single = ["--generation-mode", "penalty_sample", "--top-k", "1"]
    #expect(
      try run(single[0], single[1], single[2], single[3], "--repeat-penalty", "1") == run("--temp", "0"))
    #expect(
      try run(single[0], single[1], single[2], single[3])
        == run("--temp", "0", "--repeat-penalty", "1.2", "--repeat-last-n", "32"))
  }
}

extension TalkingModel {
  fileprivate func run(_ arguments: String..., input: String = "") throws -> Ingot.Outcome {
    try Ingot.run(["run", path, "-n", "9", "--ignore-eos", "--output", "ids"] + arguments, input: input)
  }
}
