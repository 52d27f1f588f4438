import IngotCore

/// Reads the fields of a protocol buffer message one after another, never past its end.
/// Source: protobuf.dev, "Encoding".
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes(UnsafeRawBufferPointer)
    case fixed32(UInt32)
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private func error(_ what: String) -> IngotError {
    IngotError(.tokenizer, "broken protocol buffer: \(what)", at: .init(offset: position))
  }

  /// The next field; nil at the end.
  /// - Throws: `.tokenizer` when the message is cut short or uses groups.
  mutating func next() throws(IngotError) -> (field: Int, value: Value)? {
    guard position < bytes.count else { return nil }
    let tag = try varint()
    let field = Int(truncatingIfNeeded: tag >> 3 & 0x1FFF_FFFF)
    switch tag & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, .fixed64(UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self))))
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.count - position) else { throw error("a field reaches beyond the end") }
      return (field, .bytes(try take(Int(length))))
    case 5: return (field, .fixed32(UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self))))
    default: throw error("wire type \(tag & 7)")
    }
  }

  private mutating func take(_ count: Int) throws(IngotError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - position else { throw error("a field reaches beyond the end") }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  private mutating func varint() throws(IngotError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < bytes.count else { throw error("a number does not end") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw error("a number is too long")
  }
}
