/// Reads little-endian values one after another from a mapped file, never past its end.
public struct ByteReader: Sendable {
  /// The file read from.
  public let file: MappedFile
  /// Byte offset of the next read.
  public private(set) var offset: Int

  /// Starts reading at an offset.
  public init(_ file: MappedFile, at offset: Int = 0) {
    self.file = file
    self.offset = offset
  }

  /// Bytes left.
  public var remaining: Int { max(0, file.byteCount - offset) }

  /// The next fixed-width integer, little endian.
  /// - Throws: `.format` at the end of the file.
  public mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(IngotError) -> T {
    let bytes = try take(MemoryLayout<T>.size)
    return T(littleEndian: bytes.loadUnaligned(as: T.self))
  }

  /// The next 32-bit float.
  /// - Throws: `.format` at the end of the file.
  public mutating func readFloat() throws(IngotError) -> Float {
    Float(bitPattern: try read(UInt32.self))
  }

  /// The next 64-bit float.
  /// - Throws: `.format` at the end of the file.
  public mutating func readDouble() throws(IngotError) -> Double {
    Double(bitPattern: try read(UInt64.self))
  }

  /// A 64-bit count that must not exceed what the rest of the file can hold.
  /// - Parameter elementBytes: the fewest bytes one counted element takes.
  /// - Throws: `.format` when it does.
  public mutating func readCount(elementBytes: Int, of what: String) throws(IngotError) -> Int {
    let start = offset
    let raw = try read(UInt64.self)
    guard raw <= UInt64(remaining / max(elementBytes, 1)) else {
      throw IngotError(
        .format, "a count of \(raw) \(what) does not fit in the remaining \(remaining) bytes",
        at: .init(file: file.path, offset: start))
    }
    return Int(raw)
  }

  /// The next `count` bytes.
  /// - Throws: `.format` when fewer are left.
  public mutating func take(_ count: Int) throws(IngotError) -> UnsafeRawBufferPointer {
    let bytes = try file.bytes(at: offset, count: count)
    offset += count
    return bytes
  }
}
