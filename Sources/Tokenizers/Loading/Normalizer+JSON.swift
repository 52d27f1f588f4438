import IngotCore

extension Normalizer {
  /// Reads the `normalizer` of a tokenizer.json.
  /// - Throws: `.unsupported` for a type that is not executed, `.tokenizer` for broken members.
  init(_ node: JSONNode) throws(IngotError) {
    switch try node.type() {
    case "NFC": self = .unicode(.nfc)
    case "NFD": self = .unicode(.nfd)
    case "NFKC": self = .unicode(.nfkc)
    case "NFKD": self = .unicode(.nfkd)
    case "Lowercase": self = .lowercase
    case "Prepend": self = .prepend(try node.required("prepend").string())
    case "Replace":
      self = .replace(try node.pattern("pattern"), with: Array(try node.required("content").string().utf8))
    case "Strip":
      self = .strip(
        left: try node.bool("strip_left", default: true), right: try node.bool("strip_right", default: true))
    case "StripAccents": self = .stripAccents
    case "ByteLevel": self = .byteLevel
    case "Precompiled":
      guard let text = try node.string("precompiled_charsmap"), !text.isEmpty else {
        self = .sequence([])
        return
      }
      guard let rules = Base64.decode(text.utf8) else { throw node.error("the rules are not base 64") }
      self = .charsmap(try PrecompiledCharsmap(rules), byCharacter: true)
    case "Sequence":
      var parts: [Normalizer] = []
      for part in try node.required("normalizers").elements() { parts.append(try Normalizer(part)) }
      self = .sequence(parts)
    case let type: throw node.unsupported("the normalizer \(type) is not executed")
    }
  }
}
