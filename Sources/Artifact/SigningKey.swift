internal import Crypto
public import IngotCore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// The private half of an Ed25519 key pair, which signs artefacts.
public struct SigningKey: Sendable {
  private let secret: [UInt8]
  /// The public half.
  public let verifyKey: VerifyKey

  /// A new pair.
  public init() {
    let key = Curve25519.Signing.PrivateKey()
    secret = Array(key.rawRepresentation)
    verifyKey = VerifyKey(bytes: Array(key.publicKey.rawRepresentation))
  }

  /// - Throws: `.argument` unless there are 32 bytes.
  public init(bytes: [UInt8]) throws(IngotError) {
    do {
      let key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
      (secret, verifyKey) = (bytes, VerifyKey(bytes: Array(key.publicKey.rawRepresentation)))
    } catch { throw IngotError(.argument, "a signing key has 32 bytes, not \(bytes.count)") }
  }

  /// The key in a file that `write(to:)` or `ingot keygen --signing` made.
  /// - Throws: `.io`, `.format`.
  public init(path: String) throws(IngotError) { try self.init(bytes: KeyText.signing.bytes(path: path)) }

  /// Writes the key into a new file that only its owner may read.
  /// - Throws: `.io`, also when there is a file already.
  public func write(to path: String) throws(IngotError) {
    try KeyText.write(
      "# ingot signing key of \(verifyKey.id)\n# Whoever has it can sign in your name.\n"
        + KeyText.signing.line(secret) + "\n", path: path, mode: 0o600)
  }

  /// A signature of 64 bytes.
  func sign(_ message: [UInt8]) throws(IngotError) -> [UInt8] {
    do {
      return Array(try Curve25519.Signing.PrivateKey(rawRepresentation: secret).signature(for: message))
    } catch { throw IngotError(.argument, "the signing key cannot sign") }
  }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
  /// Names the key and does not tell it.
  public var description: String { "signing key of \(verifyKey.id)" }
  /// Nothing to see.
  public var customMirror: Mirror { Mirror(self, children: ["verifyKey": verifyKey]) }
}

/// The public half of an Ed25519 key pair, which tells whether an artefact is the signer's.
public struct VerifyKey: Sendable, Hashable {
  /// 32 bytes.
  public let bytes: [UInt8]
  /// The bytes in hexadecimal digits.
  public var id: String { bytes.hexadecimal }

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// The key in a file that `ingot keygen --signing` made beside the private one.
  /// - Throws: `.io`, `.format`.
  public init(path: String) throws(IngotError) { bytes = try KeyText.verifying.bytes(path: path) }

  /// Writes the key into a new file.
  /// - Throws: `.io`, also when there is a file already.
  public func write(to path: String) throws(IngotError) {
    try KeyText.write(
      "# ingot key that verifies signatures: give it to those who load your files\n"
        + KeyText.verifying.line(bytes) + "\n", path: path, mode: 0o644)
  }

  /// Whether a signature is this key's.
  func accepts(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
    return key.isValidSignature(signature, for: message)
  }
}

extension ArtifactHeader.Signature {
  /// The public key, whose `id` names the signer. That the file names it does not mean that it signed.
  public var verifyKey: VerifyKey { VerifyKey(bytes: signer) }
}

extension ArtifactHeader {
  /// What a signature is of: the header, and by its digest the manifest, and by the digests in that every segment.
  var signedMessage: [UInt8] { Array("ingot artifact signature 1\n".utf8) + page[0..<192] }

  /// Checks that the header, with the manifest's digest, was signed with a key.
  /// - Throws: `.format` when the file is not signed, or not by that key, or was changed.
  public func verify(_ key: VerifyKey, path: String) throws(IngotError) {
    guard let signature else {
      throw IngotError(
        .format, "the file is not signed", at: .init(file: path),
        hint: "load it without --verify-key only if you trust where it is from")
    }
    guard signature.signer == key.bytes else {
      throw IngotError(
        .format, "signed by \(signature.signer.hexadecimal), not by \(key.id)", at: .init(file: path))
    }
    guard key.accepts(signature.bytes, of: signedMessage) else {
      throw IngotError(
        .format, "the signature does not fit: the file was changed after it was signed", at: .init(file: path)
      )
    }
  }
}
