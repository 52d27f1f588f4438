import IngotCore
import TestSupport
import Testing

@Suite struct RunTests {
  static let model = Fixture.model("llama-gqa")

  @Test func idsAreContinuedGreedily() throws {
    func run(_ threads: String) throws -> String {
      try Ingot.output(
        "run", Self.model, "--ids", "1,29,136", "-n", "24", "--temp", "0", "--ignore-eos", "--output", "ids",
        "-t", threads)
    }
    let first = try run("1")
    #expect(first.split(separator: " ").count == 24)
    #expect(first.last == "\n" && first.dropLast().allSatisfy { $0.isNumber || $0 == " " })
    #expect(try run("2") == first)
    #expect(try Self.greedy(["1", "29", "136"], 6) == first.split(separator: " ").prefix(6).map(String.init))
  }

  /// The likeliest next ids, from the logits of ever longer prompts.
  static func greedy(_ prompt: [String], _ count: Int) throws -> [String] {
    let folder = try Folder()
    var ids = prompt
    for _ in 0..<count {
      _ = try Ingot.output("logits", model, "--ids", ids.joined(separator: ","), "-o", folder / "l.npy")
      let logits = try NPY.read(path: folder / "l.npy")
      let last = logits.array(of: Float.self).suffix(logits.shape[1])
      ids.append("\((last.indices.max { (last[$0], $1) < (last[$1], $0) } ?? 0) - last.startIndex)")
    }
    return Array(ids.dropFirst(prompt.count))
  }

  @Test func theSeedDecides() throws {
    func run(_ seed: String) throws -> String {
      try Ingot.output(
        "run", Self.model, "--ids", "1,2", "-n", "30", "--temp", "2", "--top-k", "0", "--top-p", "1",
        "--min-p",
        "0", "-s", seed, "--ignore-eos", "--output", "ids")
    }
    #expect(try run("1") == run("1"))
    #expect(try run("1") != run("2"))
  }

  @Test func speedsAreTheLastLineOfStderr() throws {
    let outcome = try Ingot.run(
      "run", Self.model, "--ids", "1,2", "-n", "3", "--ignore-eos", "--output", "ids")
    let line = try #require(outcome.errors.split(separator: "\n").last)
    #expect(line.wholeMatch(of: /prompt 2 tokens, \d+\.\d t\/s; decode 2 tokens, \d+\.\d t\/s/) != nil)
  }

  @Test(arguments: [
    ["--lookup", "--lookup-ngram-min", "1"], ["-md", model], ["--draft-model", model, "--draft-p-min", "0"],
  ])
  func draftsChangeSpeedsAndNothingElse(drafts: [String]) throws {
    for draws in [["--temp", "0"], ["--temp", "0.3", "-s", "4", "--repeat-penalty", "1.1"]] {
      let arguments = [
        "run", Self.model, "--ids", "1,29,136,1,29,136", "-n", "60", "--ignore-eos", "--output", "ids",
      ]
      let plain = try Ingot.run(arguments + draws)
      let drafted = try Ingot.run(arguments + draws + drafts)
      #expect(drafted.status == 0 && drafted.output == plain.output, "\(drafted.errors)")
      #expect(!plain.errors.contains("draft"))
      let line = try #require(drafted.errors.split(separator: "\n").last)
      #expect(
        line.wholeMatch(
          of:
            /prompt 6 .*; decode 59 .*; draft: \d+ drafted, \d+ accepted \(\d+%\), \d+\.\d tokens per forward/
        )
          != nil, "\(line)")
    }
  }

  @Test func aDraftModelOfAnotherVocabularyIsRefused() throws {
    // Without tokenizers the sizes decide.
    let other = Fixture.gguf("llama-f32")
    let error = try Ingot.failure("run", Self.model, "--ids", "1", "--output", "ids", "-md", other)
    #expect(error.contains("vocabulary") && error.contains(other) && error.contains(Self.model), "\(error)")
  }

  @Test func aFullContextIsReported() throws {
    let outcome = try Ingot.run(
      "run", Self.model, "--ids", "1,2", "-c", "8", "--ignore-eos", "--output", "ids")
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: " ").count == 7)
    #expect(outcome.errors.contains("context of 8 tokens is full"))
  }

  @Test(arguments: [
    (["-n", "-5"], "-n is -5"), (["-t", "0"], "threads is 0"), (["-t", "-1"], "threads is -1"),
    (["-c", "0"], "context length is 0"), (["-c", "99999999999"], "context length is 99999999999"),
    (["--temp", "-1"], "temperature is -1"), (["--temp", "nan"], "temperature is nan"),
    (["--top-p", "0"], "top-p is 0"), (["--top-p", "1.5"], "top-p is 1.5"),
    (["--top-k", "-3"], "top-k is -3"),
    (["--min-p", "2"], "min-p is 2"), (["--repeat-penalty", "0"], "repeat-penalty is 0"),
    (["--repeat-penalty", "1e-300"], "repeat-penalty is 1e-300"),
    (["--repeat-last-n", "-2"], "repeat-last-n is -2"), (["-s", "-7"], "the seed is -7"),
    (["--stop", ""], "stop string is empty"), (["-p", "hi"], "either -p or --ids"),
    (["--system", "x"], "--system needs"),
    (["--lookup", "--draft-max", "0"], "draft-max is 0"),
    (["--lookup", "--draft-max", "65"], "draft-max is 65"),
    (["--lookup", "--draft-min", "8"], "draft-min is 8"), (["--draft-max", "4"], "--draft-max"),
    (["--lookup", "--lookup-ngram-max", "17"], "lookup-ngram-max is 17"),
    (["--lookup", "--lookup-ngram-max", "2", "--lookup-ngram-min", "3"], "lookup-ngram-min is 3"),
    (["--lookup-ngram-max", "2"], "need --lookup"),
    (["-md", "none", "--draft-p-min", "1.5"], "draft-p-min is 1.5"),
    (["--draft-p-min", "0.5"], "needs --draft-model"),
    (["--lookup", "-md", "none"], "either --lookup or --draft-model"),
  ])
  func optionsOutOfRangeAreNamed(arguments: [String], message: String) throws {
    let outcome = try Ingot.run(["run", Self.model, "--ids", "1,2", "--output", "ids"] + arguments)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasPrefix("error: argument: ") && outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  @Test func badPromptsAreOneError() throws {
    let model = Self.model
    #expect(try Ingot.failure("run", model, "--ids", "1,137", "--output", "ids").contains("137 is outside"))
    #expect(try Ingot.failure("run", model, "--ids", "-1", "--output", "ids").contains("-1 is outside"))
    #expect(try Ingot.failure("run", model, "--ids", "", "--output", "ids").contains("no tokens"))
    let long = (0..<20).map(String.init).joined(separator: ",")
    let error = try Ingot.failure("run", model, "--ids", long, "-c", "8", "--output", "ids")
    #expect(error.contains("20") && error.contains("8"))
  }

  @Test func missingAndBrokenModelsAreOneError() throws {
    let folder = try Folder()
    for verb in [
      ["run", "--ids", "1"], ["info"], ["graph"], ["logits", "--ids", "1", "-o", folder / "o.npy"],
    ] {
      let rest = Array(verb.dropFirst())
      #expect(try Ingot.run([verb[0], folder / "none"] + rest).errors.contains("no such file"))
      let outcome = try Ingot.run([verb[0], folder.path] + rest)
      #expect(outcome.status == 1 && outcome.errors.hasPrefix("error: io: "), "\(outcome.errors)")
      let broken = try folder.write("GGUF....", to: "broken.gguf")
      let second = try Ingot.run([verb[0], broken] + rest)
      #expect(second.status == 1 && second.errors.hasPrefix("error: "), "\(second.errors)")
      try? Folder.remove(broken)
    }
    // Without a tokenizer there are ids, but no text.
    #expect(try Ingot.failure("run", Self.model, "-p", "hi").contains("tokenizer"))
    #expect(try Ingot.failure("run", Self.model, "--ids", "1").contains("tokenizer"))
  }

  @Test func usageErrorsAreOneErrorToo() throws {
    _ = try Ingot.failure("run")
    _ = try Ingot.failure("run", Self.model, "--kv-type", "f8")
    _ = try Ingot.failure("run", Self.model, "--ids", "1,x")
    _ = try Ingot.failure("run", Self.model, "-c", "99999999999999999999")
    _ = try Ingot.failure("logits", Self.model, "--ids", "1")
    _ = try Ingot.failure("nonsense")
    #expect(try Ingot.output("--version").hasPrefix("ingot "))
    #expect(try Ingot.output("--help").contains("run"))
  }
}
