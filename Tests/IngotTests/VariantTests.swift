import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// Checkpoints as others save them.
@Suite struct VariantTests {
  private func fixture(_ name: String) throws -> ModelFixture {
    try #require(ModelFixture.safetensors.first { $0.name == name })
  }

  private let folder: Folder

  init() throws { folder = try Folder() }

  private func copy(_ fixture: ModelFixture) throws -> String {
    let copy = folder / fixture.name
    try FileManager.default.copyItem(atPath: fixture.folder, toPath: copy)
    return copy
  }

  /// A bare `AutoModel` is saved without `model.` before its names.
  @Test(arguments: ["llama-gqa", "llama-tied"]) func namesWithoutModelAreCompleted(name: String) throws {
    let fixture = try fixture(name)
    let folder = try copy(fixture)
    let path = URL(fileURLWithPath: folder + "/model.safetensors")
    var data = try Data(contentsOf: path)
    let length = Int(data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    let header = String(decoding: data[8..<8 + length], as: UTF8.self)
    let bare = header.replacingOccurrences(of: "\"model.", with: "\"")
    data.replaceSubrange(
      8..<8 + length, with: bare.padding(toLength: length, withPad: " ", startingAt: 0).utf8)
    try data.write(to: path)
    let variant = ModelFixture(name: name, folder: folder, checkpoint: folder)
    let ids = try fixture.ids()
    #expect(try variant.model().allLogits(ids, chunk: 8) == fixture.model().allLogits(ids, chunk: 8))
  }

  /// transformers reads `mistral` with `layer_types` as Ministral: layers differ.
  @Test func mistralHonoursLayerTypes() throws {
    let folder = try copy(fixture("mistral-sliding"))
    let path = folder + "/config.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let types = "{ \"layer_types\": [\"full_attention\", \"sliding_attention\"],"
    try text.replacingOccurrences(of: "{", with: types, range: text.range(of: "{"))
      .write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try openCheckpoint(folder).config.slidingWindows == [nil, 9])
  }

  /// A vocabulary can be read where the model it belongs to cannot be run.
  @Test func vocabulariesOfOtherFamiliesOpen() throws {
    let fixture = try #require(ModelFixture.gguf.first { $0.name == "llama-f32" })
    var data = try Data(contentsOf: URL(fileURLWithPath: fixture.checkpoint))
    let key = Data("general.architecture".utf8)
    let place = try #require(data.range(of: key)).upperBound
    // Type and length of the value precede its text.
    data.replaceSubrange(place + 12..<place + 17, with: Data("other".utf8))
    let path = folder / "other.gguf"
    try data.write(to: URL(fileURLWithPath: path))
    #expect(throws: IngotError.self) { try openCheckpoint(path) }
    let text = "some text"
    #expect(try openTokenizer(path).encode(text) == openTokenizer(fixture.checkpoint).encode(text))
  }
}
