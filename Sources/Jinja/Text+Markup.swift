/// Markup: text that counts as escaped HTML, which `safe` and `escape` make.
///
/// Nothing is escaped on output here, but markup escapes what is added to it, and real chat templates
/// say `"a"|safe + name`.
/// Source: `markupsafe/__init__.py`, 3.0.
extension Text {
  /// The same text as markup.
  var markup: Text {
    var copy = self
    copy.isMarkup = true
    return copy
  }

  /// The same text, markup if another is.
  func markup(like other: Text) -> Text { other.isMarkup ? markup : self }

  /// With the characters that HTML gives a meaning replaced, unless this is markup already.
  var escaped: Text { isMarkup ? self : forceEscaped }

  var forceEscaped: Text {
    var result = Text()
    for byte in bytes {
      switch byte {
      case 0x26: result.append("&amp;")
      case 0x3C: result.append("&lt;")
      case 0x3E: result.append("&gt;")
      case 0x27: result.append("&#39;")
      case 0x22: result.append("&#34;")
      default: result.bytes.append(byte)
      }
    }
    return result.markup
  }

  /// Without tags and comments, white space collapsed, the common entities replaced.
  var withoutTags: Text {
    var plain = Text()
    var at = 0
    while let start = firstIndex(of: "<", from: at) {
      let isComment = Text(bytes: bytes[start..<min(start + 4, bytes.count)]) == "<!--"
      let close: Text = isComment ? "-->" : ">"
      guard let end = firstIndex(of: close, from: min(isComment ? start + 4 : start, bytes.count)) else {
        break
      }
      plain.bytes += bytes[at..<start]
      at = end + close.bytes.count
    }
    plain.bytes += bytes[at...]
    return Text(" ").joining(plain.splitAtSpace(limit: -1))
      .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&#39;", with: "'")
      .replacing("&#34;", with: "\"").replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
  }
}

extension StringMethods {
  /// The methods that yield strings; those of markup yield markup.
  static let markupNames: Set<String> = [
    "capitalize", "casefold", "center", "expandtabs", "format", "format_map", "join", "ljust", "lower",
    "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rjust", "rpartition", "rsplit",
    "rstrip", "split", "splitlines", "strip", "swapcase", "title", "upper", "zfill",
  ]

  /// What a method of markup does to its arguments: what goes into the result is escaped.
  static func escapingArguments(_ name: String, _ arguments: Arguments) -> Arguments {
    var arguments = arguments
    func escape(_ index: Int) {
      guard index < arguments.positional.count, case .string(let text) = arguments.positional[index] else {
        return
      }
      arguments.positional[index] = .string(text.escaped)
    }
    switch name {
    case "replace", "center", "ljust", "rjust": escape(1)
    default: break
    }
    return arguments
  }

  /// Makes the strings of a method's result markup.
  static func marked(_ value: Value) -> Value {
    switch value {
    case .string(let text): .string(text.markup)
    case .list(let list): .list(list.items.map(marked))
    case .tuple(let list): .tuple(list.items.map(marked))
    case .undefined, .none, .bool, .int, .float, .dict, .object: value
    }
  }
}
