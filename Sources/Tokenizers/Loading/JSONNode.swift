import IngotCore

/// A JSON value that knows its path, so that what is wrong with it can be said.
struct JSONNode {
  let value: JSONValue
  let path: String

  func error(_ what: String) -> IngotError { IngotError(.tokenizer, what, at: .init(key: path)) }

  func unsupported(_ what: String) -> IngotError { IngotError(.unsupported, what, at: .init(key: path)) }

  /// A member; nil when it is missing or null.
  func node(_ key: String) -> JSONNode? {
    guard let member = value[key], !member.isNull else { return nil }
    return JSONNode(value: member, path: path.isEmpty ? key : "\(path).\(key)")
  }

  /// A member that must be there.
  func required(_ key: String) throws(IngotError) -> JSONNode {
    guard value.object != nil else { throw error("an object should be here") }
    guard let node = node(key) else { throw error("the member \"\(key)\" is missing") }
    return node
  }

  /// The string that this must be.
  func string() throws(IngotError) -> String {
    guard let string = value.string else { throw error("a string should be here") }
    return string
  }

  /// The `type` member.
  func type() throws(IngotError) -> String { try required("type").string() }

  /// The elements that this must have.
  func elements() throws(IngotError) -> [JSONNode] {
    guard let elements = value.array else { throw error("an array should be here") }
    return elements.enumerated().map { JSONNode(value: $1, path: "\(path)[\($0)]") }
  }

  /// A Boolean member.
  func bool(_ key: String, default standard: Bool) throws(IngotError) -> Bool {
    guard let node = node(key) else { return standard }
    guard let bool = node.value.bool else { throw node.error("true or false should be here") }
    return bool
  }

  /// A string member; nil when it is missing or null.
  func string(_ key: String) throws(IngotError) -> String? { try node(key)?.string() }

  /// A non-negative integer member; nil when it is missing or null.
  func count(_ key: String) throws(IngotError) -> Int? {
    guard let node = node(key) else { return nil }
    guard let count = node.value.int, count >= 0 else { throw node.error("a count should be here") }
    return count
  }

  /// A member whose text is one of an enumeration's raw values.
  func choice<Choice: RawRepresentable<String>>(
    _ key: String, _ type: Choice.Type = Choice.self
  ) throws(IngotError) -> Choice? {
    guard let node = node(key) else { return nil }
    guard let choice = Choice(rawValue: try node.string()) else {
      throw node.unsupported("\"\(try node.string())\" is not known")
    }
    return choice
  }

  /// `{"Regex": …}` or `{"String": …}`.
  func pattern(_ key: String) throws(IngotError) -> SplitPattern {
    let node = try required(key)
    if let regex = try node.string("Regex") {
      do { return try SplitPattern(regex: regex) } catch {
        var located = error
        located.place.key = node.path
        throw located
      }
    }
    if let literal = try node.string("String") { return .literal(Array(literal.utf8)) }
    throw node.unsupported("a pattern is a Regex or a String")
  }
}
