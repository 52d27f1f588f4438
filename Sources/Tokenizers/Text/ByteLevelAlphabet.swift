/// GPT-2's mapping of bytes to printable characters, under which vocabularies are written.
/// Source: GPT-2, `encoder.py`, `bytes_to_unicode`.
enum ByteLevelAlphabet {
  /// The scalar of each byte: itself when printable Latin-1, else U+0100 and up, in order.
  static let scalars: [Unicode.Scalar] = {
    var result: [Unicode.Scalar] = []
    var next: UInt32 = 0x100
    for byte in UInt32(0)..<256 {
      let isPrintable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
      result.append(Unicode.Scalar(isPrintable ? byte : next) ?? " ")
      if !isPrintable { next += 1 }
    }
    return result
  }()

  /// The byte of each scalar below U+0144; -1 for those that stand for none.
  private static let bytes: [Int16] = {
    var result = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { result[Int(scalar.value)] = Int16(byte) }
    return result
  }()

  /// The bytes that a token's text stands for; nil when it has a scalar outside the alphabet.
  static func decode(_ token: ArraySlice<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(token.count)
    return token.withUnsafeBufferPointer({ append($0, to: &result) }) ? result : nil
  }

  /// Appends the bytes that a token's text stands for; false, and nothing appended, when it has a scalar
  /// outside the alphabet.
  static func append(_ token: UnsafeBufferPointer<UInt8>, to result: inout [UInt8]) -> Bool {
    let text = ScalarText(token)
    let start = result.count
    return bytes.withUnsafeBufferPointer { bytes in
      var position = 0
      while position < text.end {
        let (value, next) = text.scalar(at: position)
        guard value < 0x144, bytes[Int(value)] >= 0 else {
          result.removeSubrange(start...)
          return false
        }
        result.append(UInt8(truncatingIfNeeded: bytes[Int(value)]))
        position = next
      }
      return true
    }
  }

  /// Bytes written in the alphabet, as UTF-8.
  static func encode(_ bytes: some Sequence<UInt8>, into result: inout [UInt8]) {
    for byte in bytes { result += UTF8.encode(scalars[Int(byte)])! }
  }
}
