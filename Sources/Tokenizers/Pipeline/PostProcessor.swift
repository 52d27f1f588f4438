import IngotCore

/// The tokens put around a text on request, as `<s>`.
/// Source: Hugging Face tokenizers 0.23, `processors`.
struct PostProcessor: Sendable {
  var prefix: [Int] = []
  var suffix: [Int] = []
  /// Whether a file says so, rather than nothing.
  var isPresent = false

  init(prefix: [Int] = [], suffix: [Int] = []) { (self.prefix, self.suffix) = (prefix, suffix) }

  /// Reads the `post_processor` of a tokenizer.json.
  /// - Throws: `.unsupported` for a type that is not executed, `.tokenizer` for broken members.
  init(_ node: JSONNode) throws(IngotError) {
    try add(node)
    isPresent = !prefix.isEmpty || !suffix.isEmpty
  }

  private mutating func add(_ node: JSONNode) throws(IngotError) {
    switch try node.type() {
    // It trims offsets only.
    case "ByteLevel": break
    case "Sequence": for part in try node.required("processors").elements() { try add(part) }
    case "BertProcessing", "RobertaProcessing":
      // `["[CLS]", 101]`
      prefix.insert(try Self.id(try node.required("cls")), at: 0)
      suffix.append(try Self.id(try node.required("sep")))
    case "TemplateProcessing": try addTemplate(node)
    case let type: throw node.unsupported("the post-processor \(type) is not executed")
    }
  }

  private static func id(_ pair: JSONNode) throws(IngotError) -> Int {
    let elements = try pair.elements()
    guard elements.count == 2, let id = elements[1].value.int else {
      throw pair.error("a token and its id should be here")
    }
    return id
  }

  private mutating func addTemplate(_ node: JSONNode) throws(IngotError) {
    var before: [Int] = []
    var after: [Int] = []
    var hasSequence = false
    for item in try node.required("single").elements() {
      if item.node("Sequence") != nil {
        guard !hasSequence else { throw item.unsupported("the text appears twice in the template") }
        hasSequence = true
        continue
      }
      let name = try item.required("SpecialToken").required("id").string()
      let ids = try node.required("special_tokens").required(name).required("ids").elements()
      for element in ids {
        guard let id = element.value.int else { throw element.error("a token id should be here") }
        if hasSequence { after.append(id) } else { before.append(id) }
      }
    }
    guard hasSequence else { throw node.unsupported("the template has no place for the text") }
    prefix = before + prefix
    suffix += after
  }
}
