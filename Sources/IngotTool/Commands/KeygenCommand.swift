import ArgumentParser
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `ingot keygen`: a new key.
struct KeygenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen",
    abstract: "Makes a key that encrypts .ingot files, or a pair that signs them.",
    discussion: """
      The file can be read by its owner only, and no file is written over. A key that is lost takes what it encrypted \
      along. The key's name goes to stdout: it is what encrypted files call the key.
      """)

  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The key's file; with --signing, FILE.pub too.")
  var output: String

  @Flag(help: "An Ed25519 pair: FILE signs, FILE.pub verifies.")
  var signing = false

  mutating func run() throws {
    let id: String
    if signing {
      let key = SigningKey()
      try key.verifyKey.write(to: output + ".pub")
      do {
        try key.write(to: output)
      } catch {
        // Half a pair is of no use.
        unlink(output + ".pub")
        throw error
      }
      id = key.verifyKey.id
    } else {
      let key = ArtifactKey()
      try key.write(to: output)
      id = key.id
    }
    var out = Output()
    try out.write(id + "\n")
    try out.flush()
  }
}
