import Foundation
import IngotCore
import Inspection
import TestSupport
import Testing

@Suite struct ComparisonTests {
  /// A step of the staged pipeline: 3 real rows of 4; padding is `filler`.
  static func writeRun(_ folder: Folder, filler: Float, change: Float = 0, slots: Int = 6) throws {
    for step in 0..<2 {
      let path = folder / "step_000\(step)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let meta = "{\"past_len\": \(2 * step), \"q_len\": 2, \"next_past_len\": \(2 * step + 2)}"
      try meta.write(toFile: path + "/meta.json", atomically: false, encoding: .utf8)
      var hidden = (0..<12).map { Float($0 + 10 * step) }
      for index in 6..<12 { hidden[index] = filler }
      hidden[5] += change * Float(step)
      try NPY.write(try HostTensor(hidden, shape: [1, 4, 3]), to: path + "/hidden_block0.npy")
      try NPY.write(
        try HostTensor([Int64(0), 1, 1, Int64(filler)], shape: [1, 4]), to: path + "/position_ids.npy")
    }
    try FileManager.default.createDirectory(atPath: folder / "kv", withIntermediateDirectories: true)
    // [layers 1, 1, kv 2, slots, headDim 1], four slots written.
    let keys = (0..<2 * slots).map { $0 % slots < 4 ? Float($0 / slots * 10 + $0 % slots) : filler }
    try NPY.write(
      try HostTensor(keys, shape: [1, 1, 2, slots, 1]), to: folder / "kv" + "/past_key_block0.npy")
  }

  @Test func paddingIsLeftOut() throws {
    let (a, b) = (try Folder(), try Folder())
    try Self.writeRun(a, filler: 7)
    try Self.writeRun(b, filler: 9, slots: 8)
    let comparison = try Comparison(try TensorCollection(a.path), try TensorCollection(b.path))
    #expect(comparison.entries.count == 5 && comparison.missing == [] && comparison.extra == [])
    #expect(comparison.entries.allSatisfy { $0.difference.maxAbsolute == 0 && $0.isTrimmed })
    #expect(comparison.entries.first { $0.name == "step_0001/hidden_block0" }?.shape == [1, 2, 3])
    #expect(comparison.entries.first { $0.name == "kv/past_key_block0" }?.shape == [1, 1, 2, 4, 1])
    #expect(comparison.beyond(0) == [])
  }

  @Test func aChangedRowIsFound() throws {
    let (a, b) = (try Folder(), try Folder())
    try Self.writeRun(a, filler: 0)
    try Self.writeRun(b, filler: 0, change: 3)
    let comparison = try Comparison(try TensorCollection(a.path), try TensorCollection(b.path))
    #expect(comparison.beyond(1e-3) == ["step_0001/hidden_block0"])
    let entry = try #require(comparison.entries.first { $0.name == "step_0001/hidden_block0" })
    #expect(entry.difference.maxAbsolute == 3 && entry.difference.meanSquared == 9.0 / 6)
    #expect(comparison.html.contains("step_0001/hidden_block0"))
  }

  @Test func anEditedMetaIsAnError() throws {
    let folder = try Folder()
    try Self.writeRun(folder, filler: 0)
    for meta in ["{\"q_len\": 5}", "{\"q_len\": -1}", "{}", "[", "{\"q_len\": \"2\"}"] {
      try meta.write(toFile: folder / "step_0001/meta.json", atomically: false, encoding: .utf8)
      let error = #expect(throws: IngotError.self) {
        try Comparison(try TensorCollection(folder.path), try TensorCollection(folder.path))
      }
      #expect(error?.place.file?.contains("step_0001") == true, "\(meta)")
    }
  }

  @Test func tensorsOfDifferentShapesAndNamesAreReported() throws {
    let folder = try Folder()
    for (name, extent) in [("a.npz", 2), ("b.npz", 3)] {
      var writer = try NPZWriter(path: folder / name)
      try writer.append(try HostTensor([Float](repeating: 1, count: extent), shape: [extent]), named: "x")
      try writer.append(try HostTensor([Float(1), .nan], shape: [2]), named: "same.0")
      try writer.append(try HostTensor([Float(1)], shape: [1]), named: name)
      try writer.commit()
    }
    let comparison = try Comparison(
      try TensorCollection(folder / "a.npz"), try TensorCollection(folder / "b.npz"))
    #expect(comparison.mismatches.map(\.name) == ["x"])
    #expect(comparison.missing == ["a.npz"] && comparison.extra == ["b.npz"])
    #expect(comparison.entries.map(\.difference.nonFinite) == [1])
    #expect(Set(comparison.beyond(1e9)) == ["x", "a.npz", "b.npz", "same.0"])
    let summary = try TensorSummary(try TensorCollection(folder / "a.npz"), "same.0")
    #expect(summary.nonFinite == 1 && summary.minimum == 1 && summary.mean == 1)
  }

  @Test func dtypesMayDiffer() throws {
    let folder = try Folder()
    try NPY.write(try HostTensor([Float(1), -2, 0.5], shape: [3]), to: folder / "a.npy")
    try NPY.write(
      try HostTensor([UInt16(0x3C00), 0xC000, 0x3800], dtype: .f16, shape: [3]), to: folder / "b.npy")
    let comparison = try Comparison(
      try TensorCollection(folder / "a.npy"), try TensorCollection(folder / "b.npy"))
    #expect(comparison.beyond(0) == [] && comparison.entries[0].dtypes == (.f32, .f16))
  }

  @Test func whatIsNoCollectionIsAnError() throws {
    let folder = try Folder()
    #expect(throws: IngotError.self) { try TensorCollection(folder.path) }
    #expect(throws: IngotError.self) { try TensorCollection(folder / "no.npz") }
    try "text".write(toFile: folder / "x.npz", atomically: false, encoding: .utf8)
    #expect(throws: IngotError.self) { try TensorCollection(folder / "x.npz") }
  }
}
