import Ingot

/// A chat on a terminal: a line is a message, Ctrl-C stops the answer and not the program.
struct ChatLoop {
  private let session: ChatSession
  private var input: LineReader
  private var total = GenerationTimings()

  init(_ session: ChatSession) throws(IngotError) {
    self.session = session
    input = try LineReader(path: "-")
  }

  mutating func run() throws {
    standardError("/clear forgets the conversation, /exit or Ctrl-D leaves, Ctrl-C stops an answer\n")
    Interrupts.catchThem()
    var interruptions = 0
    while interruptions < 2 {
      standardError("> ")
      switch try input.next() {
      case .end:
        standardError("\n")
        return leave()
      case .interrupted:
        interruptions += Interrupts.take() ? 1 : 0
        standardError(interruptions < 2 ? "\nonce more, /exit or Ctrl-D to leave\n" : "\n")
        continue
      case .line(let line):
        interruptions = 0
        // Pressed while the line was on its way.
        if Interrupts.take() { continue }
        let message = line.trimmed
        switch message {
        case "": continue
        case "/exit", "/quit", "/bye": return leave()
        case "/clear":
          session.clear()
          standardError("forgotten\n")
        case _ where message.first == "/" && !message.contains(" "):
          standardError("unknown command \(message); there are /clear and /exit\n")
        default: try answer(message)
        }
      }
    }
    leave()
  }

  private mutating func answer(_ message: String) throws {
    let cancellation = Cancellation()
    var printer = AnswerPrinter(form: .text)
    let result: GenerationResult
    do throws(IngotError) {
      result = try session.reply(to: message, cancellation: cancellation) { event in
        printer.take(event)
        if Interrupts.take() || printer.cancellation.isCancelled { cancellation.cancel() }
      }
    } catch {
      // A message that is too long, or that the template refuses: the chat goes on.
      standardError("error: \(error)\n")
      return
    }
    try printer.finish()
    switch result.finishReason {
    case .endOfText, .stopString: break
    case .length: standardError("(stopped after \(result.ids.count) tokens, as -n says)\n")
    case .contextFull: standardError("(the context of \(session.model.contextLength) tokens is full)\n")
    case .cancelled: standardError("(stopped)\n")
    }
    total += result.timings
  }

  private func leave() {
    if total.promptTokens > 0 { standardError(total.line + "\n") }
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
    let head = unicodeScalars.drop(while: isSpace)
    guard let last = head.lastIndex(where: { !isSpace($0) }) else { return "" }
    return String(head[...last])
  }
}
