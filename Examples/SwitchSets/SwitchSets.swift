import Foundation
import Ingot

/// Moves a text that was computed once between the sets of a file, and to another file with the same weights:
///
///     ingot compile qwen3.ingot -o long.ingot --stages 1024+256+256
///     swift run -c release SwitchSets qwen3.ingot long.ingot article.txt "What is it about?"
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
    guard arguments.count == 5 else {
      throw IngotError(
        .argument, "two files, a text and a question are needed",
        hint: "SwitchSets FIRST.ingot SECOND.ingot TEXT-FILE QUESTION")
    }
    let files = [try ArtifactCheckpoint(path: arguments[1]), try ArtifactCheckpoint(path: arguments[2])]
    let models = [try TextModel(files[0]), try TextModel(files[1])]
    print("weights in memory once: \(try files[0].sharesMemory(with: files[1]))")

    let text = try models[0].share(contentsOf: arguments[3])
    print("shared \(text.shared.tokens) tokens")

    // The smallest set that holds text, question and answer serves a question.
    var options = GenerationOptions()
    options.sampling = .greedy
    for length in [16, 200] {
      options.maxTokens = length
      let answer = try text.ask(arguments[4], options: options)
      print("\(text.set): \(answer.text)")
    }

    // The text moves to the other file without being computed again; then the first gives its memory back.
    let moved = try text.reuse(on: models[1])
    text.free()
    let answer = try moved.ask(arguments[4], options: options)
    print("\(moved.set): \(answer.text)")
    print("\(answer.cachedTokens) of \(answer.promptTokens) tokens of the prompt were there")
  }
}
