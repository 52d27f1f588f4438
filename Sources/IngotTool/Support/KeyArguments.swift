import ArgumentParser
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The keys of `.ingot` files, for every verb that opens one.
struct KeyArguments: ParsableArguments {
  @Option(
    name: .customLong("key"),
    help: "A file with the key of an encrypted .ingot file; by default INGOT_KEY or INGOT_PASSPHRASE.")
  var keyFile: String?

  @Option(
    name: .customLong("verify-key"),
    help:
      "A signer's public key: the .ingot file must be signed with it, and is checked whole before it is used."
  )
  var verifyKeyFile: String?

  /// Where keys come from; a passphrase is asked for on the terminal.
  var keys: DefaultKeys {
    DefaultKeys(keyFile: keyFile) { (path) throws(IngotError) in try askPassphrase("passphrase of \(path): ")
    }
  }

  /// - Throws: `.io`, `.format`.
  func verifyKey() throws(IngotError) -> VerifyKey? {
    guard let verifyKeyFile else { return nil }
    return try VerifyKey(path: verifyKeyFile)
  }

  /// Opens an `.ingot` file with these keys.
  /// - Throws: as `ArtifactFile.init`.
  func open(_ path: String) throws(IngotError) -> ArtifactFile {
    try ArtifactFile(path: path, keys: keys, verifyKey: verifyKey())
  }
}

/// What a new `.ingot` file is encrypted with, by verbs that otherwise leave it plain.
struct EncryptionArguments: ParsableArguments {
  @Option(name: .customLong("encrypt-with"), help: "Encrypt with the key in this file ('ingot keygen').")
  var keyFile: String?

  @Flag(help: "Encrypt with the key in INGOT_KEY, or else the passphrase in INGOT_PASSPHRASE.")
  var encrypt = false

  @Flag(help: "Encrypt with a passphrase: INGOT_PASSPHRASE, or asked for on the terminal.")
  var passphrase = false

  /// Whether the file is to be encrypted.
  var isOn: Bool { keyFile != nil || encrypt || passphrase }

  /// The key of a new file; nil for a plain one.
  /// - Throws: `.argument` when two are given, or there is none; `.io`, `.format`.
  func key(for path: String) throws(IngotError) -> ArtifactKey? {
    guard isOn else { return nil }
    guard keyFile == nil || !passphrase else {
      throw IngotError(.argument, "give either --encrypt-with or --passphrase")
    }
    return try DefaultKeys.ofNewFiles(keyFile: keyFile).newKey(for: path, usesPassphrase: passphrase)
  }
}

extension DefaultKeys {
  /// Where keys of new files come from; a passphrase is asked for twice.
  static func ofNewFiles(keyFile: String?) -> DefaultKeys {
    DefaultKeys(keyFile: keyFile) { (path) throws(IngotError) in
      guard let first = try askPassphrase("passphrase for \(path): ") else { return nil }
      guard try askPassphrase("once more: ") == first else {
        throw IngotError(
          .argument, "the two passphrases differ", hint: "run this again and type the same twice")
      }
      return first
    }
  }
}

/// Asks for a passphrase on the process's terminal, wherever stdin and stdout lead, and does not show it.
/// - Returns: nil when there is no terminal, or nothing was typed.
func askPassphrase(_ prompt: String) throws(IngotError) -> String? {
  let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
  guard terminal >= 0 else { return nil }
  defer { close(terminal) }
  var settings = termios()
  guard tcgetattr(terminal, &settings) == 0 else { return nil }
  let before = settings
  // Without signals either: they would leave a terminal behind that shows nothing.
  settings.c_lflag &= ~tcflag_t(ECHO | ISIG)
  guard tcsetattr(terminal, TCSAFLUSH, &settings) == 0 else { return nil }
  defer {
    var before = before
    tcsetattr(terminal, TCSAFLUSH, &before)
    _ = "\n".withCString { write(terminal, $0, 1) }
  }
  _ = prompt.withCString { write(terminal, $0, strlen($0)) }
  var line: [UInt8] = []
  var byte: UInt8 = 0
  while true {
    let count = read(terminal, &byte, 1)
    if count < 0 && errno == EINTR { continue }
    guard count == 1, byte != UInt8(ascii: "\n") else { break }
    // Control-C.
    guard byte != 3 else { throw IngotError(.argument, "no passphrase was given") }
    line.append(byte)
    guard line.count <= 4096 else { throw IngotError(.limit, "a passphrase of more than 4096 bytes") }
  }
  guard !line.isEmpty else { return nil }
  guard let text = String(validating: line, as: UTF8.self) else {
    throw IngotError(.argument, "the passphrase is not valid UTF-8")
  }
  return text
}
