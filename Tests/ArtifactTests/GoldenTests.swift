import Artifact
import Foundation
import IngotCore
import TestSupport
import Testing

/// Files that other code made (`Scripts/make_artifact_fixtures.py`): the format, HKDF, scrypt, AES-GCM and Ed25519
/// are what they are said to be, and a change of the format shows.
@Suite struct GoldenTests {
  let folder: Folder
  let segments: [(String, [UInt8])] = [
    ("tokenizer", Array("{\"model\":\"é\"}".utf8)), ("nothing", []),
    ("weights", (0..<4196).map { UInt8(($0 * 7 + $0 / 256) % 251) }),
  ]
  let manifest = JSONObject([
    .init("model", .string("tiny é")), .init("layers", .int(2)), .init("scale", .double(0.5)),
  ])

  init() throws { folder = try Folder() }

  /// Lays out a golden file, or reads back what was written.
  private func bytes(_ runs: [(offset: Int, base64: String)]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for run in runs {
      bytes += [UInt8](repeating: 0, count: run.offset - bytes.count)
      bytes += Array(try #require(Data(base64Encoded: run.base64, options: .ignoreUnknownCharacters)))
    }
    return bytes
  }

  private func check(_ golden: [UInt8], keys: any KeyProvider, _ verifyKey: VerifyKey? = nil) throws {
    try store(golden, folder / "golden")
    let file = try ArtifactFile(path: folder / "golden", keys: keys, verifyKey: verifyKey)
    #expect(file.segments.map(\.name) == segments.map(\.0))
    for (name, bytes) in segments { #expect(try file.array(name) == bytes, "\(name)") }
    #expect(file.manifest["model"]?.string == "tiny é" && file.manifest["scale"]?.double == 0.5)
    try file.verify()
  }

  @Test("A plain file is read, and written the same") func plain() throws {
    let golden = try bytes(GoldenFiles.plain)
    try check(golden, keys: DefaultKeys())
    try write(segments, to: folder / "a", manifest: manifest)
    #expect(try contents(folder / "a") == golden)
  }

  @Test("An encrypted and signed file is read, and written the same") func sealed() throws {
    let golden = try bytes(GoldenFiles.sealed)
    let signer = try SigningKey(bytes: .init(repeating: 3, count: 32))
    try check(golden, keys: FixedKey(try testKey()), signer.verifyKey)
    try write(segments, to: folder / "a", key: try testKey(), signer: signer, manifest: manifest)
    var written = try contents(folder / "a")
    // Some implementations of Ed25519 add randomness to a signature.
    written.replaceSubrange(192..<256, with: golden[192..<256])
    #expect(written == golden)
  }

  @Test("A file encrypted with a passphrase is read, and written the same") func passphrase() throws {
    let golden = try bytes(GoldenFiles.passphrase)
    try check(golden, keys: KeyTests.Passphrase(text: "correct horse"))
    let derivation = try #require(try ArtifactHeader(path: folder / "golden").encryption?.derivation)
    let key = try ArtifactKey(passphrase: "correct horse", derivation)
    try write(segments, to: folder / "a", key: key, salt: 8, manifest: manifest)
    #expect(try contents(folder / "a") == golden)
  }
}
