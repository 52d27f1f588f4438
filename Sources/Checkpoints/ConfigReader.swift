import IngotCore

/// Typed access to the members of `config.json`, with errors that name file and key.
///
/// A member that is `null` counts as absent, as in transformers.
struct ConfigReader {
  let object: JSONObject
  let file: String
  /// Path of the object in the document, as `text_config.`, or empty.
  let prefix: String

  init(_ json: JSONValue, file: String, prefix: String = "") throws(IngotError) {
    guard let object = json.object else {
      throw IngotError(
        .config, "expected object, found \(json.kind)",
        at: .init(file: file, key: prefix.isEmpty ? nil : String(prefix.dropLast())))
    }
    (self.object, self.file, self.prefix) = (object, file, prefix)
  }

  func error(
    _ key: String, _ what: String, kind: IngotError.Kind = .config, hint: String? = nil
  ) -> IngotError {
    IngotError(kind, what, at: .init(file: file, key: prefix + key), hint: hint)
  }

  /// Whether a key is written, be it with `null`.
  func mentions(_ key: String) -> Bool { object[key] != nil }

  /// The member, unless absent or `null`.
  subscript(key: String) -> JSONValue? {
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  private func value<T>(
    _ key: String, _ wanted: String, _ get: (JSONValue) -> T?
  ) throws(IngotError) -> T? {
    guard let value = self[key] else { return nil }
    guard let result = get(value) else { throw error(key, "expected \(wanted), found \(value.kind)") }
    return result
  }

  func string(_ key: String) throws(IngotError) -> String? { try value(key, "string", \.string) }
  func bool(_ key: String) throws(IngotError) -> Bool? { try value(key, "boolean", \.bool) }
  func array(_ key: String) throws(IngotError) -> [JSONValue]? { try value(key, "array", \.array) }

  func nested(_ key: String) throws(IngotError) -> ConfigReader? {
    guard let value = self[key] else { return nil }
    return try ConfigReader(value, file: file, prefix: "\(prefix)\(key).")
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(IngotError) -> Int? {
    guard let value = try value(key, "integer", \.int) else { return nil }
    guard range.contains(value) else {
      throw error(key, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }

  func required(_ key: String, in range: ClosedRange<Int>) throws(IngotError) -> Int {
    guard let value = try integer(key, in: range) else { throw error(key, "missing") }
    return value
  }

  /// A finite number in a range.
  func number(_ key: String, in range: ClosedRange<Double>) throws(IngotError) -> Double? {
    guard let value = try value(key, "number", \.double) else { return nil }
    guard range.contains(value) else {
      throw error(key, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }

  func strings(_ key: String) throws(IngotError) -> [String]? {
    guard let elements = try array(key) else { return nil }
    var strings: [String] = []
    for (index, element) in elements.enumerated() {
      guard let string = element.string else {
        throw error("\(key)[\(index)]", "expected string, found \(element.kind)")
      }
      strings.append(string)
    }
    return strings
  }

  func numbers(_ key: String, in range: ClosedRange<Double>) throws(IngotError) -> [Double]? {
    guard let elements = try array(key) else { return nil }
    var numbers: [Double] = []
    for (index, element) in elements.enumerated() {
      guard let number = element.double else {
        throw error("\(key)[\(index)]", "expected number, found \(element.kind)")
      }
      guard range.contains(number) else {
        throw error(
          "\(key)[\(index)]", "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// A token id, or a list of them.
  func tokenIDs(_ key: String) throws(IngotError) -> [Int]? {
    guard let value = self[key] else { return nil }
    var ids: [Int] = []
    for (index, element) in (value.array ?? [value]).enumerated() {
      let place = value.array == nil ? key : "\(key)[\(index)]"
      guard let id = element.int else {
        throw error(place, "expected integer or list of integers, found \(element.kind)")
      }
      // Some configurations write -1 for none.
      if id == -1 { continue }
      guard DecoderConfig.Limits.tokenIDs.contains(id) else { throw error(place, "\(id) is no token id") }
      ids.append(id)
    }
    return ids
  }
}

extension JSONValue {
  /// What the value is, for messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .int: "integer"
    case .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
