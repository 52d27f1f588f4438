import Foundation
import Ingot

/// Asks questions about one text in forks of it, each of which keeps its answer until it is rolled back:
///
///     swift run -c release ForkAndRoll qwen3.ingot article.txt "Who wrote it?" "What is it about?"
@main
struct ForkAndRoll {
  static func main() async {
    do {
      try await run(CommandLine.arguments)
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(1)
    }
  }

  static func run(_ arguments: [String]) async throws {
    guard arguments.count > 3 else {
      throw IngotError(
        .argument, "a model, a text and questions are needed", hint: "ForkAndRoll MODEL TEXT-FILE QUESTION..."
      )
    }
    // The cache holds the text once, and each question and answer beside the others.
    var modelOptions = TextModel.Options()
    modelOptions.sequences = arguments.count - 3
    let model = try TextModel(arguments[1], options: modelOptions)
    let text = try model.share(contentsOf: arguments[2])

    var options = GenerationOptions()
    options.sampling = .greedy
    options.maxTokens = 64

    // A fork has the text's keys and values by reference.
    let forks = arguments[3...].map { (question: $0, text: text.fork()) }
    for (question, fork) in forks {
      print("\(question) \(try fork.ask(question, options: options).text)")
    }

    for (_, fork) in forks {
      let before = fork.tokens
      fork.rollback()  // Forgets question and answer; the text stays.
      print("\(before) tokens, after rollback \(fork.tokens), ", terminator: "")
      fork.free()
      print("after free \(fork.tokens)")
    }
    print("the text itself has \(text.tokens) tokens")
  }
}
