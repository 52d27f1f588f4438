import Artifact
import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

@Suite struct PromptCacheTests {
  static let fixture = "llama-gqa"
  static let prefix = (0..<70).map { $0 * 3 % 101 }

  /// A file of a prefix, and what it was made of.
  private struct Saved {
    let folder: Folder
    let path: String
    let model: CPUModel
    let bytes: [UInt8]

    init(kvType: KVType = .f16, key: ArtifactKey? = nil) throws {
      folder = try Folder()
      path = folder / "cache.kv"
      model = try ModelFixture.named(fixture).model(context: 128, kvType: kvType)
      let session = try SharedSession(Generator(model), StageSet(share: 80, unshare: 20, total: 128))
      try session.share(prefix)
      try session.save(to: path, key: key)
      bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    func read(_ bytes: [UInt8], key: ArtifactKey? = nil) throws -> PromptCacheFile {
      let file = try bytes.withUnsafeBytes { try MappedFile(copying: $0, name: "cache.kv") }
      return try PromptCacheFile(
        file, origin: .init(model: model.identity()), layout: model.layout(plannedLength: 128), key: key)
    }
  }

  @Test(arguments: KVType.allCases, [nil, ArtifactKey()])
  func aLaterRunGoesOnBitForBit(kvType: KVType, key: ArtifactKey?) throws {
    let saved = try Saved(kvType: kvType, key: key)
    let options = GenerationOptions.drawing(20, seed: 6)
    let set = try StageSet(share: 80, unshare: 20, total: 128)
    func reply(_ known: String?) throws -> (GenerationResult, cached: Int?, [UInt8]) {
      let model = try ModelFixture.named(Self.fixture).model(context: 128, threads: 2, kvType: kvType)
      let session = try SharedSession(Generator(model), set)
      let known = try known.map { try session.generator.loadPromptCache($0, plannedLength: 128, key: key) }
      // The prefix goes on beyond what was saved.
      let done = try session.share(Self.prefix + [7, 7], known: known)
      let reply = try session.ask([5, 6], options: options)
      return (reply, done?.cachedTokens, try model.rows(try #require(session.sequence)))
    }
    let (restored, computed) = (try reply(saved.path), try reply(nil))
    #expect(restored.cached == 70 && computed.cached == 0)
    #expect(restored.0.ids == computed.0.ids && restored.2 == computed.2)
  }

  @Test func aPromptIsContinuedFromAFile() throws {
    let saved = try Saved()
    let generator = Generator(saved.model)
    let known = try generator.loadPromptCache(saved.path, plannedLength: 128)
    let options = GenerationOptions.drawing(20, seed: 6)
    let reply = try generator.generate(prompt: Self.prefix, options: options, cache: known)
    // The last token's logits are needed.
    #expect(reply.cachedTokens == 69)
    #expect(try generator.generate(prompt: Self.prefix, options: options).ids == reply.ids)
  }

  @Test func othersAreRefusedByName() throws {
    let saved = try Saved()
    func refusal(_ name: String, _ kvType: KVType, planned: Int = 128, key: ArtifactKey? = nil) throws
      -> String
    {
      let generator = Generator(try ModelFixture.named(name).model(context: 128, kvType: kvType))
      let error = #expect(throws: IngotError.self) {
        try generator.loadPromptCache(saved.path, plannedLength: planned, key: key)
      }
      #expect(error?.kind == .argument && error?.place.file == saved.path)
      return error?.what ?? ""
    }
    let ours = try saved.model.identity().description
    let other = try refusal("llama-head-dim", .f16)
    #expect(other.contains("model") && other.contains(ours), "\(other)")
    let type = try refusal(Self.fixture, .i8)
    #expect(type.contains("f16") && type.contains("i8"), "\(type)")
    #expect(try refusal(Self.fixture, .f16, key: ArtifactKey()).contains("without a key"))
    let key = ArtifactKey()
    let keyed = try Saved(key: key)
    #expect(throws: IngotError.self) { try keyed.read(keyed.bytes) }
    #expect(throws: IngotError.self) { try keyed.read(keyed.bytes, key: ArtifactKey()) }
    #expect(try keyed.read(keyed.bytes, key: key).ids == Self.prefix)
    let short = try ModelFixture.named(Self.fixture).model(context: 69)
    let error = #expect(throws: IngotError.self) {
      try Generator(short).loadPromptCache(saved.path, plannedLength: 69)
    }
    #expect(error?.what.contains("70") == true && error?.what.contains("69") == true)
  }

  @Test func everyChangedBitIsRefused() throws {
    let saved = try Saved()
    #expect(try saved.read(saved.bytes).ids == Self.prefix)
    var random = RandomGenerator(seed: 2)
    let header = 12 + Int(saved.bytes[8]) + Int(saved.bytes[9]) << 8
    // All of the header, the first ids, and places all over.
    let places =
      Array(0..<header + 40) + (0..<400).map { _ in Int.random(in: 0..<saved.bytes.count, using: &random) }
    for place in places {
      var bytes = saved.bytes
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      #expect(throws: IngotError.self, "byte \(place)") { try saved.read(bytes) }
    }
  }

  @Test func cutAndHostileFilesAreRefused() throws {
    let saved = try Saved()
    let count = saved.bytes.count
    for length in Array(0..<64) + Array(stride(from: 64, to: count, by: 97)) + [count - 1] {
      #expect(throws: IngotError.self) { try saved.read(Array(saved.bytes.prefix(length))) }
    }
    #expect(throws: IngotError.self) { try saved.read(saved.bytes + [0]) }
    // Headers that lie about lengths.
    let length = Int(saved.bytes[8]) + Int(saved.bytes[9]) << 8
    let text = String(decoding: saved.bytes[12..<12 + length], as: UTF8.self)
    for tokens in ["-1", "0", "71", "69", "4611686018427387904", "9223372036854775807", "1e300", "null"] {
      let header = Array(text.replacingOccurrences(of: "\"tokens\":70", with: "\"tokens\":\(tokens)").utf8)
      #expect(header != Array(text.utf8))
      var bytes = Array(saved.bytes.prefix(8))
      withUnsafeBytes(of: UInt32(header.count).littleEndian) { bytes += $0 }
      #expect(throws: IngotError.self, "\(tokens)") {
        try saved.read(bytes + header + saved.bytes[(12 + length)...])
      }
    }
    for size in [UInt32.max, 1 << 20, 0] {
      var bytes = saved.bytes
      withUnsafeBytes(of: size.littleEndian) { bytes.replaceSubrange(8..<12, with: $0) }
      #expect(throws: IngotError.self) { try saved.read(bytes) }
    }
    var random = RandomGenerator(seed: 7)
    for _ in 0..<300 {
      var bytes = saved.bytes
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        bytes[Int.random(in: 0..<12 + length, using: &random)] = .random(in: 0...255, using: &random)
      }
      #expect(throws: IngotError.self) { try saved.read(bytes) }
    }
  }
}
