import Artifact
import Foundation
import IngotCore

/// A folder that goes with its owner.
final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ingot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static func / (folder: Folder, name: String) -> String { folder.path + "/" + name }

  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
}

/// Numbers that are the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Small chunks, so that small files have many.
let chunkBytes = 4096
let tagBytes = 16

/// Writes an artefact.
func write(
  _ segments: [(name: String, bytes: [UInt8])], to path: String, key: ArtifactKey? = nil,
  signer: SigningKey? = nil,
  salt: UInt8 = 7, manifest: JSONObject = JSONObject([.init("model", .string("tiny"))])
) throws {
  let writer = try ArtifactWriter(
    path: path, key: key, signer: signer, salt: .init(repeating: salt, count: 32), chunkBytes: chunkBytes)
  for (name, bytes) in segments { try writer.write(name, bytes) }
  try writer.finish(manifest: manifest)
}

func contents(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func store(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

extension ArtifactFile {
  func array(_ name: String) throws -> [UInt8] {
    let content = try content(of: name)
    return withExtendedLifetime(content) { Array(content.bytes) }
  }
}

/// A key that is no secret.
func testKey(_ byte: UInt8 = 1) throws -> ArtifactKey {
  try ArtifactKey(bytes: .init(repeating: byte, count: 32))
}
