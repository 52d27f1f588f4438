import Artifact
import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct KeyTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test("A key survives its file, which only its owner may read and nothing replaces") func keyFile() throws {
    let key = ArtifactKey()
    try key.write(to: folder / "key")
    #expect(try ArtifactKey(path: folder / "key").id == key.id)
    #expect(ArtifactKey().id != key.id)
    let mode = try FileManager.default.attributesOfItem(atPath: folder / "key")[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(throws: IngotError.self) { try ArtifactKey().write(to: folder / "key") }
    #expect(try ArtifactKey(path: folder / "key").id == key.id)
    #expect(!"\(key)".contains(key.text.suffix(20)) && !String(reflecting: key).contains(key.text.suffix(20)))
  }

  @Test("64 hexadecimal digits are a key; a wrong digit, another kind and anything else are not") func texts()
    throws
  {
    let digits = String(repeating: "0a", count: 32)
    let key = try ArtifactKey(text: "\n  \(digits)\r\n")
    #expect(key.id == (try ArtifactKey(bytes: .init(repeating: 10, count: 32))).id)
    #expect(try ArtifactKey(text: key.text).id == key.id)
    let line = try #require(key.text.split(separator: "\n").last)
    let signer = SigningKey()
    try signer.write(to: folder / "sign")
    let signing = try String(contentsOfFile: folder / "sign", encoding: .utf8)
    let others: [String] = [
      "", String(line.dropLast()), String(line.dropLast() + (line.hasSuffix("0") ? "1" : "0")), digits + "0",
      String(digits.dropLast()), "\(line)\n\(line)", signing, "ingot-key-1:",
      String(repeating: "x", count: 64),
      String(repeating: "é", count: 32),
    ]
    for text in others {
      let error = #expect(throws: IngotError.self, "\(text)") { try ArtifactKey(text: text) }
      #expect(error?.kind == .format)
      #expect(error?.description.contains("0a0a") == false, "an error tells a key")
    }
  }

  @Test("A signature is accepted with the signer's public key only") func signatures() throws {
    let (signer, other) = (SigningKey(), SigningKey())
    try signer.write(to: folder / "key")
    try signer.verifyKey.write(to: folder / "key.pub")
    let (again, verify) = (try SigningKey(path: folder / "key"), try VerifyKey(path: folder / "key.pub"))
    #expect(again.verifyKey == verify && verify == signer.verifyKey)
    try write([("a", [1, 2, 3])], to: folder / "signed", signer: again)
    try write([("a", [1, 2, 3])], to: folder / "unsigned")
    _ = try ArtifactFile(path: folder / "signed")
    _ = try ArtifactFile(path: folder / "signed", verifyKey: verify)
    for (name, key, reason) in [
      ("signed", other.verifyKey, "not by"), ("unsigned", verify, "not signed"),
    ] {
      let error = #expect(throws: IngotError.self) { try ArtifactFile(path: folder / name, verifyKey: key) }
      #expect(error?.what.contains(reason) == true)
    }
    // A manifest that fits the header but was not signed.
    var bytes = try contents(folder / "signed")
    try write([("a", [1, 2, 4])], to: folder / "forged", signer: other)
    let forged = try contents(folder / "forged")
    bytes.replaceSubrange(48..<80, with: forged[48..<80])
    bytes.replaceSubrange(4096..., with: forged[4096...])
    try store(bytes, folder / "forged")
    _ = try ArtifactFile(path: folder / "forged")
    #expect(throws: IngotError.self) { try ArtifactFile(path: folder / "forged", verifyKey: verify) }
  }

  @Test("With a signature asked for, weights are checked before they are used") func signedWeights() throws {
    let signer = SigningKey()
    try write(
      [("weights", .init(repeating: 1, count: ArtifactFile.checkedByteCount + 1))], to: folder / "a",
      signer: signer)
    var bytes = try contents(folder / "a")
    bytes[4096 + 1234] ^= 1
    try store(bytes, folder / "a")
    let trusting = try ArtifactFile(path: folder / "a")
    _ = try trusting.content(of: "weights")
    let careful = try ArtifactFile(path: folder / "a", verifyKey: signer.verifyKey)
    let error = #expect(throws: IngotError.self) { try careful.content(of: "weights") }
    #expect(error?.what.contains("weights") == true)
  }

  /// A provider that answers a passphrase.
  struct Passphrase: KeyProvider {
    var text: String
    func key(for request: KeyRequest) throws(IngotError) -> ArtifactKey {
      guard let derivation = request.derivation else { throw IngotError(.argument, "no passphrase") }
      return try ArtifactKey(passphrase: text, derivation)
    }
  }

  @Test("A passphrase opens what was encrypted with it, and no other does") func passphrases() throws {
    let key = try ArtifactKey(passphrase: "correct horse", .fresh(logCost: 10))
    try write([("a", [1, 2, 3])], to: folder / "a", key: key)
    #expect(
      try ArtifactFile(path: folder / "a", keys: Passphrase(text: "correct horse")).array("a") == [1, 2, 3])
    for text in ["correct horsf", "", "Correct horse"] {
      #expect(throws: IngotError.self) { try ArtifactFile(path: folder / "a", keys: Passphrase(text: text)) }
    }
    #expect(throws: IngotError.self) { try KeyDerivation.fresh(logCost: 31) }
    // A cost that would take two gibibytes.
    var bytes = try contents(folder / "a")
    bytes[44] = 21
    try store(bytes, folder / "a")
    let error = #expect(throws: IngotError.self) {
      try ArtifactFile(path: folder / "a", keys: Passphrase(text: "correct horse"))
    }
    #expect(error?.what.contains("2^21") == true)
  }

  @Test("A file says in public which key it needs, and no more") func publicHeader() throws {
    let key = try testKey()
    try write(
      [("tokenizer of nobody's", Array("a secret vocabulary".utf8))], to: folder / "a", key: key,
      manifest: JSONObject([.init("template", .string("a secret template"))]))
    let header = try ArtifactHeader(path: folder / "a")
    #expect(
      header.encryption?.keyID == key.id && header.encryption?.derivation == nil && header.signature == nil)
    let text = String(decoding: try contents(folder / "a"), as: UTF8.self)
    #expect(!text.contains("secret") && !text.contains("tokenizer") && !text.contains("segments"))
    let error = #expect(throws: IngotError.self) {
      try ArtifactFile(path: folder / "a", keys: FixedKey(try testKey(2)))
    }
    #expect(error?.what.contains(key.id) == true)
    #expect(ArtifactHeader.recognizes(path: folder / "a") && !ArtifactHeader.recognizes(path: folder / "b"))
  }
}
