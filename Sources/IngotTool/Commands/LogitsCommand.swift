import ArgumentParser
import Ingot

/// `ingot logits`: what a model thinks of every position.
struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits", abstract: "Writes the logits of all positions as a NumPy file, float32 [T, V].")

  @OptionGroup var model: ModelArgument
  @OptionGroup var engine: EngineArguments

  @Option(parsing: .unconditional, help: "Token ids, separated by commas.")
  var ids: IDList

  @Option(parsing: .unconditional, help: "Feed the ids in pieces of so many; by default all at once.")
  var chunk: Int?

  @Option(name: [.customShort("o"), .customLong("output")], help: "The .npy file to write.")
  var output: String

  mutating func run() throws {
    try engine.tuning.placeThreads()
    guard !ids.ids.isEmpty else { throw IngotError(.argument, "--ids is empty") }
    let chunk = chunk ?? ids.ids.count
    guard chunk > 0 else { throw IngotError(.argument, "--chunk is \(chunk); it must be at least 1") }
    let runner = try openModel(
      model.model, options: engine.options(contextLength: ids.ids.count, keys: model.keys))
    let vocabSize = runner.config.vocabSize
    for id in ids.ids where id < 0 || id >= vocabSize {
      throw IngotError(.argument, "token id \(id) is outside the vocabulary of \(vocabSize)")
    }
    let shape = try Shape(checking: [ids.ids.count, vocabSize])
    var writer = try NPYWriter(path: output, dtype: .f32, shape: shape)
    let sequence = try runner.makeSequence(plannedLength: ids.ids.count)
    var start = 0
    while start < ids.ids.count {
      let piece = Array(ids.ids[start..<min(start + chunk, ids.ids.count)])
      var failure: IngotError?
      try runner.forward([ModelInput(sequence, piece, logits: .all)]) { _, _, logits in
        guard failure == nil else { return }
        do throws(IngotError) { try writer.append(UnsafeRawBufferPointer(logits)) } catch { failure = error }
      }
      if let failure { throw failure }
      start += piece.count
    }
    try writer.commit()
  }
}
