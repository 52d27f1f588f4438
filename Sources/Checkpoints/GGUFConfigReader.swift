import IngotCore

/// Typed, range-checked access to the metadata keys of one architecture, as `llama.block_count`.
struct GGUFConfigReader {
  let metadata: GGUFMetadata
  let architecture: String

  init(_ metadata: GGUFMetadata, architecture: String) {
    (self.metadata, self.architecture) = (metadata, architecture)
  }

  private func full(_ key: String) -> String { "\(architecture).\(key)" }

  func error(_ key: String, _ what: String, kind: IngotError.Kind = .config) -> IngotError {
    IngotError(kind, what, at: .init(file: metadata.path, key: full(key)))
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(IngotError) -> Int? {
    guard let value = try metadata.integer(full(key)) else { return nil }
    return try checked(value, key, range)
  }

  func required(_ key: String, in range: ClosedRange<Int>) throws(IngotError) -> Int {
    guard let value = try integer(key, in: range) else { throw error(key, "missing") }
    return value
  }

  func number(_ key: String, in range: ClosedRange<Double>) throws(IngotError) -> Double? {
    guard let value = try metadata.number(full(key)) else { return nil }
    guard range.contains(value) else {
      throw error(key, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }

  func string(_ key: String) throws(IngotError) -> String? { try metadata.string(full(key)) }

  /// An integer that some files give per layer; all layers must agree.
  func optionalUniform(_ key: String, in range: ClosedRange<Int>) throws(IngotError) -> Int? {
    guard let array = metadata[full(key)]?.array else { return try integer(key, in: range) }
    let values = try array.integers()
    guard let first = values.first else { throw error(key, "an empty list") }
    guard values.allSatisfy({ $0 == first }) else {
      throw error(key, "layers of different sizes are not supported", kind: .unsupported)
    }
    return try checked(first, key, range)
  }

  func uniform(_ key: String, in range: ClosedRange<Int>) throws(IngotError) -> Int {
    guard let value = try optionalUniform(key, in: range) else { throw error(key, "missing") }
    return value
  }

  private func checked(_ value: Int, _ key: String, _ range: ClosedRange<Int>) throws(IngotError) -> Int {
    guard range.contains(value) else {
      throw error(key, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }
}
