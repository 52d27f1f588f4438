import IngotCore

extension Filters {
  /// Filters that lay out text in lines.
  static let wrapping: [String: Filter] = [
    "indent": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("indent", ["width", "first", "blank"])
      guard case .string(let text) = value else {
        if case .undefined(let undefined) = value { throw .python(undefined.why) }
        throw .python("indent needs a string, not '\(value.typeName)'")
      }
      let indentation: Text
      if case .string(let text)? = bound[0] {
        indentation = text
      } else {
        let width = try bound[0].int(or: 4)
        try i.charge(bytes: 1, times: width)
        indentation = Text(" ").repeated(width)
      }
      let lines = (text + "\n").lines()
      try i.charge(bytes: indentation.bytes.count + 1, times: lines.count)
      let indentsBlank = bound[2].isTrue()
      var result = bound[1].isTrue() ? indentation : Text()
      for (index, line) in lines.enumerated() {
        if index > 0 {
          result.append("\n")
          if indentsBlank || !line.isEmpty { result.append(indentation) }
        }
        result.append(line)
      }
      return .string(result.markup(like: text))
    },
    "truncate": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("truncate", ["length", "killwords", "end", "leeway"])
      let length = try bound[0].int(or: 255)
      let end = try bound[2].map { (value) throws(IngotError) in try StringMethods.required(value) } ?? "..."
      let leeway = try bound[3].int(orNone: 5)
      guard length >= end.count else { throw .python("expected length >= \(end.count), got \(length)") }
      guard leeway >= 0 else { throw .python("expected leeway >= 0, got \(leeway)") }
      guard let count = value.length else { throw .python("object of type '\(value.typeName)' has no len()") }
      let (limit, overflow) = length.addingReportingOverflow(leeway)
      if overflow || count <= limit { return value }
      guard case .string(let text) = value else {
        throw .python("truncate needs a string, not '\(value.typeName)'")
      }
      let cut = text.prefix(length - end.count)
      let kept = bound[1].isTrue() ? cut : cut.splitFromRight(by: " ", limit: 1)[0]
      return .string(text.isMarkup ? (kept + end.escaped).markup : kept + end)
    },
    "wordwrap": { (i, value, a) throws(IngotError) in
      let bound = try a.bind(
        "wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"])
      guard case .string(let text) = value else {
        throw .python("wordwrap needs a string, not '\(value.typeName)'")
      }
      let width = try bound[0].int(or: 79)
      guard width > 0 else { throw .python("invalid width \(width) (must be > 0)") }
      let wrapper = TextWrapper(
        width: width, breaksLongWords: bound[1].isTrue(or: true), breaksOnHyphens: bound[3].isTrue(or: true))
      let separator = try bound[2].text() ?? "\n"
      var lines: [Text] = []
      for line in text.lines() { lines.append(separator.joining(wrapper.wrap(line.scalars))) }
      return .string(try StringMethods.join(lines, with: separator, i))
    },
  ]
}

/// Breaks a paragraph into lines, by the rules of Python's `textwrap`.
struct TextWrapper {
  let width: Int
  let breaksLongWords: Bool
  let breaksOnHyphens: Bool

  func wrap(_ text: [Unicode.Scalar]) -> [Text] {
    // Slices, so that cutting a long word up costs no more than its length.
    var chunks = Array(chunks(of: text).reversed())
    var lines: [Text] = []
    while !chunks.isEmpty {
      if !lines.isEmpty, TextWrapper.isBlank(chunks[chunks.count - 1]) { chunks.removeLast() }
      var line: [Unicode.Scalar] = []
      var pieces: [Int] = []
      while let chunk = chunks.last, line.count + chunk.count <= width {
        line += chunk
        pieces.append(chunk.count)
        chunks.removeLast()
      }
      if let chunk = chunks.last, chunk.count > width {
        if breaksLongWords {
          let room = width - line.count
          let end = hyphenBreak(chunk, room)
          line += chunk.prefix(end)
          pieces.append(end)
          chunks[chunks.count - 1] = chunk.dropFirst(end)
          if chunks[chunks.count - 1].isEmpty { chunks.removeLast() }
        } else if line.isEmpty {
          line = Array(chunk)
          pieces = [chunk.count]
          chunks.removeLast()
        }
      }
      if let last = pieces.last, TextWrapper.isBlank(line.suffix(last)) { line.removeLast(last) }
      if !line.isEmpty { lines.append(Text(line)) }
    }
    return lines
  }

  private func hyphenBreak(_ chunk: ArraySlice<Unicode.Scalar>, _ room: Int) -> Int {
    guard breaksOnHyphens, chunk.count > room,
      let hyphen = chunk.prefix(room).lastIndex(of: "-"), hyphen > chunk.startIndex,
      chunk[..<hyphen].contains(where: { $0 != "-" })
    else { return room }
    return hyphen + 1 - chunk.startIndex
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    " \t\n\u{0B}\u{0C}\r".unicodeScalars.contains(scalar)
  }
  /// Python strips Unicode white space here, though only ASCII white space separates words.
  private static func isBlank(_ chunk: ArraySlice<Unicode.Scalar>) -> Bool {
    chunk.allSatisfy(\.isPythonSpace)
  }
  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isWord && !scalar.isPythonDecimal
  }
  private static func isWordOrMark(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isWord || "!\"'&.,?".unicodeScalars.contains(scalar)
  }

  /// White space, dashes and words; words are split after hyphens.
  private func chunks(of text: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
    var chunks: [ArraySlice<Unicode.Scalar>] = []
    var start = 0
    while start < text.count {
      var end = start + 1
      if TextWrapper.isSpace(text[start]) {
        while end < text.count, TextWrapper.isSpace(text[end]) { end += 1 }
      } else if !breaksOnHyphens {
        while end < text.count, !TextWrapper.isSpace(text[end]) { end += 1 }
      } else if start > 0, TextWrapper.isWordOrMark(text[start - 1]), let dash = dash(text, start) {
        end = dash
      } else {
        while end < text.count, !isWordEnd(text, start, end) { end += 1 }
      }
      chunks.append(text[start..<end])
      start = end
    }
    return chunks
  }

  /// The end of `--` or more that is followed by a word.
  private func dash(_ text: [Unicode.Scalar], _ start: Int) -> Int? {
    var end = start
    while end < text.count, text[end] == "-" { end += 1 }
    return end - start >= 2 && end < text.count && text[end].isWord ? end : nil
  }

  private func isWordEnd(_ text: [Unicode.Scalar], _ start: Int, _ end: Int) -> Bool {
    if TextWrapper.isSpace(text[end]) { return true }
    if TextWrapper.isWordOrMark(text[end - 1]), dash(text, end) != nil { return true }
    // After a hyphen between letters, as in `well-known`.
    guard text[end - 1] == "-", end - 1 > start else { return false }
    let hyphen = end - 1
    func letter(_ index: Int) -> Bool { text.indices.contains(index) && TextWrapper.isLetter(text[index]) }
    let isBefore =
      letter(hyphen - 1) && letter(hyphen - 2)
      || hyphen >= 3 && letter(hyphen - 3) && text[hyphen - 2] == "-"
        && TextWrapper.isWordOrMark(text[hyphen - 1])
    let isAfter =
      letter(end) && (letter(end + 1) || end + 1 < text.count && text[end + 1] == "-" && letter(end + 2))
    return isBefore && isAfter
  }
}
