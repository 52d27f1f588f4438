import IngotCore

/// Walks over the fields of a protobuf message in a mapped file; never leaves the message.
/// Source: protobuf.dev, "Encoding".
struct ProtobufCursor {
  enum Value {
    case varint(UInt64)
    /// A nested message, text, bytes or packed numbers.
    case range(Range<Int>)
    /// A number of fixed width.
    case fixed
  }

  private let file: MappedFile
  private(set) var position: Int
  private let end: Int

  init(_ file: MappedFile, _ range: Range<Int>) {
    (self.file, position, end) = (file, range.lowerBound, range.upperBound)
  }

  init(_ file: MappedFile) { self.init(file, 0..<file.byteCount) }

  /// The next field; nil at the end.
  mutating func next() throws(IngotError) -> (field: Int, value: Value)? {
    guard position < end else { return nil }
    let key = try varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw broken("an impossible field number") }
    let field = Int(key >> 3)
    switch key & 7 {
    case 0: return (field, .varint(try varint()))
    case 1:
      _ = try take(8)
      return (field, .fixed)
    case 2:
      let count = try varint()
      guard count <= UInt64(end - position) else { throw broken("a field reaches beyond its message") }
      return (field, .range(try take(Int(count))))
    case 5:
      _ = try take(4)
      return (field, .fixed)
    default: throw broken("an unknown kind of field")
    }
  }

  /// The next number of packed ones; nil at the end.
  mutating func nextPacked() throws(IngotError) -> UInt64? { position < end ? try varint() : nil }

  private mutating func take(_ count: Int) throws(IngotError) -> Range<Int> {
    guard count <= end - position else { throw broken("a field reaches beyond its message") }
    defer { position += count }
    return position..<position + count
  }

  private mutating func varint() throws(IngotError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < end else { throw broken("a number is cut short") }
      let byte = file.bytes[position]
      position += 1
      value |= UInt64(byte & 127) << shift
      if byte < 128 { return value }
    }
    throw broken("a number of more than 64 bits")
  }

  private func broken(_ what: String) -> IngotError {
    IngotError(
      .format, "not an ONNX file: \(what)", at: .init(file: file.path, offset: position),
      hint: "the file may be damaged; export the model again")
  }
}
