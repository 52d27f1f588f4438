/// A JSON document in memory, with the members of objects in the order of the text.
///
/// `Codable` is for configurations and HTTP bodies; this is for what needs speed (a tokenizer of many
/// megabytes), order (`tojson` in chat templates) or unknown keys (`config.json`).
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number written without fraction or exponent that fits 64 bits.
  case int(Int)
  /// Any other number.
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

/// The members of a JSON object in the order of the text; of a repeated key the last value counts, as
/// in Python and JavaScript.
public struct JSONObject: Sendable, Hashable {
  /// A key and its value.
  public struct Member: Sendable, Hashable {
    /// The key.
    public var key: String
    /// Its value.
    public var value: JSONValue

    /// Pairs a key with a value.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The members in order.
  public private(set) var members: [Member]

  /// Takes members in order; repeated keys are kept as they are.
  public init(_ members: [Member] = []) { self.members = members }

  /// The value of a key, by linear search from the end: for the few-key objects of configurations.
  /// Build a dictionary for large ones.
  public subscript(key: String) -> JSONValue? {
    get { members.last { $0.key == key }?.value }
    set {
      members.removeAll { $0.key == key && newValue == nil }
      guard let newValue else { return }
      if let index = members.lastIndex(where: { $0.key == key }) {
        members[index].value = newValue
      } else {
        members.append(Member(key, newValue))
      }
    }
  }
}

extension JSONValue {
  /// The text of a string.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The value of an integer, also when written as `2.0`.
  public var int: Int? {
    switch self {
    case .int(let value): value
    case .double(let value): Int(exactly: value)
    case .null, .bool, .string, .array, .object: nil
    }
  }
  /// The value of any number.
  public var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    case .null, .bool, .string, .array, .object: nil
    }
  }
  /// The value of `true` or `false`.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements of an array.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The object.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// A member of an object; nil for anything else.
  public subscript(key: String) -> JSONValue? { object?[key] }
}
