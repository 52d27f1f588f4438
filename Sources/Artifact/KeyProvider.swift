public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where the keys of encrypted files come from: files and environment by default (`DefaultKeys`); implement it for a
/// key chain or a key server.
public protocol KeyProvider: Sendable {
  /// The key of a file. It is asked for once when the file is opened.
  /// - Throws: what the user is to know; the file is then not opened.
  func key(for request: KeyRequest) throws(IngotError) -> ArtifactKey
}

/// What an encrypted file says about the key it needs.
public struct KeyRequest: Sendable {
  /// The file.
  public let path: String
  /// The key's `ArtifactKey.id`.
  public let keyID: String
  /// How a passphrase becomes the key; nil when no passphrase stands behind it.
  public let derivation: KeyDerivation?

  /// A request, as the reader of a file makes it.
  public init(path: String, keyID: String, derivation: KeyDerivation?) {
    (self.path, self.keyID, self.derivation) = (path, keyID, derivation)
  }
}

/// One key, whichever is asked for.
public struct FixedKey: KeyProvider {
  private let key: ArtifactKey

  /// Provides a key.
  public init(_ key: ArtifactKey) { self.key = key }

  /// The key.
  public func key(for request: KeyRequest) -> ArtifactKey { key }
}

/// Keys from a file, from the environment (`INGOT_KEY`: the key's text; `INGOT_PASSPHRASE`), or a passphrase asked for.
public struct DefaultKeys: KeyProvider {
  private let keyFile: String?
  private let ask: (@Sendable (_ path: String) throws(IngotError) -> String?)?

  /// - Parameters:
  ///   - keyFile: a file with the key, before any of the environment.
  ///   - ask: asks the user for the passphrase of a file; nil from it when there is nobody to ask.
  public init(
    keyFile: String? = nil, ask: (@Sendable (_ path: String) throws(IngotError) -> String?)? = nil
  ) {
    (self.keyFile, self.ask) = (keyFile, ask)
  }

  /// The key of a file.
  /// - Throws: `.argument` when there is none; `.io`, `.format`.
  public func key(for request: KeyRequest) throws(IngotError) -> ArtifactKey {
    if let derivation = request.derivation {
      guard keyFile == nil else {
        throw IngotError(
          .argument, "the file is encrypted with a passphrase, and no key file fits",
          at: .init(file: request.path),
          hint: "leave --key out; the passphrase is INGOT_PASSPHRASE, or asked for on a terminal")
      }
      var passphrase = environment("INGOT_PASSPHRASE")
      if passphrase == nil { passphrase = try ask?(request.path) }
      if let passphrase {
        return try ArtifactKey(passphrase: passphrase, derivation)
      }
      throw IngotError(
        .argument, "the file is encrypted with a passphrase, and none was given",
        at: .init(file: request.path),
        hint: "set INGOT_PASSPHRASE, or run this on a terminal")
    }
    if let keyFile { return try ArtifactKey(path: keyFile) }
    if let text = environment("INGOT_KEY") { return try ArtifactKey(text: text, source: "INGOT_KEY") }
    throw IngotError(
      .argument, "the file is encrypted with key \(request.keyID), and no key was given",
      at: .init(file: request.path), hint: "give --key FILE, or set INGOT_KEY to the key's text")
  }

  /// The key that a new file is encrypted with.
  /// - Parameter usesPassphrase: true for a passphrase even where there is a key.
  /// - Throws: `.argument` when there is none; `.io`, `.format`.
  public func newKey(for path: String, usesPassphrase: Bool = false) throws(IngotError) -> ArtifactKey {
    if !usesPassphrase {
      if let keyFile { return try ArtifactKey(path: keyFile) }
      if let text = environment("INGOT_KEY") { return try ArtifactKey(text: text, source: "INGOT_KEY") }
    }
    var passphrase = environment("INGOT_PASSPHRASE")
    if passphrase == nil, usesPassphrase { passphrase = try ask?(path) }
    guard let passphrase else {
      throw IngotError(
        .argument, "no key to encrypt with",
        hint: usesPassphrase
          ? "set INGOT_PASSPHRASE, or run this on a terminal"
          : "make one with 'ingot keygen -o FILE' and give that file, set INGOT_KEY to its text, or use --passphrase"
      )
    }
    return try ArtifactKey(passphrase: passphrase, .fresh())
  }

  private func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }
}
