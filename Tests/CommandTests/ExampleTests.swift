import Foundation
import IngotCore
import TestSupport
import Testing

/// The programs in `Examples/` do what they say, on a tiny model.
@Suite struct ExampleTests {
  private let questions = ["What is cast?", "How heavy is gold?"]

  private func run(_ name: String, _ arguments: String...) throws -> Ingot.Outcome {
    try Ingot.run(arguments, executable: Ingot.program(name))
  }

  private func output(_ name: String, _ arguments: [String]) throws -> [String] {
    let outcome = try Ingot.run(arguments, executable: Ingot.program(name))
    #expect(outcome.status == 0, "\(name) \(arguments): \(outcome.errors)")
    return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// A compiled file's weights with room for a whole prompt in one stage: where nothing is shared, a file takes no more
  /// than a question's length.
  private func unshared(_ file: String) throws -> String {
    let wide = file + ".wide.ingot"
    _ = try Ingot.output(
      "compile", file, "-o", wide, "--no-gate", "--max-pos-len", "500", "--stages", "200+300")
    return wide
  }

  /// What the tool answers without sharing.
  private func answer(_ model: String, _ question: String, tokens: Int = 64) throws -> String {
    let output = try Ingot.output(
      "run", model, "--system", TalkingModel.text, "-p", question, "--temp", "0", "-n", "\(tokens)")
    return String(output.dropLast())
  }

  @Test func aCompiledModelAnswersAsWithoutSharing() throws {
    let model = try TalkingModel()
    let file = model.folder / "model.ingot"
    let compiled = try output("Compile", [model.path, file])
    #expect(
      compiled.first { $0.hasPrefix(file) }?.hasSuffix(
        "share128_unshare64_seq256, share256_unshare128_seq512") == true)
    #expect(compiled.contains { $0.contains("KL divergence") })
    let info = try Ingot.output("info", file)
    #expect(info.contains("int4:32:sym") && info.contains("seq256"), "\(info)")

    // A file that is compiled and the checkpoint itself, which has no sets.
    for (path, whole) in [(file, try unshared(file)), (model.path, model.path)] {
      let answers = try questions.map { try answer(whole, $0) }
      let lines = try output("ShareAndAsk", [path, model.document] + questions)
      #expect(lines[0].hasPrefix("shared ") && lines[0].hasSuffix(" tokens"))
      let expected = zip(questions, answers).map { "\($0) \($1)\n\($1)\n" }.joined()
      #expect(lines.dropFirst().joined(separator: "\n") == expected)
      #expect(answers[0] != answers[1] && answers.allSatisfy { $0.count > 8 }, "\(answers)")

      let forks = try output("ForkAndRoll", [path, model.document] + questions)
      #expect(Array(forks.prefix(2)) == zip(questions, answers).map { "\($0) \($1)" })
      let shared = try #require(lines[0].split(separator: " ").dropFirst().first)
      let rolled = forks.filter { $0.hasSuffix("after rollback \(shared), after free 0") }
      #expect(rolled.count == 2 && forks.contains("the text itself has \(shared) tokens"), "\(forks)")
    }
  }

  @Test func aTextMovesBetweenSetsAndFiles() throws {
    // Large enough that two files with the same weights share them.
    let model = try TalkingModel(vocabulary: 6000)
    let (first, second) = (model.folder / "first.ingot", model.folder / "second.ingot")
    let third = model.folder / "third.ingot"
    for arguments in [
      [model.path, "-o", first, "--quant", "f32", "--stages", "140+40+40,150+60+250"],
      [first, "-o", second, "--stages", "130+50+200"],
      [model.path, "-o", third, "--quant", "f16", "--stages", "150+60+250"],
    ] {
      let outcome = try Ingot.run(["compile", "--no-gate", "--max-pos-len", "500"] + arguments)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let lines = try output("SwitchSets", [first, second, model.document, questions[0], third])
      .filter { !$0.hasPrefix("memory: ") }
    let (whole, otherWhole) = (try unshared(first), try unshared(third))
    let (short, long, other) = (
      try answer(whole, questions[0], tokens: 16), try answer(whole, questions[0], tokens: 200),
      try answer(otherWhole, questions[0], tokens: 200)
    )
    let shared = try #require(lines[0].split(separator: " ").dropFirst().first)
    let all = try #require(lines.first { $0.hasPrefix("\(shared) of ") })
    // An answer may have several lines.
    var expected = [
      "shared \(shared) tokens", "share140_unshare40_seq220: \(short)", "share150_unshare60_seq460: \(long)",
      "weights in memory once: true",
    ]
    for _ in 0..<2 {
      expected += ["share130_unshare50_seq380: \(long)", all, "share150_unshare60_seq460: \(long)", all]
    }
    expected += ["weights in memory once: false", "share150_unshare60_seq460: \(other)", ""]
    #expect(lines.joined(separator: "\n") == expected.joined(separator: "\n"), "\(lines)")
  }

  @Test func misuseIsOneError() throws {
    let model = try TalkingModel()
    for name in ["Compile", "ShareAndAsk", "SwitchSets", "ForkAndRoll"] {
      let outcome = try run(name)
      #expect(outcome.status == 1 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("error: argument: ") && outcome.errors.contains("hint: \(name) "))
    }
    let plain = model.folder / "plain.ingot"
    #expect(try Ingot.run(["compile", model.path, "-o", plain, "--no-gate"]).status == 0)
    let binary = model.folder / "binary.txt"
    try Data([0x66, 0xFF]).write(to: URL(fileURLWithPath: binary))
    let cases: [([String], String)] = [
      ([plain, model.document, "Why?"], "no stages that share"),
      ([model.path, model.folder / "none", "Why?"], "none"),
      ([model.path, binary, "Why?"], "not valid UTF-8"),
      ([Fixture.model("llama-gqa"), model.document, "?"], "tokenizer"),
    ]
    for (arguments, message) in cases {
      let outcome = try Ingot.run(arguments, executable: Ingot.program("ShareAndAsk"))
      #expect(outcome.status == 1 && outcome.errors.hasPrefix("error: "), "\(arguments)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }
}
