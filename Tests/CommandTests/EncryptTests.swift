import Foundation
import IngotCore
import TestSupport
import Testing

/// `keygen`, `encrypt` and `decrypt`.
@Suite struct EncryptTests {
  let folder: Folder
  let plain: String

  init() throws {
    folder = try Folder()
    plain = folder / "plain.ingot"
    // As `Sources/Artifact/ArtifactHeader.swift` describes it; the digests are Python's.
    let manifest =
      "{\"format_version\":1,\"segments\":[{\"name\":\"weights\",\"offset\":4096,\"bytes\":200000,\"sha256\":"
      + "\"e24bc62381f1224fbbb74688663f8f9743b9680b193edd666835e97b06e730eb\"}],\"model\":\"tiny\"}"
    let digest = "0b750aa361c9b2779260a515375a3e45c152ea377a0dd648445618b99bcdba3a"
    var bytes: [UInt8] = [0x89, 0x49, 0x4E, 0x47, 0x4F, 0x54, 0x0A, 0x1A, 1, 0, 0, 0, 0, 0, 0, 0]
    for number in [204_800, 172, 204_972, 0] {
      withUnsafeBytes(of: UInt64(number).littleEndian) { bytes += $0 }
    }
    var digits = Substring(digest)
    while !digits.isEmpty {
      bytes.append(try #require(UInt8(digits.prefix(2), radix: 16)))
      digits.removeFirst(2)
    }
    bytes += [UInt8](repeating: 0, count: 4096 - bytes.count)
    bytes += (0..<200_000).map { UInt8($0 % 251) }
    bytes += [UInt8](repeating: 0, count: 204_800 - bytes.count)
    bytes += Array(manifest.utf8)
    try Data(bytes).write(to: URL(fileURLWithPath: plain))
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  @Test("A file goes there and back with a key from a file or the environment") func keys() throws {
    let (key, sealed, again) = (folder / "key", folder / "sealed", folder / "again")
    let id = try Ingot.output("keygen", "-o", key)
    #expect(id.utf8.count == 33)
    let before = try bytes(plain)
    #expect(try Ingot.output("encrypt", plain, "-o", sealed, "--key", key) == "")
    #expect(try Ingot.output("decrypt", sealed, "-o", again, "--key", key) == "")
    #expect(try bytes(again) == before && bytes(plain) == before)
    try Folder.remove(again)
    let text = try String(contentsOfFile: key, encoding: .utf8)
    let outcome = try Ingot.run(["decrypt", sealed, "-o", again], environment: ["INGOT_KEY": text])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try bytes(again) == before)
    // Two encryptions of the same never look alike.
    _ = try Ingot.output("encrypt", plain, "-o", again, "--key", key)
    #expect(try bytes(again) != bytes(sealed))
  }

  @Test("A passphrase from the environment does too") func passphrase() throws {
    let (sealed, again) = (folder / "sealed", folder / "again")
    let right = ["INGOT_PASSPHRASE": "correct horse"], wrong = ["INGOT_PASSPHRASE": "battery staple"]
    #expect(try Ingot.run(["encrypt", plain, "-o", sealed, "--passphrase"], environment: right).status == 0)
    let refused = try Ingot.run(["decrypt", sealed, "-o", again], environment: wrong)
    #expect(refused.status == 1 && refused.errors.contains("the passphrase is not the one"))
    #expect(try folder.names.contains("again") == false)
    #expect(try Ingot.run(["decrypt", sealed, "-o", again], environment: right).status == 0)
    #expect(try bytes(again) == bytes(plain))
  }

  @Test("A signature is made and asked for") func signature() throws {
    let (key, sealed, signer) = (folder / "key", folder / "sealed", folder / "sign")
    _ = try Ingot.output("keygen", "-o", key)
    _ = try Ingot.output("keygen", "--signing", "-o", signer)
    _ = try Ingot.output("keygen", "--signing", "-o", folder / "other")
    _ = try Ingot.output("encrypt", plain, "-o", sealed, "--key", key, "--sign-with", signer)
    let again = folder / "again"
    _ = try Ingot.output("decrypt", sealed, "-o", again, "--key", key, "--verify-key", signer + ".pub")
    #expect(
      try Ingot.failure("decrypt", sealed, "-o", again, "--key", key, "--verify-key", folder / "other.pub")
        .contains("signed by"))
    #expect(
      try Ingot.failure("encrypt", again, "-o", folder / "c", "--key", key, "--verify-key", signer + ".pub")
        .contains("not signed"))
    #expect(
      try Ingot.failure("encrypt", plain, "-o", folder / "c", "--key", signer).contains("a signing key"))
  }

  @Test("What could lose a file or a key is refused") func refusals() throws {
    let (key, sealed) = (folder / "key", folder / "sealed")
    _ = try Ingot.output("keygen", "-o", key)
    let before = try bytes(key)
    #expect(try Ingot.failure("keygen", "-o", key).contains("not written over"))
    #expect(try Ingot.failure("keygen", "--signing", "-o", key).contains("not written over"))
    #expect(try bytes(key) == before)
    #expect(try folder.names.contains("key.pub") == false)
    #expect(
      try Ingot.failure("encrypt", plain, "-o", plain, "--key", key).contains("the output is the input"))
    _ = try Ingot.output("encrypt", plain, "-o", sealed, "--key", key)
    #expect(
      try Ingot.failure("decrypt", sealed, "-o", sealed, "--key", key).contains("the output is the input"))
    #expect(
      try Ingot.failure("encrypt", sealed, "-o", folder / "c", "--key", key).contains("encrypted already"))
    #expect(try Ingot.failure("decrypt", plain, "-o", folder / "c").contains("not encrypted"))
    #expect(try Ingot.failure("decrypt", sealed, "-o", folder / "c").contains("no key was given"))
    #expect(try Ingot.failure("encrypt", plain, "-o", folder / "c").contains("ingot keygen"))
    #expect(
      try Ingot.failure("encrypt", key, "-o", folder / "c", "--key", key).contains("not an .ingot file"))
    #expect(
      try Ingot.failure("encrypt", plain, "-o", folder / "c", "--key", folder / "none").contains("none"))
  }

  @Test("A full disk says so and leaves what was there") func fullDisk() throws {
    let (key, output) = (folder / "key", folder / "out")
    _ = try Ingot.output("keygen", "-o", key)
    try "what was there".write(toFile: output, atomically: false, encoding: .utf8)
    let limited = try Ingot.run(
      ["encrypt", plain, "-o", output, "--key", key], shell: "trap '' XFSZ; ulimit -f 64")
    #expect(limited.status == 1 && limited.errors.contains("File too large"), "\(limited.errors)")
    #expect(try String(contentsOfFile: output, encoding: .utf8) == "what was there")
    #expect(try folder.names == ["key", "out", "plain.ingot"])
    #if os(Linux)
      #expect(try Ingot.failure("encrypt", plain, "-o", "/dev/full", "--key", key).contains("No space left"))
    #endif
  }

  @Test("A damaged input leaves no output") func damaged() throws {
    let (key, sealed) = (folder / "key", folder / "sealed")
    _ = try Ingot.output("keygen", "-o", key)
    _ = try Ingot.output("encrypt", plain, "-o", sealed, "--key", key)
    for (path, verb) in [(sealed, "decrypt"), (plain, "encrypt")] {
      var bytes = try bytes(path)
      bytes[5000] ^= 1
      try bytes.write(to: URL(fileURLWithPath: folder / "bad"))
      let message = try Ingot.failure(verb, folder / "bad", "-o", folder / "out", "--key", key)
      #expect(message.contains("segment \"weights\""), "\(message)")
      #expect(try folder.names.contains("out") == false)
    }
  }
}
