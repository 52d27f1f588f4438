import Artifact
import Foundation
import IngotCore
import TestSupport
import Testing

/// What somebody without the key can do to an encrypted file; every manipulation is refused.
@Suite struct TamperingTests {
  static let chunks = 5
  let folder: Folder
  let original: [UInt8]
  /// Where the chunks of each of two segments begin, and of the manifest.
  let starts: [[Int]]
  let manifest: Int

  init() throws {
    folder = try Folder()
    var random = SplitMix64(6)
    let bytes = random.bytes(Self.chunks * chunkBytes)
    try write([("first", bytes), ("second", bytes)], to: folder / "a", key: try testKey())
    original = try contents(folder / "a")
    let file = try ArtifactFile(path: folder / "a", keys: FixedKey(try testKey()))
    starts = file.segments.map { segment in
      (0..<Self.chunks).map { segment.offset + $0 * (chunkBytes + tagBytes) }
    }
    manifest = file.header.manifestOffset
  }

  /// Reads both segments of changed bytes.
  /// - Returns: the error there must be.
  private func refusal(_ bytes: [UInt8], key: UInt8 = 1) throws -> IngotError {
    try store(bytes, folder / "b")
    let error = #expect(throws: IngotError.self) {
      let file = try ArtifactFile(path: folder / "b", keys: FixedKey(try testKey(key)))
      _ = try (file.content(of: "first"), file.content(of: "second"))
    }
    return try #require(error)
  }

  private func chunk(_ segment: Int, _ index: Int) -> Range<Int> {
    starts[segment][index]..<starts[segment][index] + chunkBytes + tagBytes
  }

  @Test("A flipped bit in ciphertext or tag is refused, naming the chunk") func bits() throws {
    for index in 0..<Self.chunks {
      for offset in [0, 1, chunkBytes / 2, chunkBytes - 1, chunkBytes, chunkBytes + tagBytes - 1] {
        var bytes = original
        bytes[starts[1][index] + offset] ^= 0x10
        let error = try refusal(bytes)
        #expect(error.what.contains("chunk \(index + 1) of \(Self.chunks) of segment \"second\""), "\(error)")
        #expect(error.place.offset == starts[1][index])
      }
    }
  }

  @Test("Chunks in another order, or twice, are refused, naming the first") func order() throws {
    for (from, to) in [(0, 1), (1, 0), (4, 3), (3, 4), (0, 4)] {
      var swapped = original
      swapped.replaceSubrange(chunk(0, from), with: original[chunk(0, to)])
      swapped.replaceSubrange(chunk(0, to), with: original[chunk(0, from)])
      let error = try refusal(swapped)
      #expect(error.what.contains("chunk \(min(from, to) + 1) of \(Self.chunks) of segment \"first\""))
      var doubled = original
      doubled.replaceSubrange(chunk(0, to), with: original[chunk(0, from)])
      #expect(try refusal(doubled).what.contains("chunk \(to + 1) of \(Self.chunks) of segment \"first\""))
    }
  }

  @Test("A chunk of another segment with the same plaintext is refused") func otherSegment() throws {
    var bytes = original
    bytes.replaceSubrange(chunk(0, 2), with: original[chunk(1, 2)])
    #expect(try refusal(bytes).what.contains("chunk 3 of 5 of segment \"first\""))
  }

  @Test("A chunk, or the manifest, of another file with the same key is refused") func otherFile() throws {
    let file = try ArtifactFile(path: folder / "a", keys: FixedKey(try testKey()))
    try write(
      [("first", file.array("first")), ("second", file.array("second"))], to: folder / "c",
      key: try testKey(),
      salt: 8)
    let other = try contents(folder / "c")
    #expect(other.count == original.count)
    var bytes = original
    bytes.replaceSubrange(chunk(0, 0), with: other[chunk(0, 0)])
    #expect(try refusal(bytes).what.contains("chunk 1 of 5 of segment \"first\""))
    bytes = original
    bytes.replaceSubrange(manifest..., with: other[manifest...])
    bytes.replaceSubrange(48..<80, with: other[48..<80])
    #expect(try refusal(bytes).what.contains("chunk 1 of 1 of the manifest"))
  }

  @Test("A file cut short is refused wherever it is cut") func truncated() throws {
    for count in [
      0, 1, 7, 8, 11, 255, 256, 4095, 4096, starts[0][1], manifest, manifest + 1, original.count - 1,
    ] {
      #expect(try refusal(Array(original[..<count])).place.file != nil)
    }
    #expect(try refusal(original + [0]).what.contains("bytes"))
  }

  @Test("A file whose header is changed to fit a cut is refused") func truncatedConsistently() throws {
    // The manifest moves up by the second segment's last chunk, and the header says so.
    let cut = chunkBytes * 2
    var bytes = Array(original[..<(manifest - cut)] + original[manifest...])
    for (offset, value) in [(16, manifest - cut), (32, bytes.count)] {
      withUnsafeBytes(of: UInt64(value).littleEndian) { bytes.replaceSubrange(offset..<offset + 8, with: $0) }
    }
    #expect(try refusal(bytes).what.contains("the manifest"))
  }

  @Test("Another key is refused, by its name") func wrongKey() throws {
    #expect(try refusal(original, key: 2).what.contains("the key given is"))
    // Also where the name in the header is changed to the wrong key's.
    var bytes = original
    let name = try testKey(2).id
    for index in 0..<16 {
      let digits = name.dropFirst(2 * index).prefix(2)
      bytes[112 + index] = try #require(UInt8(digits, radix: 16))
    }
    #expect(try refusal(bytes, key: 2).what.contains("chunk 1 of 1 of the manifest"))
  }

  @Test("Every changed byte of the header is refused") func header() throws {
    for offset in 0..<ArtifactHeader.pageBytes where offset < 260 || offset % 11 == 0 || offset > 4090 {
      var bytes = original
      bytes[offset] ^= 1 << UInt8(offset % 8)
      _ = try refusal(bytes)
    }
  }

  @Test("Every changed byte of a plain file is refused, except in what lies between segments") func plain()
    throws
  {
    try write([("a", [1, 2, 3]), ("b", .init(repeating: 9, count: 5000))], to: folder / "p")
    let original = try contents(folder / "p")
    let file = try ArtifactFile(path: folder / "p")
    let used =
      file.segments.map { $0.offset..<$0.offset + $0.byteCount }
      + [0..<ArtifactHeader.pageBytes, file.header.manifestOffset..<original.count]
    for offset in original.indices
    where offset % 13 == 0 || offset < 260 || offset >= file.header.manifestOffset {
      guard used.contains(where: { $0.contains(offset) }) else { continue }
      var bytes = original
      bytes[offset] ^= 1 << UInt8(offset % 8)
      try store(bytes, folder / "q")
      #expect(throws: IngotError.self, "byte \(offset)") {
        let file = try ArtifactFile(path: folder / "q")
        _ = try (file.content(of: "a"), file.content(of: "b"))
      }
    }
  }

  @Test("A newer version says so, whatever else it changed") func newer() throws {
    var bytes = original
    bytes[8] = 2
    let error = try refusal(bytes)
    #expect(error.kind == .unsupported && error.what.contains("written by a newer Ingot"))
    #expect(try refusal(Array(bytes[..<64])).what.contains("written by a newer Ingot"))
  }
}
