import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// Weights kept in a folder between runs.
@Suite struct PackedStoreTests {
  private static let cases =
    ModelFixture.gguf.filter { ["llama-q4_0", "llama-q4_k_m", "qwen2-f16"].contains($0.name) }
    + ModelFixture.safetensors.filter { ["llama-gqa", "qwen3-tied"].contains($0.name) }

  private func logits(_ fixture: ModelFixture, _ checkpoint: String, in folder: String?) throws -> [Float] {
    let ids = try fixture.ids()
    var options = DecoderEngine.Options(contextLength: ids.count)
    options.engine = EngineOptions(threads: 2)
    options.engine.spins = 0
    options.packedFolder = folder
    return try CPUModel(try openCheckpoint(checkpoint), options: options).allLogits(ids, chunk: ids.count)
  }

  private func files(_ folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
  }

  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = try Folder()
    try body(URL(fileURLWithPath: folder.path))
  }

  private func inode(_ file: URL) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: file.path)[.systemFileNumber] as? Int
  }

  @Test(arguments: cases) func mappedWeightsAreThePackedOnes(_ fixture: ModelFixture) throws {
    try withFolder { folder in
      let expected = try logits(fixture, fixture.checkpoint, in: nil)
      let kept = folder.appendingPathComponent("kept")
      #expect(try logits(fixture, fixture.checkpoint, in: kept.path) == expected)
      let file = try #require(try files(kept).first)
      let made = try inode(file)
      #expect(try logits(fixture, fixture.checkpoint, in: kept.path) == expected)
      #expect(try files(kept) == [file])
      #expect(try inode(file) == made, "the second run must not write it again")
    }
  }

  @Test func changedCheckpointsAreNotTakenForTheOldOnes() throws {
    let fixture = try #require(Self.cases.first)
    try withFolder { folder in
      let model = folder.appendingPathComponent("model.gguf"), kept = folder.appendingPathComponent("kept")
      try FileManager.default.copyItem(atPath: fixture.checkpoint, toPath: model.path)
      let first = try logits(fixture, model.path, in: kept.path)
      // A byte among the last tensor's weights.
      var data = try Data(contentsOf: model)
      data[data.count - 5] ^= 0x21
      try data.write(to: model)
      let second = try logits(fixture, model.path, in: kept.path)
      #expect(second != first)
      #expect(try second == logits(fixture, model.path, in: nil))
      #expect(try files(kept).count == 2)
    }
  }

  @Test func damagedFilesAreMadeAnew() throws {
    let fixture = try #require(Self.cases.first)
    let expected = try logits(fixture, fixture.checkpoint, in: nil)
    try withFolder { folder in
      _ = try logits(fixture, fixture.checkpoint, in: folder.path)
      let file = try #require(try files(folder).first)
      let whole = try Data(contentsOf: file)
      let header = 12 + Int(whole[8]) + Int(whole[9]) << 8
      var longHeader = whole
      longHeader[11] = 0xff
      var damaged = [
        Data(), whole.prefix(5), whole.prefix(header), whole.prefix(whole.count - 1), longHeader,
      ]
      // Numbers of the header that no longer fit the rest.
      for digit in (12..<header).filter({ (0x30...0x39).contains(whole[$0]) }).suffix(40) {
        var copy = whole
        copy[digit] = copy[digit] == 0x39 ? 0x31 : 0x39
        damaged.append(copy)
      }
      for content in damaged {
        try content.write(to: file)
        #expect(try logits(fixture, fixture.checkpoint, in: folder.path).count == expected.count)
      }
      try Data(whole.prefix(whole.count - 4097)).write(to: file)
      #expect(try logits(fixture, fixture.checkpoint, in: folder.path) == expected)
      #expect(try Data(contentsOf: file) == whole)
    }
  }
}
