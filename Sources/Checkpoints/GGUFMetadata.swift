public import IngotCore

/// The key-value pairs at the head of a GGUF file.
public struct GGUFMetadata: Sendable {
  /// Path of the file.
  public let path: String
  /// Keys in file order.
  public private(set) var keys: [String] = []
  private var values: [String: GGUFValue] = [:]

  init(path: String) { self.path = path }

  /// The value of a key, or nil.
  public subscript(key: String) -> GGUFValue? { values[key] }

  mutating func append(_ key: String, _ value: GGUFValue) throws(IngotError) {
    guard values.updateValue(value, forKey: key) == nil else {
      throw IngotError(.format, "the metadata lists a key twice", at: .init(file: path, key: key))
    }
    keys.append(key)
  }

  /// A text; nil when the key is absent.
  /// - Throws: `.config` when it is something else.
  public func string(_ key: String) throws(IngotError) -> String? {
    try value(key, "string", \.string)
  }

  /// An integer of any width; nil when the key is absent.
  /// - Throws: `.config` when it is something else.
  public func integer(_ key: String) throws(IngotError) -> Int? {
    try value(key, "integer", \.int)
  }

  /// A number; nil when the key is absent.
  /// - Throws: `.config` when it is something else.
  public func number(_ key: String) throws(IngotError) -> Double? {
    try value(key, "number", \.double)
  }

  /// A boolean; nil when the key is absent.
  /// - Throws: `.config` when it is something else.
  public func bool(_ key: String) throws(IngotError) -> Bool? {
    try value(key, "boolean", \.bool)
  }

  /// An array; nil when the key is absent.
  /// - Throws: `.config` when it is something else.
  public func array(_ key: String) throws(IngotError) -> GGUFArray? {
    try value(key, "array", \.array)
  }

  private func value<T>(
    _ key: String, _ wanted: String, _ get: (GGUFValue) -> T?
  ) throws(IngotError) -> T? {
    guard let value = values[key] else { return nil }
    guard let result = get(value) else {
      throw IngotError(
        .config, "expected \(wanted), found \(value.kind)", at: .init(file: path, key: key))
    }
    return result
  }
}
