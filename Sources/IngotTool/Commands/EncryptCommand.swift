import ArgumentParser
import Ingot

/// `ingot encrypt`: an encrypted copy of an artefact.
struct EncryptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encrypt",
    abstract: "Writes an encrypted copy of an .ingot file.",
    discussion: """
      AES-256-GCM in chunks: without the key nothing can be read but which key it is, and nothing can be changed. The \
      key is that of --key, or a passphrase with --passphrase, or else INGOT_KEY or INGOT_PASSPHRASE. The input stays \
      as it is; every segment is checked against its SHA-256 on the way.
      """)

  @Argument(help: "An .ingot file that is not encrypted.")
  var input: String

  @Option(name: [.customShort("o"), .customLong("output")], help: "The new file.")
  var output: String

  @OptionGroup var keys: KeyArguments

  @Flag(help: "Encrypt with a passphrase: INGOT_PASSPHRASE, or asked for on the terminal.")
  var passphrase = false

  @Option(
    name: .customLong("sign-with"), help: "Sign the new file with a key that 'ingot keygen --signing' made.")
  var signingKeyFile: String?

  mutating func run() throws {
    guard !passphrase || keys.keyFile == nil else {
      throw IngotError(.argument, "give either --key or --passphrase")
    }
    let header = try ArtifactHeader(path: input)
    guard header.encryption == nil else {
      throw IngotError(
        .argument, "the file is encrypted already", at: .init(file: input), hint: "'ingot decrypt' it first")
    }
    let file = try keys.open(input)
    let key = try DefaultKeys.ofNewFiles(keyFile: keys.keyFile)
      .newKey(for: output, usesPassphrase: passphrase)
    let signer = try signingKeyFile.map { try SigningKey(path: $0) }
    try copy(file, to: output, key: key, signer: signer, title: "encrypting")
    if file.header.signature != nil, signer == nil {
      standardError("note: the new file is not signed; --sign-with FILE signs it\n")
    }
  }
}

/// Copies an artefact with a progress line.
func copy(
  _ file: ArtifactFile, to output: String, key: ArtifactKey?, signer: SigningKey?, title: String
) throws(IngotError) {
  var progress = Progress(title, total: file.header.fileByteCount)
  defer { progress.finish() }
  try file.copy(to: output, key: key, signer: signer) { done, _ in progress.update(done) }
}
