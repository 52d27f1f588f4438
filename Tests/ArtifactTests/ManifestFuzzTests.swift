import Artifact
import Foundation
import IngotCore
import TestSupport
import Testing

/// Manifests and headers that a hostile writer could make: digests fit, everything else is wrong.
@Suite struct ManifestFuzzTests {
  let folder: Folder
  let original: [UInt8]
  let text: String
  /// Two segments' bytes.
  let one: [UInt8]
  let two: [UInt8]

  init() throws {
    folder = try Folder()
    var random = SplitMix64(8)
    (one, two) = (random.bytes(100), random.bytes(9000))
    try write([("one", one), ("two", two), ("empty", [])], to: folder / "a")
    original = try contents(folder / "a")
    let file = try ArtifactFile(path: folder / "a")
    text = String(decoding: original[file.header.manifestOffset...], as: UTF8.self)
  }

  /// A file with the same segments and any manifest, in which the header and its digest fit.
  private func file(_ manifest: [UInt8], key: ArtifactKey? = nil) throws -> String {
    let path = folder / "b"
    let writer = try ArtifactWriter(
      path: path, key: key, signer: nil, salt: .init(repeating: 1, count: 32), chunkBytes: chunkBytes)
    try writer.write("one", one)
    try writer.write("two", two)
    try writer.write("empty", [])
    try writer.finish(manifestText: manifest)
    return path
  }

  /// Opens and reads all; true when that is possible. Anything but an `IngotError` fails the test, or ends it.
  private func opens(_ path: String) throws -> Bool {
    do {
      let file = try ArtifactFile(path: path, keys: FixedKey(try testKey()))
      for segment in file.segments {
        // Never more than there is.
        #expect(segment.byteCount <= file.header.fileByteCount)
        _ = try file.content(of: segment.name)
      }
      try file.verify()
      return true
    } catch let error as IngotError {
      #expect(!error.what.isEmpty)
      return false
    }
  }

  @Test("The manifest as it is opens") func control() throws {
    #expect(try opens(file(Array(text.utf8))))
    #expect(try opens(file(Array(text.utf8), key: testKey())))
  }

  static let numbers = [
    "-1", "0", "1", "99", "101", "4095", "4096", "8192", "8193", "12288", "-4096", "9223372036854775807",
    "-9223372036854775808", "9223372036854771712", "18446744073709551615", "4611686018427387904", "1e30",
    "1e3", "4096.0",
    "4096.5", "NaN", "Infinity", "null", "true", "\"4096\"", "[]", "{}", "[4096]",
  ]

  @Test("Every number of the table, replaced by every awkward one") func numbers() throws {
    for replacement in Self.numbers {
      var index = text.startIndex
      while let found = text[index...].firstRange(of: /"(?:offset|bytes|format_version)":[0-9]+/) {
        index = found.upperBound
        let field = text[found].prefix { $0 != ":" }
        let value = text[found].dropFirst(field.count + 1)
        let mutated = text.replacingCharacters(in: found, with: "\(field):\(replacement)")
        let fine = try opens(file(Array(mutated.utf8)))
        // An empty segment may be anywhere in the gap that is there.
        #expect(!fine || replacement == value || mutated.contains("\"empty\""), "\(mutated)")
      }
    }
  }

  @Test("Tables that overlap, repeat, or are no tables") func tables() throws {
    func entry(_ name: String, _ offset: Int, _ bytes: Int, _ digest: String? = nil) -> String {
      let digest = digest ?? String(repeating: "0", count: 64)
      return "{\"name\":\"\(name)\",\"offset\":\(offset),\"bytes\":\(bytes),\"sha256\":\"\(digest)\"}"
    }
    let cases =
      [
        "", "x", "null", "[]", "{}", "{\"format_version\":1}", "{\"format_version\":1,\"segments\":{}}",
        "{\"format_version\":1,\"segments\":[1]}", "{\"format_version\":1,\"segments\":[{}]}",
      ]
      + [
        [entry("a", 4096, 10), entry("a", 8192, 10)], [entry("a", 4096, 10), entry("b", 4096, 10)],
        [entry("a", 8192, 10), entry("b", 4096, 10)], [entry("a", 4096, 4097), entry("b", 8192, 10)],
        [entry("a", 4097, 10)], [entry("a", 0, 10)], [entry("a", 4096, 1 << 40)], [entry("", 4096, 1)],
        [entry("a\\u0000", 4096, 1)], [entry("a", 4096, 1, "00")],
        [entry("a", 4096, 1, .init(repeating: "g", count: 64))],
        [entry("a", 4096, 1, .init(repeating: "A", count: 64))],
        [entry(.init(repeating: "n", count: 256), 4096, 1)],
        [entry("manifest", 20480, 10)], [entry("beyond", 1 << 20, 0)],
        (0..<70_000).map { entry("e\($0)", 4096, 0) },
      ].map { "{\"format_version\":1,\"segments\":[\($0.joined(separator: ","))]}" }
      + [
        String(repeating: "[", count: 1 << 16), String(repeating: "{\"a\":", count: 1 << 16),
        "{\"format_version\":2,\"segments\":[]}",
      ]
    for manifest in cases where !manifest.isEmpty {
      #expect(try opens(file(Array(manifest.utf8))) == false, "\(manifest.prefix(200))")
      #expect(try opens(file(Array(manifest.utf8), key: testKey())) == false, "\(manifest.prefix(200))")
    }
    #expect(try opens(file([])) == false)
  }

  @Test("Thousands of random changes of the manifest's text never crash a reader") func randomTexts() throws {
    var random = SplitMix64(9)
    let pieces =
      Self.numbers.map { Array($0.utf8) }
      + ["\"", "{", "}", "[", "]", ",", ":", "\\u0000", "\u{0}"].map { Array($0.utf8) }
    var refused = 0
    for _ in 0..<3000 {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 0...12, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.removeSubrange(start..<max(start, min(end, bytes.count - 1)))
        case 2:
          bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0..<bytes.count, using: &random))
        default: bytes.replaceSubrange(start..<end, with: pieces.randomElement(using: &random) ?? [])
        }
        if bytes.isEmpty { bytes = [0x20] }
      }
      if try !opens(file(bytes)) { refused += 1 }
    }
    #expect(refused > 2000)
  }

  @Test("Thousands of random changes of the header never crash a reader", arguments: [false, true])
  func header(encrypted: Bool) throws {
    var random = SplitMix64(10)
    if encrypted { try write([("one", random.bytes(9000))], to: folder / "a", key: try testKey()) }
    let original = try contents(folder / "a")
    let values: [UInt64] = [
      0, 1, 16, 4095, 4096, 8192, UInt64(original.count), 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max,
    ]
    for _ in 0..<2000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let offset = Int.random(in: 8..<256, using: &random) / 4 * 4
        let value = values.randomElement(using: &random) ?? 0
        let width = Bool.random(using: &random) ? 4 : 8
        withUnsafeBytes(of: value.littleEndian) {
          bytes.replaceSubrange(offset..<offset + width, with: $0.prefix(width))
        }
      }
      guard bytes != original else { continue }
      try store(bytes, folder / "b")
      #expect(try !opens(folder / "b"))
    }
  }
}
