import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

@Suite(.enabled(if: onnxRuntime != nil, "ONNX Runtime is not installed")) struct ONNXModelTests {
  @Test(arguments: ExportCase.allCases, [ModelFixture.qwen3, .sliding])
  func exportsAgreeWithTransformers(form: ExportCase, fixture: ModelFixture) throws {
    let model = try ExportFolder(fixture, form.options).open()
    let (ids, reference) = (try fixture.ids(), try fixture.logits())
    // Chunks that cross the shapes' boundaries, and single tokens.
    for chunk in [ids.count, 3, 1] {
      #expect(largestDifference(try model.allLogits(ids, chunk: chunk), reference) < form.tolerance)
    }
    #expect(model.config.layerCount == 2 && model.config.vocabSize == 137)
  }

  @Test(arguments: ["builder", "torch", "renamed", "uncached"])
  func exportsOfOthersAgreeWithTransformers(name: String) throws {
    let folder = ModelFixture.folder + "/onnx"
    let model = try ONNXModel(
      directory: "\(folder)/\(name)", runtime: onnxRuntime!, options: .init(threads: 1))
    let ids = try JSONParser.parse(path: folder + "/ids.json").array!.map { $0.int! }
    let reference = try NPY.read(path: folder + "/logits.npy").array(of: Float.self)
    for chunk in [ids.count, 5, 1] {
      #expect(largestDifference(try model.allLogits(ids, chunk: chunk), reference) < 1e-4)
    }
    #expect(model.contextLength == 64)
    #expect(model.config.eosTokenIDs.first == 2)
    #expect(model.form == "genai")
  }

  @Test(arguments: ExportCase.allCases) func truncatedAndForkedTextsGoOnAsNewOnesWould(form: ExportCase)
    throws
  {
    let fixture = ModelFixture.qwen3
    let model = try ExportFolder(fixture, form.options).open()
    let (ids, reference) = (try fixture.ids(), try fixture.logits())
    let width = model.config.vocabSize
    func append(_ sequence: any ModelSequence, _ tokens: [Int]) throws -> [Float] {
      var rows: [Float] = []
      try model.forward([ModelInput(sequence, tokens, logits: .all)]) { _, _, row in rows += row }
      return rows
    }
    let first = try model.makeSequence(plannedLength: 40)
    _ = try append(first, Array(ids[..<20]))
    let second = first.fork()
    first.truncate(to: 11)
    #expect(first.count == 11 && second.count == 20)
    let other = Array(ids[25..<31])
    let changed = try append(first, other)
    // The fork is what it was, whatever the first one stored since.
    let rest = try append(second, Array(ids[20...]))
    #expect(largestDifference(rest, Array(reference[(20 * width)...])) < form.tolerance)
    let fresh = try model.makeSequence(plannedLength: 40)
    let expected = try append(fresh, Array(ids[..<11]) + other)
    #expect(largestDifference(changed, Array(expected[(11 * width)...])) < form.tolerance / 4)
    #expect(first.count == 17 && second.count == ids.count)
    first.truncate(to: 0)
    let again = try append(first, ids)
    #expect(largestDifference(again, reference) < form.tolerance)
  }

  @Test(arguments: [ExportCase.genai, .shared, .staged, .packed, .device])
  func aForwardServesSeveralTextsAndGivesTheRowsAskedFor(form: ExportCase) throws {
    let fixture = ModelFixture.qwen3
    let model = try ExportFolder(fixture, form.options).open()
    let (ids, reference) = (try fixture.ids(), try fixture.logits())
    let width = model.config.vocabSize
    let sequences = try (0..<4).map { _ in try model.makeSequence(plannedLength: 40) }
    var seen: [[Int]] = []
    var last: [Float] = []
    try model.forward([
      ModelInput(sequences[0], Array(ids[..<13]), logits: .last),
      ModelInput(sequences[1], Array(ids[..<9]), logits: .none),
      ModelInput(sequences[2], Array(ids[..<3]), logits: .all), ModelInput(sequences[3], [], logits: .last),
    ]) { input, position, row in
      seen.append([input, position])
      if input == 0 { last = Array(row) }
    }
    #expect(seen == [[0, 12], [2, 0], [2, 1], [2, 2]])
    #expect(largestDifference(last, Array(reference[(12 * width)..<(13 * width)])) < form.tolerance)
    #expect(sequences.map(\.count) == [13, 9, 3, 0])
  }

  @Test(arguments: [ExportCase.genai, .shared, .staged, .packed, .device])
  func whatDoesNotFitIsRefusedBeforeAnythingChanges(form: ExportCase) throws {
    let export = try ExportFolder(.qwen3, form.options)
    let model = try export.open(contextLength: 20)
    #expect(model.contextLength == 20)
    let sequence = try model.makeSequence(plannedLength: 20)
    func forward(_ tokens: [Int]) throws {
      try model.forward([ModelInput(sequence, tokens, logits: .none)]) { _, _, _ in }
    }
    try forward(Array(repeating: 5, count: 18))
    let long = failure { try forward([1, 2, 3]) }
    #expect(long?.kind == .limit)
    #expect(long?.what == "3 tokens after 18 are more than the context of 20")
    #expect(failure { try forward([137]) }?.kind == .argument)
    #expect(failure { try forward([-1]) }?.kind == .argument)
    #expect(sequence.count == 18)
    try forward([1, 2])
    #expect(failure { _ = try model.makeSequence(plannedLength: 21) }?.kind == .limit)
    let foreign = try export.open().makeSequence(plannedLength: 1)
    #expect(failure { try model.forward([ModelInput(foreign, [1])]) { _, _, _ in } }?.kind == .argument)
    let twice = [ModelInput(sequence, []), ModelInput(sequence, [])]
    #expect(failure { try model.forward(twice) { _, _, _ in } }?.kind == .argument)

    // Dynamic axes may be asked for more than the model was trained for.
    let longest = [.genai, .shared, .packed].contains(form) ? TextModel.maximumContextLength : 48
    for length in [0, longest + 1, Int.max] {
      let error = failure { _ = try export.open(contextLength: length) }
      #expect(error?.kind == .argument)
      #expect(error?.what.contains("\(longest)") == true)
    }
    #expect(try export.open(contextLength: longest).contextLength == longest)
  }

  @Test func fixedShapesAreUsedToTheLastSlot() throws {
    for form in [ExportCase.staged, .device] {
      let fixture = ModelFixture.qwen3
      var options = form.options
      (options.cacheLength, options.totalLength) = (try fixture.ids().count, try fixture.ids().count)
      let model = try ExportFolder(fixture, options).open()
      #expect(model.contextLength == 40)
      #expect(
        largestDifference(try model.allLogits(try fixture.ids(), chunk: 13), try fixture.logits()) < 1e-4)
    }
  }
}
