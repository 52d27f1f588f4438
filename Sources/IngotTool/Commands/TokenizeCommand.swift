import ArgumentParser
import Ingot

/// `ingot tokenize`: text to ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize", abstract: "Turns text into token ids.",
    discussion: "Special tokens written in the text become those tokens; none are added.")

  @Argument(help: "A model, or a folder with its tokenizer files.")
  var model: String

  @Argument(help: "The text; its ids are printed on one line.")
  var text: String?

  @Option(help: "A file of {\"text\": …} lines, - for stdin; prints {\"ids\": […]} lines.")
  var jsonl: String?

  mutating func run() throws {
    guard (text == nil) != (jsonl == nil) else {
      throw IngotError(.argument, "give either a text or --jsonl FILE")
    }
    let tokenizer = try openTokenizer(model)
    var output = Output()
    if let text {
      let ids = try tokenizer.encode(text)
      try output.write(ids.map(String.init).joined(separator: " ") + "\n")
    } else if let jsonl {
      try forEachJSONLine(of: jsonl) { line in
        guard let text = line["text"]?.string else {
          throw IngotError(.format, "the line is not an object with a \"text\"")
        }
        let ids = try tokenizer.encode(text)
        try output.write("{\"ids\":[" + ids.map(String.init).joined(separator: ",") + "]}\n")
      }
    }
    try output.flush()
  }
}

/// `ingot detokenize`: ids to text.
struct DetokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detokenize", abstract: "Turns token ids into text.")

  @Argument(help: "A model, or a folder with its tokenizer files.")
  var model: String

  @Option(help: "A file of {\"ids\": […]} lines, - for stdin; prints {\"text\": …} lines.")
  var jsonl: String?

  @Option(parsing: .unconditional, help: "Token ids, separated by commas; prints their text.")
  var ids: IDList?

  @Flag(name: .customLong("skip-special"), help: "Leave special tokens out.")
  var skipsSpecial = false

  mutating func run() throws {
    guard (ids == nil) != (jsonl == nil) else {
      throw IngotError(.argument, "give either --ids or --jsonl FILE")
    }
    let tokenizer = try openTokenizer(model)
    let skipsSpecial = skipsSpecial
    var output = Output()
    if let ids {
      try output.write(tokenizer.decode(ids.ids, skipSpecial: skipsSpecial) + "\n")
    } else if let jsonl {
      try forEachJSONLine(of: jsonl) { line in
        guard let values = line["ids"]?.array else {
          throw IngotError(.format, "the line is not an object with \"ids\"")
        }
        let ids = values.compactMap(\.int)
        guard ids.count == values.count else { throw IngotError(.format, "an id is not an integer") }
        let text = try tokenizer.decode(ids, skipSpecial: skipsSpecial)
        try output.write(JSONValue.object(JSONObject([.init("text", .string(text))])).description + "\n")
      }
    }
    try output.flush()
  }
}

/// Runs `body` with each line of a JSON Lines file; errors name file and line. Empty lines are passed over.
private func forEachJSONLine(of path: String, _ body: (JSONValue) throws -> Void) throws {
  var reader = try LineReader(path: path)
  while true {
    switch try reader.next() {
    case .end: return
    case .interrupted: continue
    case .line(let line):
      if line.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      do { try body(try JSONParser.parse(line)) } catch var error as IngotError {
        error.place.file = reader.place.file
        error.place.line = reader.place.line
        throw error
      }
    }
  }
}
