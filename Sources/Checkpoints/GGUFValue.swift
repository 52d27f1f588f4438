/// A metadata value of a GGUF file.
public enum GGUFValue: Sendable {
  case unsigned(UInt64)
  case signed(Int64)
  case float(Float)
  case double(Double)
  case bool(Bool)
  case string(String)
  /// Elements that stay in the file until asked for.
  case array(GGUFArray)

  /// The value of an integer of any width that fits `Int`.
  public var int: Int? {
    switch self {
    case .unsigned(let value): Int(exactly: value)
    case .signed(let value): Int(exactly: value)
    case .float, .double, .bool, .string, .array: nil
    }
  }

  /// The value of any number.
  public var double: Double? {
    switch self {
    case .unsigned(let value): Double(value)
    case .signed(let value): Double(value)
    case .float(let value): Double(value)
    case .double(let value): value
    case .bool, .string, .array: nil
    }
  }

  /// The value of a boolean.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The text of a string.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The array.
  public var array: GGUFArray? { if case .array(let value) = self { value } else { nil } }

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .unsigned, .signed: "integer"
    case .float, .double: "number"
    case .bool: "boolean"
    case .string: "string"
    case .array: "array"
    }
  }
}

/// The value types of the format; the raw value is the number in the file.
public enum GGUFValueType: UInt32, Sendable, Hashable {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case string = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// The fewest bytes a value takes.
  var minimumBytes: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 12
    }
  }

  /// Whether every value takes `minimumBytes`.
  var isFixedWidth: Bool {
    switch self {
    case .uint8, .int8, .bool, .uint16, .int16, .uint32, .int32, .float32, .uint64, .int64, .float64: true
    case .string, .array: false
    }
  }
}
