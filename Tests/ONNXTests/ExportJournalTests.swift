import Foundation
import Graph
import IngotCore
import ONNX
import TestSupport
import Testing

@Suite struct ExportJournalTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder / name))
  }

  @Test func filesAreRecognisedByDigestAndRecipe() throws {
    try put("weights", "a.data")
    var journal = ExportJournal(folder: folder.path, recipe: "all")
    #expect(!journal.isFinished("a.data", recipe: "r"))
    try journal.record("a.data", bytes: 7, sha256: digestOfText("weights"), recipe: "r")
    let reopened = ExportJournal(folder: folder.path, recipe: "all")
    #expect(reopened.entries == journal.entries)
    #expect(reopened.isFinished("a.data", recipe: "r"))
    #expect(!reopened.isFinished("a.data", recipe: "another"))
    #expect(!reopened.isFinished("b.data", recipe: "r"))
    // The same name and length, and another content.
    try put("weightz", "a.data")
    #expect(!reopened.isFinished("a.data", recipe: "r"))
    try FileManager.default.removeItem(atPath: folder / "a.data")
    #expect(!reopened.isFinished("a.data", recipe: "r"))
  }

  @Test func aFileMadeAgainReplacesItsRecord() throws {
    var journal = ExportJournal(folder: folder.path, recipe: "all")
    for content in ["one", "two"] {
      try put(content, "a")
      try journal.record("a", bytes: 3, sha256: digestOfText(content), recipe: content)
    }
    #expect(journal.entries.count == 1)
    #expect(ExportJournal(folder: folder.path, recipe: "all").isFinished("a", recipe: "two"))
  }

  @Test(arguments: [
    "", "{", "[]", "null",
    #"{"version": 2, "files": [{"path": "a", "bytes": 1, "sha256": "", "recipe": "r"}]}"#,
    #"{"version": 1, "files": [7, {"path": "a"}, {"path": "a", "bytes": -1e99, "sha256": 3, "recipe": "r"}]}"#,
    #"{"version": 1, "files": {"a": 1}}"#, "\u{0}\u{1}",
  ]) func damagedJournalsAreEmpty(text: String) throws {
    try put(text, ExportJournal.fileName)
    var journal = ExportJournal(folder: folder.path, recipe: "all")
    #expect(journal.entries.isEmpty)
    #expect(!journal.isFinished("a", recipe: "r"))
    try journal.record("a", bytes: 1, sha256: "00", recipe: "r")
    #expect(ExportJournal(folder: folder.path, recipe: "all").entries.count == 1)
  }

  @Test func recipesFollowPiecesAndSources() throws {
    let checkpoint = try checkpoint(folder, [StoredTensor("w", [4, 6]), StoredTensor("v", [4, 6])])
    func recipes(_ pieces: [WeightPiece]) -> String { recipe(of: layout(pieces), checkpoint: checkpoint) }
    let w = Parameter("w", [4, 6]), v = Parameter("v", [4, 6])
    let all = [
      recipes([.dense(w, .f16, transposed: false)]), recipes([.dense(w, .f16, transposed: true)]),
      recipes([.dense(w, .f32, transposed: false)]), recipes([.dense(v, .f16, transposed: false)]),
      recipes([.dense(w, .f16, transposed: false), .dense(v, .f16, transposed: false)]),
      recipes([.computed(ComputedTensor(key: "k", dtype: .f16, dims: [1]) { [1] })]),
    ]
    #expect(Set(all).count == all.count)
    #expect(recipes([.dense(w, .f16, transposed: false)]) == all[0])
    // The same name and length of another time.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: 5)], ofItemAtPath: folder / "model.safetensors")
    #expect(recipes([.dense(w, .f16, transposed: false)]) != all[0])
  }
}
