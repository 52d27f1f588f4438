import Artifact
import Foundation
import IngotCore

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
