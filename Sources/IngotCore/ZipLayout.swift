/// The records of a zip file, as far as `.npz` files have them.
/// Source: APPNOTE.TXT 6.3.10, PKWARE.
enum ZipLayout {
  static let localSignature: UInt32 = 0x0403_4B50
  static let centralSignature: UInt32 = 0x0201_4B50
  static let endSignature: UInt32 = 0x0605_4B50
  static let end64Signature: UInt32 = 0x0606_4B50
  static let locator64Signature: UInt32 = 0x0706_4B50
  /// Id of the extra field that holds numbers too large for 32 bits.
  static let zip64Field: UInt16 = 1
  /// Id of an extra field that only fills space, as Android's `zipalign` uses it.
  static let paddingField: UInt16 = 0xD935
  static let localBytes = 30
  static let centralBytes = 46
  static let endBytes = 22
  static let end64Bytes = 56
  static let locator64Bytes = 20
  /// Stands for a number that is in the zip64 field.
  static let overflow32: UInt32 = 0xFFFF_FFFF
  static let overflow16: UInt16 = 0xFFFF
  /// General purpose flag: names are UTF-8.
  static let utf8Flag: UInt16 = 1 << 11
  /// General purpose flag: the bytes are encrypted.
  static let encryptedFlag: UInt16 = 1
  /// The first of January 1980, the earliest there is: the same tensors make the same file.
  static let date: UInt16 = 1 << 5 | 1
}

/// Bytes of a record, little endian.
struct ZipRecord {
  var bytes: [UInt8] = []

  mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  /// Appends a number as 32 bits, or the mark that the zip64 field has it.
  mutating func append32(_ value: Int, overflows: Bool) {
    append(overflows ? ZipLayout.overflow32 : UInt32(value))
  }
}
