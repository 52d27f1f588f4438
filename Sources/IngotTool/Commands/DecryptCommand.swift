import ArgumentParser
import Ingot

/// `ingot decrypt`: a plain copy of an encrypted artefact.
struct DecryptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decrypt",
    abstract: "Writes a plain copy of an encrypted .ingot file.",
    discussion: """
      Other verbs take encrypted files as they are, and keep the plaintext in memory only. The input stays as it is; \
      every chunk is authenticated, and every segment checked against its SHA-256.
      """)

  @Argument(help: "An encrypted .ingot file.")
  var input: String

  @Option(name: [.customShort("o"), .customLong("output")], help: "The new file.")
  var output: String

  @OptionGroup var keys: KeyArguments

  @Option(
    name: .customLong("sign-with"), help: "Sign the new file with a key that 'ingot keygen --signing' made.")
  var signingKeyFile: String?

  mutating func run() throws {
    let file = try keys.open(input)
    guard file.isEncrypted else {
      throw IngotError(.argument, "the file is not encrypted", at: .init(file: input))
    }
    let signer = try signingKeyFile.map { try SigningKey(path: $0) }
    try copy(file, to: output, key: nil, signer: signer, title: "decrypting")
    if file.header.signature != nil, signer == nil {
      standardError("note: the new file is not signed; --sign-with FILE signs it\n")
    }
  }
}
