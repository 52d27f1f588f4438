import IngotCore

extension PreTokenizer {
  /// The pattern that ByteLevel splits by.
  static let gpt2Pattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

  /// Reads the `pre_tokenizer` of a tokenizer.json.
  /// - Throws: `.unsupported` for a type that is not executed, `.tokenizer` for broken members.
  init(_ node: JSONNode) throws(IngotError) {
    steps = []
    try add(node)
  }

  private mutating func add(_ node: JSONNode) throws(IngotError) {
    switch try node.type() {
    case "Sequence": for part in try node.required("pretokenizers").elements() { try add(part) }
    case "ByteLevel":
      if try node.bool("add_prefix_space", default: true) { steps.append(.prefixSpace) }
      if try node.bool("use_regex", default: true) {
        steps.append(.split(try SplitPattern(regex: Self.gpt2Pattern), .isolated, invert: false))
      }
      steps.append(.byteLevel)
    case "Split":
      let behavior = try node.choice("behavior", Behavior.self) ?? .isolated
      let invert = try node.bool("invert", default: false)
      steps.append(.split(try node.pattern("pattern"), behavior, invert: invert))
    case "Metaspace": try addMetaspace(node)
    case "Digits":
      let isIndividual = try node.bool("individual_digits", default: false)
      steps.append(.runs(.categories(.number), maximum: isIndividual ? 1 : .max, .isolated))
    case "Whitespace":
      // `\w+|[^\w\s]+` by Rust, whose \w is not Oniguruma's.
      steps.append(.runs(.space, maximum: .max, .removed))
      steps.append(.runs(Self.rustWord, maximum: .max, .isolated))
    case "WhitespaceSplit": steps.append(.runs(.space, maximum: .max, .removed))
    case "Punctuation":
      let behavior = try node.choice("behavior", Behavior.self) ?? .isolated
      steps.append(.runs(Self.punctuation, maximum: 1, behavior))
    case "BertPreTokenizer":
      steps.append(.runs(.space, maximum: .max, .removed))
      steps.append(.runs(Self.punctuation, maximum: 1, .isolated))
    case "CharDelimiterSplit":
      let delimiter = try node.required("delimiter").string()
      steps.append(.split(.literal(Array(delimiter.utf8)), .removed, invert: false))
    case let type: throw node.unsupported("the pre-tokenizer \(type) is not executed")
    }
  }

  private mutating func addMetaspace(_ node: JSONNode) throws(IngotError) {
    let mark = try node.string("replacement") ?? "\u{2581}"
    guard mark.unicodeScalars.count == 1 else { throw node.error("the replacement is not one character") }
    let replacement = Array(mark.utf8)
    // Files from before `prepend_scheme` say only whether a space is added.
    let legacy: PrependScheme = try node.bool("add_prefix_space", default: true) ? .always : .never
    let scheme = try node.choice("prepend_scheme", PrependScheme.self) ?? legacy
    steps.append(.metaspace(replacement: replacement, scheme))
    if try node.bool("split", default: true) {
      steps.append(.split(.literal(replacement), .mergedWithNext, invert: false))
    }
  }

  /// The punctuation of Unicode 8, which `tokenizers` goes by here, and all of ASCII's symbols.
  private static let punctuation = SetExpression.union([
    .intersection([.categories(.punctuation), .age(upTo: 8)]), .scalar(0x166D), .scalar(0x111C9),
    .range(0x21, 0x2F), .range(0x3A, 0x40), .range(0x5B, 0x60), .range(0x7B, 0x7E),
  ])

  private static let rustWord = SetExpression.union([
    .alphabetic, .categories([.mark, .decimalNumber, .connectorPunctuation]), .range(0x200C, 0x200D),
  ])

  /// Takes the mapping of bytes off the end of the steps, if it is there: a model that knows can work on
  /// the bytes themselves.
  mutating func removeFinalByteLevel() -> Bool {
    guard case .byteLevel? = steps.last else { return false }
    steps.removeLast()
    return true
  }
}

extension PreTokenizer.Step {
  /// Runs of scalars of a set.
  fileprivate static func runs(
    _ set: SetExpression, maximum: Int, _ behavior: PreTokenizer.Behavior
  ) -> PreTokenizer.Step {
    .split(.set(SetScanner(set: ScalarSet(set), maximum: maximum)), behavior, invert: false)
  }
}
