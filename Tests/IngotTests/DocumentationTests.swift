import Foundation
import TestSupport
import Testing

/// The documentation's catalogue says what the sources say.
@Suite struct DocumentationTests {
  private static let root = Fixture.repository
  private static let catalogue = root.appendingPathComponent("Sources/Ingot/Ingot.docc")

  /// The files of a folder and those below it with a suffix, by path.
  private static func files(_ folder: URL, _ suffix: String) throws -> [URL] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(suffix) }.sorted()
      .map { folder.appendingPathComponent($0) }
  }

  private static func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }

  private static func lines(_ file: URL) throws -> [String] { try text(file).components(separatedBy: "\n") }

  /// What is between the first and second mark of every place that has both.
  private static func all(_ begin: String, _ end: String, in text: String) -> [String] {
    text.components(separatedBy: begin).dropFirst().compactMap { rest in
      rest.range(of: end).map { String(rest[..<$0.lowerBound]) }
    }
  }

  private static func pages() throws -> [URL] { try files(catalogue, ".md") + files(catalogue, ".tutorial") }

  @Test func tutorialsShowTheExamples() throws {
    let code = Self.catalogue.appendingPathComponent("Tutorials/Code")
    for (name, example) in [("compile", "Compile"), ("ask", "ShareAndAsk")] {
      let whole = try Self.lines(Self.root.appendingPathComponent("Examples/\(example)/\(example).swift"))
      let steps = try Self.files(code, ".swift").filter { $0.lastPathComponent.hasPrefix(name + "-") }
      #expect(steps.count > 2)
      var before: [String] = []
      for step in steps {
        // What a step adds is added lines: the step before is in it, and it is in the example.
        let lines = try Self.lines(step)
        #expect(
          lines.contains(inOrder: before) && whole.contains(inOrder: lines), "\(step.lastPathComponent)")
        before = lines
      }
      #expect(before == whole, "the last step is not the example \(example)")
    }
    let shown = try Self.files(Self.catalogue, ".tutorial").flatMap {
      Self.all("file: \"", "\"", in: try Self.text($0))
    }
    let steps = try Self.files(code, ".swift").map(\.lastPathComponent)
    #expect(shown.sorted() == steps, "steps without a file, or files without a step")
  }

  @Test func everyLineOfSwiftInArticlesIsCompiled() throws {
    let sources =
      try Self.files(Self.root.appendingPathComponent("Examples"), ".swift")
      + [URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Guide.swift")]
    let compiled = Set(
      try sources.flatMap(Self.lines).map { $0.trimmingCharacters(in: .whitespaces) })
    for page in try Self.files(Self.catalogue, ".md") {
      let snippets = Self.all("```swift\n", "```", in: try Self.text(page))
      #expect(!snippets.isEmpty)
      for line in snippets.joined().components(separatedBy: "\n") {
        let line = line.trimmingCharacters(in: .whitespaces)
        #expect(line.isEmpty || compiled.contains(line), "\(page.lastPathComponent): \(line)")
      }
    }
  }

  @Test func linksLeadSomewhere() throws {
    let declared = try PublicNames(Self.root.appendingPathComponent("Sources"))
    // The check itself: an unknown type, member and label are found.
    for name in ["TextMode", "SharedText/asks(_:options:cancellation:onEvent:)", "SharedText/stream(_:)"] {
      #expect(!declared.contains(name))
    }
    let pages = try Self.pages()
    let names = Set(pages.map { $0.deletingPathExtension().lastPathComponent })
    for page in pages {
      let text = try Self.text(page)
      // Swift's own fences have three.
      let prose = text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 0 }.map(
        \.element)
      let symbols = prose.flatMap { $0.components(separatedBy: "``").enumerated() }
        .filter { $0.offset % 2 == 1 }.map(\.element)
      for symbol in symbols where symbol != "Ingot" {
        #expect(declared.contains(symbol), "\(page.lastPathComponent): no public \(symbol)")
      }
      for link in Self.all("<doc:", ">", in: text) + Self.all("\"doc:", "\"", in: text) {
        #expect(names.contains(link), "\(page.lastPathComponent): no page \(link)")
      }
    }
  }
}

/// Public declarations as links name them: `Type`, `Type/member`, `Type/function(_:label:)`, `function(label:)`.
private struct PublicNames {
  private var names: Set<String> = []

  func contains(_ name: String) -> Bool { names.contains(name) }

  init(_ folder: URL) throws {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    for path in paths where path.hasSuffix(".swift") && !path.contains(".docc/") {
      try read(String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8))
    }
  }

  /// Sources are formatted: what is two columns further in belongs to what is open there.
  private mutating func read(_ text: String) {
    var open: [(indent: Int, name: String)] = []
    for (start, line) in text.lines {
      let indent = line.prefix { $0 == " " }.count
      guard indent < line.count, !line.dropFirst(indent).hasPrefix("//") else { continue }
      open.removeAll { $0.indent >= indent }
      let words = line.split(separator: " ").map(String.init)
      func name(after keywords: Set<String>) -> String? {
        guard let index = words.firstIndex(where: keywords.contains), index + 1 < words.count else {
          return nil
        }
        return String(words[index + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." })
      }
      let isPublic = words[0] == "public"
      let scope = open.map(\.name).joined(separator: "/")
      func add(_ name: String) { names.insert(scope.isEmpty ? name : scope + "/" + name) }
      if words[0] == "extension", let name = name(after: ["extension"]) {
        open.append((indent, name.replacingOccurrences(of: ".", with: "/")))
      } else if isPublic, let name = name(after: ["func"]) {
        add(name + labels(text[start...]))
      } else if isPublic, let name = name(after: ["struct", "class", "enum", "protocol", "typealias"]) {
        add(name)
        open.append((indent, name))
      } else if isPublic, let name = name(after: ["var", "let"]) {
        add(name)
      }
    }
  }

  /// The labels of a function whose declaration a text begins with.
  private func labels(_ text: Substring) -> String {
    guard let begin = text.firstIndex(of: "(") else { return "()" }
    var (depth, labels, isLabel, word) = (0, "", true, "")
    for character in text[begin...] {
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      if depth == 0 { break }
      guard depth == 1 else { continue }
      switch character {
      case "(": word = ""
      case ",": (isLabel, word) = (true, "")
      case ":" where isLabel:
        labels += word.split { $0 == " " || $0 == "\n" }.first.map { "\($0):" } ?? ""
        isLabel = false
      default: word.append(character)
      }
    }
    return "(\(labels))"
  }
}

extension String {
  /// Its lines, and where they begin.
  fileprivate var lines: [(start: Index, line: Substring)] {
    split(separator: "\n").map { ($0.startIndex, $0) }
  }
}

extension [String] {
  /// Whether all lines are among these, in order.
  fileprivate func contains(inOrder lines: [String]) -> Bool {
    var rest = self[...]
    for line in lines {
      guard let index = rest.firstIndex(of: line) else { return false }
      rest = rest[(index + 1)...]
    }
    return true
  }
}
