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
  }
}
