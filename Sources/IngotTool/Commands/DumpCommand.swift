import ArgumentParser
import Ingot

/// `ingot dump`: what a model computes on the way to its logits.
struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Writes hidden states, keys, values and logits of a prompt as a .npz file.",
    discussion: """
      input_ids [T], logits [T, V], hidden_states.i [T, H] (0: into the first layer, L: out of the last, before the \
      final norm), present_key.i and present_value.i [kv heads, T, head dim], keys after their rotation.
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var prompt: PromptArguments
  @OptionGroup var engine: ExactEngineArguments

  @Option(name: [.customShort("o"), .customLong("output")], help: "The .npz file to write.")
  var output: String

  mutating func run() throws {
    let sequences = try prompt.sequences { try openTokenizer(model.model, keys: model.keys.keys) }
    guard sequences.count == 1 else {
      throw IngotError(.argument, "give one of --prompt, --prompt-file and --ids")
    }
    guard !sequences[0].isEmpty else { throw IngotError(.argument, "--ids is empty") }
    let backEnd = try BackEnd.open(
      model.model, engine: engine, contextLength: sequences[0].count, keys: model.keys)
    var progress: Progress?
    let notes = try TensorDump(backEnd, ids: sequences[0]).write(to: output) { done, total in
      if progress == nil { progress = Progress("writing", total: total) }
      progress?.update(done)
    }
    progress?.finish()
    for note in notes { standardError("note: \(note)\n") }
  }
}
