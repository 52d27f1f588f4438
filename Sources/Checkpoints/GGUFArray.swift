public import IngotCore

/// An array in a GGUF file's metadata, decoded when asked for: a vocabulary has 10⁵ strings that most
/// readers of the file do not want.
public struct GGUFArray: Sendable {
  /// Type of the elements.
  public let elementType: GGUFValueType
  /// Number of elements, known to fit the file.
  public let count: Int
  /// The metadata key, for messages.
  let key: String
  let file: MappedFile
  /// Where the elements are; known to hold `count` of them.
  let byteRange: Range<Int>

  /// The elements of an array of strings.
  /// - Throws: `.format` when they are not strings or one is not UTF-8.
  public func strings() throws(IngotError) -> [String] {
    guard elementType == .string else { throw mismatch("strings") }
    var strings: [String] = []
    strings.reserveCapacity(count)
    var offset = byteRange.lowerBound
    for index in 0..<count {
      let length = Int(file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[offset + 8..<offset + 8 + length])
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw IngotError(
          .format, "string \(index) is not valid UTF-8",
          at: .init(file: file.path, offset: offset + 8, key: key))
      }
      strings.append(text)
      offset += 8 + length
    }
    return strings
  }

  /// The elements of an array of integers.
  /// - Throws: `.format` when they are not integers, or one does not fit `Int`.
  public func integers() throws(IngotError) -> [Int] {
    switch elementType {
    case .uint8: return load(UInt8.self).map(Int.init)
    case .int8: return load(Int8.self).map(Int.init)
    case .uint16: return load(UInt16.self).map(Int.init)
    case .int16: return load(Int16.self).map(Int.init)
    case .uint32: return load(UInt32.self).map(Int.init)
    case .int32: return load(Int32.self).map(Int.init)
    case .int64: return load(Int64.self).map(Int.init)
    case .uint64:
      let values = load(UInt64.self)
      guard values.allSatisfy({ $0 <= UInt64(Int.max) }) else { throw mismatch("integers below 2^63") }
      return values.map { Int($0) }
    case .float32, .float64, .bool, .string, .array: throw mismatch("integers")
    }
  }

  /// The elements of an array of floats.
  /// - Throws: `.format` when they are not.
  public func floats() throws(IngotError) -> [Float] {
    switch elementType {
    case .float32: return load(UInt32.self).map(Float.init(bitPattern:))
    case .float64: return load(UInt64.self).map { Float(Double(bitPattern: $0)) }
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .int64, .uint64, .bool, .string, .array:
      throw mismatch("floats")
    }
  }

  private func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [T] {
    let size = MemoryLayout<T>.size
    return (0..<count).map { index in
      let offset = byteRange.lowerBound + index * size
      return T(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
  }

  private func mismatch(_ wanted: String) -> IngotError {
    IngotError(
      .format, "expected an array of \(wanted), found one of \(elementType)",
      at: .init(file: file.path, offset: byteRange.lowerBound, key: key))
  }
}
