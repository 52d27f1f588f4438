internal import Crypto
public import IngotCore

/// The user's key of encrypted artefacts: 32 bytes, at random or made from a passphrase.
///
/// Every file is encrypted with a key of its own, made from this one and the file's salt, so one key serves many files.
public struct ArtifactKey: Sendable {
  let secret: SymmetricKey
  /// How the key was made from a passphrase; nil for others. Such a key fits one file.
  public let derivation: KeyDerivation?
  /// What the key is called in public: 32 hexadecimal digits that tell nothing about it.
  public let id: String

  private init(_ secret: SymmetricKey, _ derivation: KeyDerivation?) {
    (self.secret, self.derivation) = (secret, derivation)
    id = secret.derived(salt: [], info: "ingot key id", byteCount: 16).withUnsafeBytes { $0.hexadecimal }
  }

  /// A new key.
  public init() { self.init(SymmetricKey(size: .bits256), nil) }

  /// A key from elsewhere.
  /// - Throws: `.argument` unless there are 32 bytes.
  public init(bytes: [UInt8]) throws(IngotError) {
    guard bytes.count == 32 else { throw IngotError(.argument, "a key has 32 bytes, not \(bytes.count)") }
    self.init(SymmetricKey(data: bytes), nil)
  }

  /// The key in a text, as `text` writes it or as 64 hexadecimal digits.
  /// - Parameter source: where the text is from, for errors.
  /// - Throws: `.format`.
  public init(text: String, source: String? = nil) throws(IngotError) {
    try self.init(bytes: KeyText.encryption.bytes(in: text, .init(file: source)))
  }

  /// The key in a file that `write(to:)` or `ingot keygen` made.
  /// - Throws: `.io`, `.format`.
  public init(path: String) throws(IngotError) { try self.init(bytes: KeyText.encryption.bytes(path: path)) }

  /// The key behind a passphrase; takes `2^logCost` KiB of memory and some tenths of a second.
  /// - Throws: `.argument` for an empty one; `.memory`.
  public init(passphrase: String, _ derivation: KeyDerivation) throws(IngotError) {
    self.init(try derivation.key(of: passphrase), derivation)
  }

  /// The key as text: whoever reads it can read the files.
  public var text: String {
    secret.withUnsafeBytes { bytes in
      "# ingot encryption key \(id)\n# Whoever has it can read the files; without it nobody can.\n"
        + KeyText.encryption.line(Array(bytes)) + "\n"
    }
  }

  /// Writes the key into a new file that only its owner may read.
  /// - Throws: `.io`, also when there is a file already.
  public func write(to path: String) throws(IngotError) {
    try KeyText.write(text, path: path, mode: 0o600)
  }
}

extension ArtifactKey: CustomStringConvertible, CustomReflectable {
  /// Names the key and does not tell it.
  public var description: String { "key \(id)" }
  /// Nothing to see.
  public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

extension SymmetricKey {
  /// HKDF-SHA256 (RFC 5869).
  func derived(salt: [UInt8], info: String, byteCount: Int) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: self, salt: salt, info: Array(info.utf8), outputByteCount: byteCount)
  }
}
