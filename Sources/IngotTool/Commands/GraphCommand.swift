import ArgumentParser
import Ingot

/// `ingot graph`: the operators a model is made of.
struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Prints a model's graph: one operator a line, with types.")

  @OptionGroup var model: ModelArgument

  @Flag(help: "The graph as the engine runs it, with weights merged and operators fused.")
  var fused = false

  mutating func run() throws {
    let checkpoint = try model.open()
    var graph = try ModelRegistry.standard.graph(for: checkpoint.config)
    if fused { graph = try DecoderEngine.fused(graph, for: checkpoint) }
    var output = Output()
    try output.write(graph.text + "\n")
    try output.flush()
  }
}
