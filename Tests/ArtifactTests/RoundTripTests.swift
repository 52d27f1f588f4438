import Artifact
import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct RoundTripTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  static let sizes = [0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes, 5 * chunkBytes + 77]

  @Test("What is written is read", arguments: [false, true], [false, true])
  func roundTrip(encrypted: Bool, signed: Bool) throws {
    var random = SplitMix64(1)
    let segments = Self.sizes.map { ("of \($0) bytes", random.bytes($0)) }
    let (key, signer) = (
      encrypted ? try testKey() : nil, signed ? try SigningKey(bytes: random.bytes(32)) : nil
    )
    let path = folder / "a.ingot"
    try write(segments, to: path, key: key, signer: signer)
    let file = try ArtifactFile(path: path, keys: FixedKey(try testKey()), verifyKey: signer?.verifyKey)
    #expect(file.isEncrypted == encrypted && file.formatVersion == 1)
    #expect(file.manifest["model"]?.string == "tiny")
    #expect(file.segments.map(\.name) == segments.map(\.0))
    for (name, bytes) in segments {
      #expect(try file.array(name) == bytes, "\(name)")
      var streamed: [UInt8] = []
      try file.read(name) { (part) throws(IngotError) in streamed += part }
      #expect(streamed == bytes, "\(name)")
    }
    try file.verify()
    #expect(try folder.names == ["a.ingot"])
  }

  @Test("Pieces of any size that a writer's body gives make the same file") func pieces() throws {
    var random = SplitMix64(2)
    let bytes = random.bytes(9 * chunkBytes + 5)
    for key in [nil, try testKey()] {
      let (whole, pieces) = (folder / "whole", folder / "pieces")
      try write([("a", bytes)], to: whole, key: key)
      let writer = try ArtifactWriter(
        path: pieces, key: key, signer: nil, salt: .init(repeating: 7, count: 32), chunkBytes: chunkBytes)
      var sizes = [0, 1, chunkBytes - 1, chunkBytes, 1, 2 * chunkBytes, 3 * chunkBytes + 1][...]
      try writer.write("a") { (sink) throws(IngotError) in
        var start = 0
        while start < bytes.count {
          let end = min(bytes.count, start + (sizes.popFirst() ?? 777))
          let part = UnsafeMutableRawBufferPointer.allocate(byteCount: end - start, alignment: 1)
          defer { part.deallocate() }
          part.copyBytes(from: bytes[start..<end])
          try sink(UnsafeRawBufferPointer(part))
          start = end
        }
      }
      try writer.finish(manifest: JSONObject([.init("model", .string("tiny"))]))
      #expect(try contents(whole) == contents(pieces))
    }
  }

  @Test("Segments and decrypted memory begin at pages; digests are of the plaintext") func alignment() throws
  {
    var random = SplitMix64(3)
    let segments = (0..<40).map { ("s\($0)", random.bytes(Int($0) * 531)) }
    try write(segments, to: folder / "plain")
    try write(segments, to: folder / "sealed", key: try testKey())
    let plain = try ArtifactFile(path: folder / "plain")
    let sealed = try ArtifactFile(path: folder / "sealed", keys: FixedKey(try testKey()))
    for (name, _) in segments {
      #expect(ArtifactFile.sameContent(plain, sealed, named: name))
      for file in [plain, sealed] {
        let content = try file.content(of: name)
        #expect((file.segment(named: name)?.offset ?? 1) & 4095 == 0)
        if let base = content.bytes.baseAddress { #expect(UInt(bitPattern: base) & 4095 == 0) }
      }
    }
    #expect(!ArtifactFile.sameContent(plain, sealed, named: "absent"))
  }

  @Test("A block that two files have is in memory once, and goes with its last user") func shared() throws {
    var random = SplitMix64(4)
    let weights = random.bytes(1 << 20)
    try write([("weights", weights)], to: folder / "a")
    try write([("other", [1]), ("weights", weights)], to: folder / "b", key: try testKey())
    try write([("weights", weights)], to: folder / "c", key: try testKey())
    weak var gone: MappedFile?
    do {
      // Who maps parts keeps only what holds the bytes.
      let b = try ArtifactFile(path: folder / "b", keys: FixedKey(try testKey())).content(of: "weights").file
      let a = try ArtifactFile(path: folder / "a").content(of: "weights")
      let c = try ArtifactFile(path: folder / "c", keys: FixedKey(try testKey())).content(of: "weights")
      #expect(a.file === b && b === c.file)
      #expect(try a.withBytes { $0.elementsEqual(weights) })
      gone = b
    }
    #expect(gone == nil)
  }

  @Test("A file that lies about a digest does not lend its bytes to one that tells the truth") func liar()
    throws
  {
    // Larger than what is checked as it is read.
    var weights = [UInt8](repeating: 3, count: ArtifactFile.checkedByteCount + 4096)
    try write([("weights", weights)], to: folder / "true")
    var lie = try contents(folder / "true")
    lie[ArtifactHeader.pageBytes + 99] ^= 1
    try store(lie, folder / "lie")
    let liar = try ArtifactFile(path: folder / "lie")
    let wrong = try liar.content(of: "weights")
    #expect(try wrong.withBytes { $0[99] } == 2)
    let honest = try ArtifactFile(path: folder / "true").content(of: "weights")
    #expect(honest.file !== wrong.file)
    #expect(try honest.withBytes { $0.elementsEqual(weights) })
    // Who comes second with a lie gets what the digest stands for.
    #expect(try liar.content(of: "weights").file === honest.file)
    weights = []
    #expect(throws: IngotError.self) { try liar.verify() }
  }

  @Test("Encrypting, decrypting and signing keep manifest and segments") func copies() throws {
    var random = SplitMix64(5)
    let segments = Self.sizes.map { ("\($0)", random.bytes($0)) }
    try write(segments, to: folder / "plain")
    let plain = try ArtifactFile(path: folder / "plain")
    let signer = SigningKey()
    var last = 0
    try plain.copy(to: folder / "sealed", key: try testKey(), signer: signer) { done, _ in last = done }
    #expect(last == Self.sizes.reduce(0, +))
    let sealed = try ArtifactFile(
      path: folder / "sealed", keys: FixedKey(try testKey()), verifyKey: signer.verifyKey)
    try sealed.copy(to: folder / "again", key: nil, signer: nil)
    #expect(try contents(folder / "plain") == contents(folder / "again"))
    #expect(throws: IngotError.self) { try plain.copy(to: folder / "plain", key: nil, signer: nil) }
    try FileManager.default.createSymbolicLink(
      atPath: folder / "link", withDestinationPath: folder / "plain")
    #expect(throws: IngotError.self) { try plain.copy(to: folder / "link", key: nil, signer: nil) }
    #expect(try contents(folder / "plain") == contents(folder / "again"))
  }
}
