public import IngotCore

/// The first page of an `.ingot` file: all that can be known of it without a key.
///
/// Numbers are little endian. What an unencrypted or unsigned file does not need is zero, and so is the rest of the
/// page.
///
///     0    8 bytes   magic: 0x89 "INGOT" line feed, control-Z; a transfer as text would change it
///     8    u32       format version
///     12   u32       flags: 1 encrypted, 2 signed
///     16   u64       offset of the manifest, a multiple of 4096
///     24   u64       bytes of the manifest as it is stored
///     32   u64       bytes of the file
///     40   u32       plaintext bytes of a chunk
///     44   u32       binary logarithm of scrypt's cost; 0 for a key that no passphrase stands behind
///     48   32 bytes  SHA-256 of the manifest as it is stored
///     80   32 bytes  salt of the file's key
///     112  16 bytes  id of the key
///     128  16 bytes  salt of scrypt
///     160  32 bytes  Ed25519 public key of the signer
///     192  64 bytes  signature of bytes 0 to 192
///
/// The manifest and the segments follow, each at a multiple of 4096, the manifest last.
public struct ArtifactHeader: Sendable, Hashable {
  /// The newest version this code reads, and the one it writes.
  public static let currentVersion = 1
  /// Bytes of a page: the header's size, and what everything in the file is aligned to.
  public static let pageBytes = 4096
  static let magic: [UInt8] = [0x89, 0x49, 0x4E, 0x47, 0x4F, 0x54, 0x0A, 0x1A]
  /// Limits on what is allocated or computed at a file's word.
  static let longestManifest = 16 << 20
  static let chunkRange = 1 << 12...1 << 24

  /// Version of the format.
  public var formatVersion = Self.currentVersion
  /// How the file is encrypted; nil for a plain one.
  public var encryption: Encryption?
  /// Who signed the file and how; nil for one that is not signed. Read, not verified.
  public var signature: Signature?
  /// Where the manifest begins.
  public var manifestOffset = 0
  /// Bytes of the manifest in the file.
  public var manifestByteCount = 0
  /// Bytes of the whole file.
  public var fileByteCount = 0
  /// SHA-256 of the manifest in the file.
  public var manifestDigest = [UInt8](repeating: 0, count: 32)

  /// What is public of an encryption.
  public struct Encryption: Sendable, Hashable {
    /// Bytes of plaintext that are encrypted and authenticated together.
    public var chunkByteCount: Int
    /// Makes the file's own key from the user's.
    public var salt: [UInt8]
    /// Which key is needed, as `ArtifactKey.id`.
    public var keyID: String
    /// How a passphrase becomes the key; nil for a key that was not made from one.
    public var derivation: KeyDerivation?
  }

  /// A signature and whose it says it is.
  public struct Signature: Sendable, Hashable {
    /// The Ed25519 public key, 32 bytes.
    public var signer: [UInt8]
    /// 64 bytes.
    public var bytes: [UInt8]
  }

  /// A header of a file with no manifest yet.
  init(encryption: Encryption? = nil) { self.encryption = encryption }

  /// Reads the header of a file: no key is needed.
  /// - Throws: `.io`; `.format`, and `.unsupported` for one written by a newer Ingot.
  public init(path: String) throws(IngotError) {
    let file = try MappedFile(path: path)
    self = try withExtendedLifetime(file) { (file) throws(IngotError) in try ArtifactHeader(file) }
  }

  /// Whether a file begins as an artefact does; false too when it cannot be read.
  public static func recognizes(path: String) -> Bool {
    guard let file = try? MappedFile(path: path) else { return false }
    return withExtendedLifetime(file) { file.bytes.prefix(magic.count).elementsEqual(magic) }
  }
}

extension ArtifactHeader {
  private static let encryptedFlag: UInt32 = 1
  private static let signedFlag: UInt32 = 2

  /// Reads and checks the header of a mapped file.
  init(_ file: MappedFile) throws(IngotError) {
    func damaged(_ what: String, at offset: Int) -> IngotError {
      IngotError(
        .format, what, at: .init(file: file.path, offset: offset),
        hint: "the file may be cut short or damaged; fetch or compile it again")
    }
    guard file.bytes.prefix(Self.magic.count).elementsEqual(Self.magic) else {
      throw IngotError(.format, "not an .ingot file", at: .init(file: file.path))
    }
    var reader = ByteReader(file, at: Self.magic.count)
    let version = try reader.read(UInt32.self)
    guard version <= Self.currentVersion else {
      throw IngotError(
        .unsupported,
        "written by a newer Ingot: format version \(version), and this one reads up to \(Self.currentVersion)",
        at: .init(file: file.path), hint: "update Ingot, or compile the model again with this one")
    }
    guard version >= 1 else { throw damaged("format version 0 does not exist", at: 8) }
    formatVersion = Int(version)
    guard file.byteCount >= Self.pageBytes else {
      throw damaged("the file ends within its header, after \(file.byteCount) bytes", at: file.byteCount)
    }
    let flags = try reader.read(UInt32.self)
    guard flags & ~(Self.encryptedFlag | Self.signedFlag) == 0 else {
      throw IngotError(
        .unsupported, "the file has properties that this Ingot does not know: flags \(flags)",
        at: .init(file: file.path, offset: 12), hint: "update Ingot")
    }
    let (offset, count, total) = (
      try reader.read(UInt64.self), try reader.read(UInt64.self), try reader.read(UInt64.self)
    )
    guard total == UInt64(file.byteCount) else {
      throw damaged("the file has \(file.byteCount) bytes, and its header says \(total)", at: 32)
    }
    guard offset >= Self.pageBytes, offset % UInt64(Self.pageBytes) == 0, count > 0, offset < total,
      count == total - offset
    else { throw damaged("the manifest cannot be \(count) bytes at byte \(offset)", at: 16) }
    guard count <= Self.longestManifest else {
      throw IngotError(
        .limit, "a manifest of \(count) bytes; at most \(Self.longestManifest) are read",
        at: .init(file: file.path, offset: 24))
    }
    (manifestOffset, manifestByteCount, fileByteCount) = (Int(offset), Int(count), Int(total))
    let (chunk, cost) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    manifestDigest = Array(try reader.take(32))
    let (salt, keyID) = (Array(try reader.take(32)), Array(try reader.take(16)))
    let passphraseSalt = Array(try reader.take(16))
    guard try reader.take(16).allSatisfy({ $0 == 0 }) else { throw damaged("not zero", at: 144) }
    let (signer, signature) = (Array(try reader.take(32)), Array(try reader.take(64)))
    guard try reader.take(Self.pageBytes - 256).allSatisfy({ $0 == 0 }) else {
      throw damaged("the header's page is not empty beyond the header", at: 256)
    }

    if flags & Self.encryptedFlag != 0 {
      guard Self.chunkRange.contains(Int(chunk)) else {
        throw damaged("chunks of \(chunk) bytes; they have \(Self.chunkRange)", at: 40)
      }
      guard cost != 0 || passphraseSalt.allSatisfy({ $0 == 0 }) else {
        throw damaged("a salt without a passphrase", at: 128)
      }
      do {
        encryption = Encryption(
          chunkByteCount: Int(chunk), salt: salt, keyID: keyID.hexadecimal,
          derivation: cost == 0 ? nil : try KeyDerivation(logCost: Int(cost), salt: passphraseSalt))
      } catch { throw error.inFile(file.path) }
    } else if chunk != 0 || cost != 0 || !(salt + keyID + passphraseSalt).allSatisfy({ $0 == 0 }) {
      throw damaged("a plain file with parts of an encryption", at: 40)
    }
    if flags & Self.signedFlag != 0 {
      self.signature = Signature(signer: signer, bytes: signature)
    } else if !(signer + signature).allSatisfy({ $0 == 0 }) {
      throw damaged("a signature in a file that says it has none", at: 160)
    }
  }

  /// The header's page.
  var page: [UInt8] {
    var page = Self.magic
    let flags = (encryption == nil ? 0 : Self.encryptedFlag) | (signature == nil ? 0 : Self.signedFlag)
    page += UInt32(formatVersion).littleEndianBytes + flags.littleEndianBytes
    for number in [manifestOffset, manifestByteCount, fileByteCount] {
      page += UInt64(number).littleEndianBytes
    }
    page += UInt32(encryption?.chunkByteCount ?? 0).littleEndianBytes
    page += UInt32(encryption?.derivation?.logCost ?? 0).littleEndianBytes
    page += manifestDigest
    page += encryption?.salt ?? .init(repeating: 0, count: 32)
    page += encryption.flatMap { [UInt8](hexadecimal: $0.keyID) } ?? .init(repeating: 0, count: 16)
    page += encryption?.derivation?.salt ?? .init(repeating: 0, count: 16)
    page += [UInt8](repeating: 0, count: 16)
    page += signature?.signer ?? .init(repeating: 0, count: 32)
    page += signature?.bytes ?? .init(repeating: 0, count: 64)
    return page + [UInt8](repeating: 0, count: Self.pageBytes - page.count)
  }

  /// What is known before the first segment is written, and so can be bound to every chunk.
  var prologue: [UInt8] {
    let page = self.page
    return Array(page[0..<16] + page[40..<48] + page[80..<160])
  }

  /// Where the manifest and the file end, which is bound to the manifest's chunks.
  var extent: [UInt8] { Array(page[16..<40]) }
}

extension FixedWidthInteger {
  /// The integer's bytes, lowest first.
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}

extension [UInt8] {
  /// The bytes of pairs of hexadecimal digits; nil for any other text.
  init?(hexadecimal text: some StringProtocol) {
    let digits = text.utf8.map { $0 }
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      let value: UInt8
      switch digit {
      case 0x30...0x39: value = digit - 0x30
      case 0x41...0x46: value = digit - 0x41 + 10
      case 0x61...0x66: value = digit - 0x61 + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    self = bytes
  }
}
