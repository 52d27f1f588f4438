import Artifact
import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// Files that only look like compiled models: sound containers with nonsense in them.
@Suite struct ArtifactFuzzTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// A model's segments and manifest, to be written again with changes.
  private struct Parts {
    var segments: [(name: String, bytes: [UInt8])]
    var manifest: JSONObject

    func write(to path: String) throws {
      let writer = try ArtifactWriter(path: path, key: nil, signer: nil)
      for segment in segments { try writer.write(segment.name, segment.bytes) }
      try writer.finish(manifest: manifest)
    }
  }

  private func parts() throws -> Parts {
    let fixture = try #require(CompileTests.all.first { $0.name == "llama-gqa" })
    let path = folder / "m.ingot"
    let recipe = QuantizationRecipe(try .integers(bits: 4), overrides: [try .init("down_proj=f32")])
    try ModelCompiler(openCheckpoint(fixture.checkpoint), options: CompileTests.options(recipe)).compile(
      to: path)
    let file = try ArtifactFile(path: path)
    return Parts(
      segments: try file.segments.map { segment in
        (segment.name, try file.content(of: segment.name).withBytes { [UInt8]($0) })
      }, manifest: file.manifest.object ?? JSONObject())
  }

  /// Opens the file and uses all of it, as far as it lets.
  private func use(_ path: String) throws {
    let checkpoint = try ArtifactCheckpoint(path: path)
    for name in checkpoint.tensorNames { _ = try checkpoint.tensor(named: name)?.floats() }
    var options = TextModel.Options()
    options.threads = 1
    var engine = try options.engineOptions(for: checkpoint)
    engine.contextLength = min(engine.contextLength, 64)
    _ = try CPUModel(checkpoint, options: engine)
    let target = folder / "target.ingot"
    _ = try ModelCompiler(checkpoint, options: CompileTests.options()).compile(to: target)
  }

  @Test("Every number and name of index, manifest and configuration may lie") func lies() throws {
    let parts = try parts()
    let path = folder / "m.ingot"
    try parts.write(to: path)
    try use(path)
    var random = SplitMix64(11)
    var (opened, refused) = (0, 0)
    for round in 0..<500 {
      var changed = parts
      switch round % 3 {
      case 0:
        changed.manifest = mutated(.object(changed.manifest), &random).object ?? JSONObject()
      case 1: try change("weights.json", of: &changed, &random)
      default: try change("files/config.json", of: &changed, &random)
      }
      try changed.write(to: path)
      do {
        try use(path)
        opened += 1
      } catch is IngotError {
        refused += 1
      }
    }
    #expect(opened > 0 && refused > 100)
  }

  private func change(_ name: String, of parts: inout Parts, _ random: inout SplitMix64) throws {
    let index = try #require(parts.segments.firstIndex { $0.name == name })
    let json = try parts.segments[index].bytes.withUnsafeBytes { try JSONParser.parse($0, file: name) }
    parts.segments[index].bytes = Array(mutated(json, &random).description.utf8)
  }

  /// The document with one value replaced.
  private func mutated(_ json: JSONValue, _ random: inout SplitMix64) -> JSONValue {
    var place = Int.random(in: 0..<max(1, leaves(json)), using: &random)
    let values: [JSONValue] = [
      .int(0), .int(-1), .int(1), .int(7), .int(64), .int(1 << 20), .int(1 << 31), .int(1 << 62), .int(.max),
      .int(.min), .double(1e308), .null, .string(""), .string("x"), .array([]), .object(JSONObject()),
      .bool(true), .array([.int(0), .int(1 << 30), .int(1 << 30), .int(1 << 30)]), .string("../../x"),
    ]
    return replacing(json, &place, values.randomElement(using: &random) ?? .null)
  }

  private func leaves(_ json: JSONValue) -> Int {
    switch json {
    case .array(let items): 1 + items.reduce(0) { $0 + leaves($1) }
    case .object(let object): 1 + object.members.reduce(0) { $0 + leaves($1.value) }
    case .null, .bool, .int, .double, .string: 1
    }
  }

  /// Replaces the value at a place, counted as `leaves` counts.
  private func replacing(_ json: JSONValue, _ place: inout Int, _ value: JSONValue) -> JSONValue {
    place -= 1
    if place < 0 { return place == -1 ? value : json }
    switch json {
    case .array(let items): return .array(items.map { replacing($0, &place, value) })
    case .object(let object):
      return .object(
        JSONObject(object.members.map { .init($0.key, replacing($0.value, &place, value)) }))
    case .null, .bool, .int, .double, .string: return json
    }
  }
}
