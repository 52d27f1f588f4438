/// The checksum of zip and gzip: CRC-32 with the polynomial 0xEDB88320, eight bytes a step.
/// Source: RFC 1952, section 8; "slicing-by-8" of Kounavis and Berry, 2005.
package struct CRC32 {
  private var state: UInt32 = 0xFFFF_FFFF

  /// The checksum of no bytes.
  package init() {}

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~state }

  /// Appends bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    state = CRC32.tables.withUnsafeBufferPointer { tables in
      var (crc, index) = (state, 0)
      while index + 8 <= bytes.count {
        let word =
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for byte in 0..<8 {
          crc ^= tables[(7 - byte) &* 256 &+ Int(truncatingIfNeeded: (word &>> UInt64(8 &* byte)) & 0xFF)]
        }
        index += 8
      }
      while index < bytes.count {
        crc = (crc &>> 8) ^ tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)]
        index += 1
      }
      return crc
    }
  }

  /// Table k, 256 entries each: the effect of a byte followed by k zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
      tables[byte] = crc
    }
    for entry in 256..<8 * 256 {
      let previous = tables[entry - 256]
      tables[entry] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
    }
    return tables
  }()
}
