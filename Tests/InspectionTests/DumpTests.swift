import Checkpoints
import Foundation
import Generation
import IngotCore
import Inspection
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct DumpTests {
  static let ids = [3, 1, 4, 1, 5, 9, 2]

  @Test func everythingOfAModelIsThere() throws {
    let folder = try Folder()
    let model = try Fixture.open(Fixture.model("qwen3-tied"))
    #expect(try TensorDump(model, ids: Self.ids).write(to: folder / "a.npz") == [])
    let file = try NPZFile(path: folder / "a.npz")
    let layers = model.config.layerCount
    let expected =
      ["input_ids", "position_ids", "logits"] + (0...layers).map { "hidden_states.\($0)" }
      + (0..<layers).flatMap { ["present_key.\($0)", "present_value.\($0)"] }
    #expect(file.names == expected)
    #expect(try file.tensor("input_ids").array(of: Int64.self) == Self.ids.map(Int64.init))
    #expect(try file.tensor("logits").shape == [7, model.config.vocabSize])
    #expect(try file.tensor("hidden_states.1").shape == [7, model.config.hiddenSize])
    #expect(try file.tensor("present_key.0").shape == [model.config.kvHeadCount, 7, model.config.headDim])
    let sequence = try model.makeSequence(plannedLength: 7)
    var logits: [Float] = []
    try model.forward([ModelInput(sequence, Self.ids, logits: .all)]) { _, _, row in logits += row }
    #expect(try file.tensor("logits").array(of: Float.self) == logits)
  }

  @Test func littleMemoryChangesNothing() throws {
    let folder = try Folder()
    let model = try Fixture.open(Fixture.model("qwen3-tied"))
    _ = try TensorDump(model, ids: Self.ids).write(to: folder / "a.npz")
    var small = TensorDump(model, ids: Self.ids)
    small.memoryBudget = 1
    _ = try small.write(to: folder / "b.npz")
    let data = try ["a.npz", "b.npz"].map { try Data(contentsOf: URL(fileURLWithPath: folder / $0)) }
    #expect(data[0] == data[1])
  }

  @Test func whatABackEndDoesNotShowIsLeftOutAndSaid() throws {
    let folder = try Folder()
    let model = try Fixture.open(Fixture.model("llama-gqa"), observes: false)
    let notes = try TensorDump(model, ids: Self.ids).write(to: folder / "a.npz")
    #expect(notes.count == 1 && notes[0].contains("hidden states"))
    #expect(try NPZFile(path: folder / "a.npz").names.contains("present_key.1"))
  }

  @Test func aFailureLeavesNoFile() throws {
    let folder = try Folder()
    let model = try Fixture.open(Fixture.model("llama-gqa"), context: 4)
    for ids in [[], [100_000], Self.ids] {
      #expect(throws: IngotError.self) { try TensorDump(model, ids: ids).write(to: folder / "a.npz") }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  /// Pictures are XML, pages need nothing from elsewhere, and names of files cannot become markup.
  @Test func picturesStandAlone() throws {
    let path = Fixture.model("llama-gqa")
    let faulty = try AlteredCheckpoint.Fault.missingLayer.checkpoint(path, layer: 1)
    var report = try VerificationTests.report(try Fixture.open(path), try Fixture.model(faulty))
    (report.reference, report.candidate) = ("a & <b>", "\"c\"<script>alert(1)</script>")
    #expect(XMLParser(data: Data(report.svg.utf8)).parse())
    let html = report.html(Tolerance(for: .f32))
    #expect(html.contains("Beyond the tolerance") && html.contains("Hidden states"))
    #expect(!html.contains("<script"))
    let outside = html.replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    #expect(!outside.contains("http") && !outside.contains("url(") && !outside.contains("src="))
  }
}
