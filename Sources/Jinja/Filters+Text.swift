import IngotCore

extension Filters {
  static let text: [String: Filter] = [
    "upper": { (i, value, a) throws(IngotError) in
      _ = try a.bind("upper", [])
      let text = try i.text(value)
      return .string(text.uppercased().markup(like: text))
    },
    "lower": { (i, value, a) throws(IngotError) in
      _ = try a.bind("lower", [])
      let text = try i.text(value)
      return .string(text.lowercased().markup(like: text))
    },
    "capitalize": { (i, value, a) throws(IngotError) in
      _ = try a.bind("capitalize", [])
      let text = try i.text(value)
      return .string(text.capitalized().markup(like: text))
    },
    "string": { (i, value, a) throws(IngotError) in
      _ = try a.bind("string", [])
      return .string(try i.text(value))
    },
    "safe": { (i, value, a) throws(IngotError) in
      _ = try a.bind("safe", [])
      return .string(try i.text(value).markup)
    },
    "escape": escape, "e": escape,
    "forceescape": { (i, value, a) throws(IngotError) in
      _ = try a.bind("forceescape", [])
      return .string(try i.text(value).forceEscaped)
    },
    "title": { (i, value, a) throws(IngotError) in
      _ = try a.bind("title", [])
      return .string(title(try i.text(value)))
    },
    "trim": { (i, value, a) throws(IngotError) in
      let characters = try a.bind("trim", ["chars"])[0].text()
      let text = try i.text(value)
      return .string(text.stripped(of: characters).markup(like: text))
    },
    "replace": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("replace", ["old", "new", "count"], required: 2)
      return .string(
        try StringMethods.replace(
          try i.text(value), try i.text(bound[0]!), try i.text(bound[1]!), try bound[2].int(orNone: -1), i))
    },
    "center": { (i, value, a) throws(IngotError) in
      let width = try a.bind("center", ["width"])[0].int(or: 80)
      try i.charge(bytes: 1, times: width)
      let text = try i.text(value)
      return .string(text.padded(to: width, .both).markup(like: text))
    },
    "format": { (i, value, a) throws(IngotError) in
      guard a.keyword.isEmpty || a.positional.isEmpty else {
        throw .python("can't handle positional and keyword arguments at the same time")
      }
      let arguments: Value =
        a.keyword.isEmpty
        ? .tuple(a.positional) : .dict(ValueDict(a.keyword.map { (Text($0.name), $0.value) }))
      return .string(try PercentFormat.format(try i.text(value), arguments, i))
    },
    "wordcount": { (i, value, a) throws(IngotError) in
      _ = try a.bind("wordcount", [])
      var count = 0
      var inWord = false
      for scalar in try i.text(value).scalars {
        if scalar.isWord && !inWord { count += 1 }
        inWord = scalar.isWord
      }
      return .int(count)
    },
    "striptags": { (i, value, a) throws(IngotError) in
      _ = try a.bind("striptags", [])
      return .string(try i.text(value).withoutTags)
    },
    "urlencode": { (i, value, a) throws(IngotError) in
      _ = try a.bind("urlencode", [])
      return .string(try urlEncode(value, i))
    },
    "xmlattr": xmlAttributes,
    "tojson": toJSON,
    "pprint": { (i, value, a) throws(IngotError) in
      _ = try a.bind("pprint", [])
      return .string(try PrettyPrinter(i).format(value))
    },
  ]

  private static let escape: Filter = { (i, value, a) throws(IngotError) in
    _ = try a.bindPositional("escape", 0...0)
    return .string(try i.text(value).escaped)
  }

  /// Capitalises words, which begin after white space and `-({[<`.
  private static func title(_ text: Text) -> Text {
    var result = Text()
    var word: [Unicode.Scalar] = []
    func flush() {
      guard let first = word.first else { return }
      result.append(Text([first]).uppercased())
      result.append(Text(word.dropFirst()).lowercased())
      word = []
    }
    for scalar in text.scalars {
      if scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar) {
        flush()
        result.append(scalar: scalar)
      } else {
        word.append(scalar)
      }
    }
    flush()
    return result
  }

  private static func urlEncode(_ value: Value, _ i: Interpreter) throws(IngotError) -> Text {
    func quoted(_ value: Value, inQuery: Bool) throws(IngotError) -> Text {
      var result = Text()
      for byte in try i.text(value).bytes {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.bytes.append(byte)
        case 0x2F where !inQuery: result.bytes.append(byte)
        case 0x20 where inQuery: result.append("+")
        default: result.append(Text((byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)))
        }
      }
      return result
    }
    let pairs: [Value]
    switch value {
    case .dict(let dict): pairs = dict.entries.map { .tuple([$0.key, $0.value]) }
    case .list, .tuple, .object, .undefined: pairs = try i.items(value)
    case .none, .bool, .int, .float, .string: return try quoted(value, inQuery: false)
    }
    var parts: [Text] = []
    for pair in pairs {
      let items = try i.items(pair)
      guard items.count == 2 else { throw .python("urlencode needs pairs") }
      parts.append(try quoted(items[0], inQuery: true) + "=" + quoted(items[1], inQuery: true))
    }
    return Text("&").joining(parts)
  }

  private static let xmlAttributes: Filter = { (i, value, a) throws(IngotError) in
    let bound = try a.bind("xmlattr", ["autospace"])
    guard case .dict(let dict) = value else { throw .python("xmlattr needs a mapping") }
    var parts: [Text] = []
    for (key, value) in dict.entries where !value.isNone && !value.isUndefined {
      guard case .string(let name) = key,
        !name.scalars.contains(where: { " \t\n\r\u{0B}\u{0C}/>=".unicodeScalars.contains($0) })
      else { throw .python("Invalid character in attribute name") }
      parts.append(name.escaped + "=\"" + (try i.text(value)).escaped + "\"")
    }
    let joined = Text(" ").joining(parts)
    return .string(bound[0].isTrue(or: true) && !joined.isEmpty ? " " + joined : joined)
  }

  private static let toJSON: Filter = { (i, value, a) throws(IngotError) in
    let bound = try a.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
    var writer = JSONWriter()
    writer.escapesNonASCII = bound[0].isTrue()
    switch bound[1] {
    case nil, .some(.none): break
    case .some(.string(let text)): writer.indent = text
    case .some(let value):
      let width = try Optional(value).int(or: 0)
      try i.charge(bytes: 1, times: width)
      writer.indent = Text(" ").repeated(width)
    }
    if writer.indent != nil { writer.itemSeparator = "," }
    if let separators = bound[2], !separators.isNone {
      let pair = try i.items(separators)
      guard pair.count == 2, case .string(let item) = pair[0], case .string(let key) = pair[1] else {
        throw .python("separators must be two strings")
      }
      (writer.itemSeparator, writer.keySeparator) = (item, key)
    }
    writer.sortsKeys = bound[3].isTrue()
    // Escapes make at most six bytes of one; indentation is bounded by the depth.
    try i.charge(bytes: value.size, times: 1)
    try i.charge(bytes: value.size / 8 * (writer.indent?.bytes.count ?? 0), times: value.depth)
    try writer.write(value)
    try i.charge(bytes: writer.output.bytes.count)
    return .string(writer.output)
  }
}
