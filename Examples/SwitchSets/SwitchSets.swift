import Foundation
import Ingot

/// Moves a text that was computed once between the sets of a file, and back and forth between files with the same weights:
///
///     ingot compile qwen3.ingot -o long.ingot --stages 1024+256+256
///     swift run -c release SwitchSets qwen3.ingot long.ingot article.txt "What is it about?"
///
/// A third file, with other weights, may follow: to it the text is new.
@main
struct SwitchSets {
  static func main() {
    do {
      try run(CommandLine.arguments)
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(1)
    }
  }

  static func run(_ arguments: [String]) throws {
    guard (5...6).contains(arguments.count) else {
      throw IngotError(
        .argument, "two files, a text and a question are needed",
        hint: "SwitchSets FIRST.ingot SECOND.ingot TEXT-FILE QUESTION [THIRD.ingot]")
    }
    let question = arguments[4]
    var options = GenerationOptions()
    options.sampling = .greedy

    let first = try ArtifactCheckpoint(path: arguments[1])
    let model = try TextModel(first)
    let text = try model.share(contentsOf: arguments[3])
    print("shared \(text.shared.tokens) tokens")
    // The smallest set that holds text, question and answer serves a question.
    for length in [16, 200] {
      options.maxTokens = length
      let answer = try text.ask(question, options: options)
      print("\(text.set): \(answer.text)")
    }
    showMemory("one file")

    // The text moves to the other file without being computed again, and back; who is left gives its memory back.
    let second = try ArtifactCheckpoint(path: arguments[2])
    print("weights in memory once: \(try first.sharesMemory(with: second))")
    let models = [model, try TextModel(second)]
    var here = text
    for turn in 1...4 {
      let moved = try here.reuse(on: models[turn % 2])
      here.free()
      here = moved
      let answer = try here.ask(question, options: options)
      print("\(here.set): \(answer.text)")
      print("\(answer.cachedTokens) of \(answer.promptTokens) tokens of the prompt were there")
      showMemory("two files, turn \(turn)")
    }

    guard arguments.count == 6 else { return }
    let third = try ArtifactCheckpoint(path: arguments[5])
    print("weights in memory once: \(try first.sharesMemory(with: third))")
    let other = try TextModel(third).share(contentsOf: arguments[3])
    print("\(other.set): \(try other.ask(question, options: options).text)")
    showMemory("three files")
  }

  /// What of the process is in memory, as Linux counts it: pages of files, which the weights are, and pages of its own.
  static func showMemory(_ title: String) {
    guard let text = try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8) else { return }
    func megabytes(_ name: String) -> Int {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024 / 1_000_000
    }
    let (resident, own) = (megabytes("Rss"), megabytes("Anonymous"))
    print(
      "memory: \(title): \(resident) MB resident, \(resident - own) of files, \(megabytes("Pss")) proportional"
    )
  }
}
