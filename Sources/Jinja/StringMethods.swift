import IngotCore

/// The methods of Python's `str`.
enum StringMethods {
  static let names: Set<String> = [
    "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
    "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower",
    "lstrip", "maketrans", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex",
    "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase",
    "title", "translate", "upper", "zfill",
  ]

  static func call(
    _ name: String, _ text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    if markupNames.contains(name) {
      try interpreter.charge(bytes: text.bytes.count)
    } else {
      try interpreter.charge(steps: text.bytes.count / 64)
    }
    guard text.isMarkup, markupNames.contains(name) else {
      return try apply(name, text, arguments, interpreter)
    }
    return marked(try apply(name, text, escapingArguments(name, arguments), interpreter))
  }

  private static func apply(
    _ name: String, _ text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    if let result = try plain(name, text, arguments) { return result }
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try arguments.bindPositional(name, 0...1)[0].text()
      let ends: Text.Ends = name == "strip" ? .both : name == "lstrip" ? .left : .right
      return .string(text.stripped(ends, of: characters))
    case "split", "rsplit": return try split(name, text, arguments, interpreter)
    case "splitlines":
      let keepEnds = try arguments.bind(name, ["keepends"])[0].isTrue()
      return try interpreter.list(text.lines(keepEnds: keepEnds).map(Value.string))
    case "startswith", "endswith": return try affix(name, text, arguments)
    case "replace":
      let bound = try arguments.bindPositional(name, 2...3)
      let (old, new) = (try required(bound[0]), try required(bound[1]))
      return .string(try replace(text, old, new, try bound[2].int(or: -1), interpreter))
    case "find", "rfind", "index", "rindex", "count": return try search(name, text, arguments)
    case "join":
      let items = try interpreter.items(try arguments.bindPositional(name, 1...1)[0]!)
      var parts: [Text] = []
      for (index, item) in items.enumerated() {
        guard case .string(let part) = text.isMarkup ? .string(try interpreter.text(item)) : item else {
          throw .python("sequence item \(index): expected str instance, \(item.typeName) found")
        }
        parts.append(text.isMarkup ? part.escaped : part)
      }
      return .string(try join(parts, with: text, interpreter))
    case "format": return .string(try StringFormat.format(text, arguments, interpreter))
    case "format_map":
      let bound = try arguments.bindPositional(name, 1...1)
      return .string(try StringFormat.format(text, mapping: bound[0]!, interpreter))
    case "center", "ljust", "rjust":
      let bound = try arguments.bindPositional(name, 1...2)
      let fill = try bound[1].text() ?? " "
      guard fill.count == 1 else { throw .python("The fill character must be exactly one character long") }
      let width = try bound[0].int(or: 0)
      try interpreter.charge(bytes: fill.bytes.count, times: width)
      return .string(
        text.padded(to: width, name == "center" ? .both : name == "ljust" ? .right : .left, with: fill))
    case "zfill":
      let width = try arguments.bindPositional(name, 1...1)[0].int(or: 0)
      try interpreter.charge(bytes: 1, times: width)
      let hasSign = text.bytes.first == 0x2B || text.bytes.first == 0x2D
      let digits = Text(bytes: text.bytes[(hasSign ? 1 : 0)...])
      return .string(
        Text(bytes: text.bytes[..<(hasSign ? 1 : 0)])
          + digits.padded(to: hasSign ? width - 1 : width, .left, with: "0"))
    case "removeprefix":
      let prefix = try required(try arguments.bindPositional(name, 1...1)[0])
      return .string(text.hasPrefix(prefix) ? Text(bytes: text.bytes[prefix.bytes.count...]) : text)
    case "removesuffix":
      let suffix = try required(try arguments.bindPositional(name, 1...1)[0])
      return .string(text.hasSuffix(suffix) ? Text(bytes: text.bytes.dropLast(suffix.bytes.count)) : text)
    case "partition", "rpartition":
      let separator = try required(try arguments.bindPositional(name, 1...1)[0])
      return try partition(name, text, separator)
    case "expandtabs":
      let size = try arguments.bind(name, ["tabsize"])[0].int(or: 8)
      return .string(try expandTabs(text, size, interpreter))
    default: throw IngotError(.unsupported, "str.\(name) is not supported in templates")
    }
  }

  /// The methods without parameters; nil for another.
  private static func plain(_ name: String, _ text: Text, _ arguments: Arguments) throws(IngotError) -> Value?
  {
    let result: Value
    switch name {
    case "upper": result = .string(text.uppercased())
    case "lower": result = .string(text.lowercased())
    case "casefold": result = .string(text.lowercased().replacing("ß", with: "ss").replacing("ς", with: "σ"))
    case "title": result = .string(text.titlecased())
    case "capitalize": result = .string(text.capitalized())
    case "swapcase": result = .string(text.swappedCase())
    case "isalpha": result = .bool(text.all(\.isPythonAlpha))
    case "isdigit": result = .bool(text.all(\.isPythonDigit))
    case "isdecimal": result = .bool(text.all(\.isPythonDecimal))
    case "isnumeric": result = .bool(text.all(\.isPythonNumeric))
    case "isalnum": result = .bool(text.all(\.isPythonAlnum))
    case "isspace": result = .bool(text.all(\.isPythonSpace))
    case "isprintable": result = .bool(text.isEmpty || text.all(\.isPythonPrintable))
    case "isascii": result = .bool(text.isASCII)
    case "islower": result = .bool(text.isLower)
    case "isupper": result = .bool(text.isUpper)
    case "istitle": result = .bool(text.isTitle)
    case "isidentifier":
      let scalars = text.scalars
      result = .bool(
        !scalars.isEmpty && (scalars[0] == "_" || scalars[0].properties.isXIDStart)
          && scalars.allSatisfy(\.properties.isXIDContinue))
    default: return nil
    }
    _ = try arguments.bindPositional(name, 0...0)
    return result
  }

  static func required(_ value: Value?) throws(IngotError) -> Text {
    guard case .string(let text) = value else {
      throw .python("a string is needed, not '\(value?.typeName ?? "nothing")'")
    }
    return text
  }

  private static func split(
    _ name: String, _ text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    let bound = try arguments.bind(name, ["sep", "maxsplit"])
    let limit = try bound[1].int(or: -1)
    let parts: [Text]
    if let separator = try bound[0].text() {
      guard !separator.isEmpty else { throw .python("empty separator") }
      parts =
        name == "split"
        ? text.split(by: separator, limit: limit) : text.splitFromRight(by: separator, limit: limit)
    } else {
      parts = name == "split" ? text.splitAtSpace(limit: limit) : text.splitAtSpaceFromRight(limit: limit)
    }
    return try interpreter.list(parts.map(Value.string))
  }

  private static func affix(_ name: String, _ text: Text, _ arguments: Arguments) throws(IngotError) -> Value
  {
    let bound = try arguments.bindPositional(name, 1...3)
    let part = try range(text, bound[1], bound[2])
    let affixes: [Value]
    if case .tuple(let list) = bound[0] { affixes = list.items } else { affixes = [bound[0]!] }
    for affix in affixes {
      guard case .string(let affix) = affix else {
        throw .python("\(name) first arg must be str or a tuple of str, not \(affix.typeName)")
      }
      if let part, name == "startswith" ? part.text.hasPrefix(affix) : part.text.hasSuffix(affix) {
        return .bool(true)
      }
    }
    return .bool(false)
  }

  /// The part of a text between two optional indexes and where it starts; nil when it starts beyond the end.
  private static func range(
    _ text: Text, _ start: Value?, _ end: Value?
  ) throws(IngotError) -> (text: Text, start: Int)? {
    if start == nil && end == nil { return (text, 0) }
    let length = text.count
    let first = try start.int(orNone: 0)
    if first > length { return nil }
    let from = max(first < 0 ? first + length : first, 0)
    let last = try end.int(orNone: length)
    let to = min(max(last < 0 ? last + length : last, 0), length)
    guard from <= to else { return nil }
    return (text.sliced(SliceIndices(first: from, step: 1, count: to - from)), from)
  }

  private static func search(_ name: String, _ text: Text, _ arguments: Arguments) throws(IngotError) -> Value
  {
    let bound = try arguments.bindPositional(name, 1...3)
    let needle = try required(bound[0])
    let part = try range(text, bound[1], bound[2])
    if name == "count" { return .int(part?.text.occurrences(of: needle) ?? 0) }
    let isReverse = name.hasPrefix("r")
    if let part, let at = isReverse ? part.text.lastIndex(of: needle) : part.text.firstIndex(of: needle) {
      return .int(part.start + Text(bytes: part.text.bytes[..<at]).count)
    }
    if name.hasSuffix("index") { throw .python("substring not found") }
    return .int(-1)
  }

  private static func partition(_ name: String, _ text: Text, _ separator: Text) throws(IngotError) -> Value {
    guard !separator.isEmpty else { throw .python("empty separator") }
    let isReverse = name == "rpartition"
    let found = isReverse ? text.lastIndex(of: separator) : text.firstIndex(of: separator)
    guard let at = found else {
      return .tuple((isReverse ? ["", "", text] : [text, "", ""]).map(Value.string))
    }
    let after = Text(bytes: text.bytes[(at + separator.bytes.count)...])
    return .tuple([Text(bytes: text.bytes[..<at]), separator, after].map(Value.string))
  }

  private static func expandTabs(
    _ text: Text, _ size: Int, _ interpreter: Interpreter
  ) throws(IngotError) -> Text {
    var result = Text()
    var column = 0
    for scalar in text.scalars {
      switch scalar {
      case "\t":
        let width = size > 0 ? size - column % size : 0
        try interpreter.charge(bytes: 1, times: width)
        result.append(Text(" ").repeated(width))
        column += width
      case "\n", "\r":
        result.append(scalar: scalar)
        column = 0
      default:
        result.append(scalar: scalar)
        column += 1
      }
    }
    return result
  }

  /// `replace`, with its result's size checked first.
  static func replace(
    _ text: Text, _ old: Text, _ new: Text, _ limit: Int, _ interpreter: Interpreter
  ) throws(IngotError) -> Text {
    let found = text.occurrences(of: old)
    try interpreter.charge(bytes: new.bytes.count, times: limit < 0 ? found : min(found, limit))
    return text.replacing(old, with: new, limit: limit)
  }

  /// `join`, with its result's size checked first.
  static func join(
    _ parts: [Text], with separator: Text, _ interpreter: Interpreter
  ) throws(IngotError) -> Text {
    try interpreter.charge(bytes: separator.bytes.count, times: parts.count)
    var total = 0
    for part in parts { total += part.bytes.count }
    try interpreter.charge(bytes: total)
    return separator.joining(parts)
  }
}
