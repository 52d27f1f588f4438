import Artifact
import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct WriterTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test("A writer that is not finished, or fails, leaves what was there", arguments: [false, true])
  func interrupted(encrypted: Bool) throws {
    let (path, key) = (folder / "a", encrypted ? try testKey() : nil)
    try write([("a", [1])], to: path)
    let before = try contents(path)
    do {
      let writer = try ArtifactWriter(path: path, key: key)
      try writer.write("weights", .init(repeating: 1, count: 3_000_000))
    }
    let writer = try ArtifactWriter(path: path, key: key)
    let error = #expect(throws: IngotError.self) {
      try writer.write("weights") { (sink) throws(IngotError) in
        try sink(UnsafeRawBufferPointer(start: nil, count: 0))
        throw IngotError(.limit, "enough")
      }
    }
    #expect(error?.what == "enough" && error?.place.file == path)
    // A file with a hole in it must not come to be.
    #expect(throws: IngotError.self) { try writer.write("b", [1]) }
    #expect(throws: IngotError.self) { try writer.finish(manifest: JSONObject()) }
    #expect(try contents(path) == before)
    #expect(try folder.names == ["a"])
  }

  @Test("A draft shows the segments and leaves no trace in the file", arguments: [false, true])
  func draft(encrypted: Bool) throws {
    let (key, signer) = (encrypted ? try testKey() : nil, encrypted ? SigningKey() : nil)
    var numbers = SplitMix64(4)
    let segments: [(name: String, bytes: [UInt8])] = [
      ("weights", numbers.bytes(20_000)), ("empty", []), ("small", numbers.bytes(100)),
    ]
    let manifest = JSONObject([.init("model", .string("tiny")), .init("quality", .int(1))])
    try write(segments, to: folder / "direct", key: key, signer: signer, manifest: manifest)
    do {
      let writer = try ArtifactWriter(
        path: folder / "drafted", key: key, signer: signer, salt: .init(repeating: 7, count: 32),
        chunkBytes: chunkBytes)
      for (name, bytes) in segments { try writer.write(name, bytes) }
      // A longer manifest than the one that is written.
      let other = JSONObject([.init("model", .string(String(repeating: "long", count: 5000)))])
      let draft = try writer.draft(manifest: other)
      #expect(draft.isEncrypted == encrypted && draft.segments == writer.segments)
      #expect(draft.manifest["model"] == other["model"] && draft.path == folder / "drafted")
      for (name, bytes) in segments { #expect(try draft.array(name) == bytes) }
      try draft.verify()
      #expect(try folder.names == ["direct"])
      try writer.finish(manifest: manifest)
      #expect(throws: IngotError.self) { try writer.draft(manifest: manifest) }
      // Who still has the draft reads on.
      #expect(try draft.array("weights") == segments[0].bytes)
    }
    // The same key and salt: had another manifest been sealed, its nonces would be used twice. Bytes tell.
    let (a, b) = (try contents(folder / "direct"), try contents(folder / "drafted"))
    // Some implementations of Ed25519 never sign twice alike; all else is equal.
    #expect(a.count == b.count && a[..<192] == b[..<192] && a[256...] == b[256...])
    let keys: any KeyProvider = try key.map { FixedKey($0) } ?? FixedKey(testKey(2))
    let file = try ArtifactFile(path: folder / "drafted", keys: keys, verifyKey: signer?.verifyKey)
    #expect(file.manifest["quality"] == .int(1))
    do {
      let writer = try ArtifactWriter(path: folder / "abandoned", key: key)
      try writer.write("a", [1])
      _ = try writer.draft(manifest: manifest)
    }
    #expect(try folder.names == ["direct", "drafted"])
  }

  @Test("What is written to a device cannot be read back, and says so") func draftOfDevice() throws {
    let writer = try ArtifactWriter(path: "/dev/null")
    try writer.write("a", [1])
    let error = #expect(throws: IngotError.self) { try writer.draft(manifest: JSONObject()) }
    #expect(error?.kind == .io && error?.hint != nil)
  }

  @Test("Names that repeat or cannot be, and lengths that are not kept, are refused") func arguments() throws
  {
    for name in ["", "a\n", "\u{7F}", String(repeating: "n", count: 256)] {
      let writer = try ArtifactWriter(path: folder / "a")
      #expect(throws: IngotError.self) { try writer.write(name, [1]) }
    }
    for count in [-1, 0, 2, Int.max] {
      let writer = try ArtifactWriter(path: folder / "a")
      #expect(throws: IngotError.self) {
        try writer.write("a", byteCount: count) { (sink) throws(IngotError) in
          try withByte { (bytes) throws(IngotError) in try sink(bytes) }
        }
      }
    }
    let writer = try ArtifactWriter(path: folder / "a")
    try writer.write("a", [1])
    let error = #expect(throws: IngotError.self) { try writer.write("a", [1]) }
    #expect(error?.what == "a second segment \"a\"" && error?.hint != nil)
    #expect(try folder.names.isEmpty)
  }

  private func withByte(_ body: (UnsafeRawBufferPointer) throws(IngotError) -> Void) throws(IngotError) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { bytes.deallocate() }
    bytes[0] = 1
    try body(UnsafeRawBufferPointer(bytes))
  }

  @Test("The container's own members of a manifest are not the caller's to set") func ownMembers() throws {
    let manifest = JSONObject([
      .init("segments", .string("none")), .init("format_version", .int(9)), .init("kept", .int(1)),
    ])
    try write([("a", [1])], to: folder / "a", manifest: manifest)
    let file = try ArtifactFile(path: folder / "a")
    #expect(file.manifest.object?.members.map(\.key) == ["format_version", "segments", "kept"])
  }

  @Test("A disk that is full says so", arguments: [false, true]) func fullDevice(encrypted: Bool) throws {
    #if os(Linux)
      let writer = try ArtifactWriter(path: "/dev/full", key: encrypted ? try testKey() : nil)
      let error = #expect(throws: IngotError.self) { try writer.write("a", [1, 2, 3]) }
      #expect(error?.kind == .io && error?.what.contains("No space left on device") == true)
    #endif
  }

  @Test("A file that outgrows its limit leaves what was there") func limit() async {
    // In a process of its own, since the limit is the process's.
    await #expect(processExitsWith: .success) {
      let folder = try Folder()
      try write([("a", [1])], to: folder / "a")
      let before = try contents(folder / "a")
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
      #if canImport(Darwin)
        try #require(setrlimit(RLIMIT_FSIZE, &limit) == 0)
      #else
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      #endif
      for announced in [nil, 200_000] {
        let writer = try ArtifactWriter(path: folder / "a", key: try testKey())
        let error = #expect(throws: IngotError.self) {
          try writer.write("weights", byteCount: announced) { (sink) throws(IngotError) in
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 200_000, alignment: 1)
            defer { bytes.deallocate() }
            bytes.initializeMemory(as: UInt8.self, repeating: 5)
            try sink(UnsafeRawBufferPointer(bytes))
          }
        }
        #expect(error?.kind == .io && error?.what.contains("File too large") == true)
      }
      #expect(try contents(folder / "a") == before)
      #expect(try folder.names == ["a"])
    }
  }
}
