import Foundation
import IngotCore
import Staging
import TestSupport
import Testing

@Suite struct CacheTests {
  let source = ToySource(ToyModel(inputLength: 2, cacheLength: 5, blocks: [2]))
  let form: BlockForm
  let folder: Folder
  let kv: String

  init() throws {
    form = try BlockForm(source.ports(of: .block(0)), file: "toy/block0.onnx")
    folder = try Folder()
    kv = folder.path
  }

  func open(_ weights: UInt64 = 1) throws -> BlockCache {
    try BlockCache(
      block: 0, form: form,
      weights: PartPrint(graph: 0, weights: [.init(form: "w", byteCount: 2048, digest: weights)]), folder: kv)
  }

  /// Rows whose every number tells which it is.
  func rows(_ scale: Float) throws -> HostTensor {
    let shape: Shape = [2, 1, 2, 2, 4]
    return try HostTensor((0..<shape.count).map { scale * Float($0 + 1) }, shape: shape)
  }

  func append(_ cache: BlockCache, past: Int, count: Int, scale: Float, seal: Bool = true) throws {
    let meta = try StepMeta(pastLength: past, queryLength: count, cacheLength: 5, inputLength: 2)
    try cache.prepare(rows: past)
    let hidden = try HostTensor((0..<16).map { scale + Float($0) }, shape: [1, 2, 8])
    try cache.append(rows(scale), rows(-scale), meta, hidden: hidden)
    if seal { try cache.seal() }
  }

  func file(_ name: String) throws -> [UInt16] { try NPY.read(path: folder / name).array() }

  @Test func onlyTheRowsOfTheStepAreWritten() throws {
    try append(open(), past: 0, count: 2, scale: 0.25)
    let before = try file("past_key_block0.npy")
    #expect(try NPY.read(path: folder / "past_value_block0.npy").shape == [2, 1, 2, 5, 4])
    try append(open(), past: 2, count: 1, scale: 0.5)
    let after = try file("past_key_block0.npy")
    for (index, pair) in zip(before, after).enumerated() {
      let row = index / 4 % 5
      #expect(row == 2 ? pair.1 != 0 : pair.0 == pair.1)
      #expect((pair.1 == 0) == (row > 2))
    }
    // 1, as f16: the first number of the second step's third piece is 0.5 * 17.
    #expect(after[(2 * 5 + 2) * 4] == 0x4840)
    // Another process sees what memory has.
    let cache = try open()
    #expect(try cache.keys().array(of: Float.self)[(2 * 5 + 2) * 4] == 8.5)
    #expect(try cache.values().array(of: Float.self)[(2 * 5 + 2) * 4] == -8.5)
  }

  @Test func aStepThatWasNotSealedIsNotThere() throws {
    try append(open(), past: 0, count: 2, scale: 1)
    let content = try open().content(at: 2)
    try append(open(), past: 2, count: 2, scale: 1, seal: false)
    let cache = try open()
    expectError(.argument, "after 4 tokens", "holds 2") { try cache.prepare(rows: 4) }
    #expect(cache.content(at: 2) == content && content != nil)
  }

  @Test func aStepDoneOverIsTheSame() throws {
    try append(open(), past: 0, count: 2, scale: 1)
    try append(open(), past: 2, count: 2, scale: 2)
    let (content, bytes) = (try open().content(at: 4), try Folder.contents(kv))
    // The step's block ran, but the step was not recorded.
    try append(open(), past: 2, count: 2, scale: 2)
    #expect(try open().content(at: 4) == content)
    #expect(
      try Folder.contents(kv).filter { $0.key.hasSuffix(".npy") }
        == bytes.filter { $0.key.hasSuffix(".npy") })
    // Other tokens are other contents.
    try append(open(), past: 2, count: 2, scale: 3)
    #expect(try open().content(at: 4) != content)
    try append(open(), past: 0, count: 1, scale: 1)
    expectError(.argument, "holds 1") { try open().prepare(rows: 2) }
  }

  @Test func theCacheOfAnotherModelIsRefused() throws {
    try append(open(), past: 0, count: 2, scale: 1)
    expectError(.argument, "other weights", "kv_block0.json") { _ = try open(2) }
    let before = try Folder.contents(kv)
    let other = try BlockForm(
      ToySource(ToyModel(inputLength: 2, cacheLength: 6, blocks: [2])).ports(of: .block(0)), file: "x")
    let weights = PartPrint(graph: 0, weights: [])
    expectError(.shape, "[2, 1, 2, 5, 4]", "[2, 1, 2, 6, 4]") {
      _ = try BlockCache(block: 0, form: other, weights: weights, folder: kv)
    }
    try Files.remove(folder / "kv_block0.json")
    expectError(.shape, "past_key_block0.npy", "[2, 1, 2, 6, 4]") {
      _ = try BlockCache(block: 0, form: other, weights: weights, folder: kv)
    }
    #expect(try Folder.contents(kv) == before.filter { $0.key.hasSuffix(".npy") })
  }

  @Test func filesWithoutARecordAreTaken() throws {
    try append(open(), past: 0, count: 2, scale: 1)
    try Files.remove(folder / "kv_block0.json")
    do {
      let cache = try open()
      try cache.prepare(rows: 5)
      #expect(cache.content(at: 2) == nil)
      try append(cache, past: 2, count: 1, scale: 1)
    }
    expectError(.argument, "holds 3") { try open().prepare(rows: 4) }
  }

  @Test func brokenFilesAreNamed() throws {
    try append(open(), past: 0, count: 2, scale: 1)
    for name in ["past_key_block0.npy", "past_value_block0.npy"] {
      let whole = try #require(try Folder.contents(kv)[name])
      for count in [0, 5, 9, 40, whole.count - 1] {
        try whole.prefix(count).write(to: .init(fileURLWithPath: folder / name))
        expectError(.format, name) { _ = try open() }
      }
      try (whole + [0]).write(to: .init(fileURLWithPath: folder / name))
      expectError(.format, name) { _ = try open() }
      try NPY.write(HostTensor([Float](repeating: 0, count: 80), shape: [2, 1, 2, 5, 4]), to: folder / name)
      expectError(.shape, name, "f32", "f16") { _ = try open() }
      try whole.write(to: .init(fileURLWithPath: folder / name))
    }
    try Files.remove(folder / "past_value_block0.npy")
    expectError(.io, "past_value_block0.npy", "2 rows") { _ = try open() }
  }

  @Test func numbersBeyondF16AreRefusedAndNothingIsWritten() throws {
    try append(open(), past: 0, count: 1, scale: 1)
    let before = try Folder.contents(kv)
    for scale: Float in [1e6, .nan, .infinity] {
      expectError(.limit, "f16", "present_key") { try append(open(), past: 1, count: 2, scale: scale) }
    }
    #expect(try Folder.contents(kv) == before)
  }

  @Test func twoRunsDoNotWriteIntoOneCache() throws {
    let first = try open()
    try append(first, past: 0, count: 1, scale: 1)
    expectError(.io, "another process") { _ = try open() }
    withExtendedLifetime(first) {}
  }
}
