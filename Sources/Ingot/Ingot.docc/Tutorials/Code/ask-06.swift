import Foundation
import Ingot

/// Computes a text once and answers questions about it:
///
///     swift run -c release ShareAndAsk qwen3.ingot article.txt "Who wrote it?" "What is it about?"
@main
struct ShareAndAsk {
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
        .argument, "a model, a text and questions are needed", hint: "ShareAndAsk MODEL TEXT-FILE QUESTION..."
      )
    }
    let model = try TextModel(arguments[1])

    let text = try model.share(contentsOf: arguments[2])
    print("shared \(text.shared.tokens) tokens")

    var options = GenerationOptions()
    options.sampling = .greedy
    options.maxTokens = 64

    for question in arguments[3...] {
      // The whole answer at once: only the question's tokens are computed before it begins.
      let answer = try text.ask(question, options: options)
      print("\(question) \(answer.text)")

      // The same answer as it grows, computed on a thread of the model's.
      for try await event in text.stream(question, options: options) {
        if case .text(let piece) = event { print(piece, terminator: "") }
        fflush(nil)
      }
      print()
    }
    text.free()
  }
}
