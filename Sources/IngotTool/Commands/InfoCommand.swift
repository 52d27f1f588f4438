import ArgumentParser
import Ingot

/// `ingot info`: what a model is and what it takes.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Shows a model's architecture, tensors and memory; reads no weights.")

  @OptionGroup var model: ModelArgument
  @OptionGroup var context: ContextArgument
  @OptionGroup var engine: EngineArguments

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "List all tensors.")
  var tensors = false

  mutating func run() throws {
    try engine.tuning.placeThreads()
    let checkpoint = try openWeights(model.model)
    let options = try engine.options(contextLength: context.length).engineOptions(for: checkpoint)
    let graph = try ModelRegistry.standard.graph(for: checkpoint.config)
    let memory = try DecoderEngine.memory(of: graph, for: checkpoint, options: options)
    let report = ModelReport(checkpoint, options, memory)
    var output = Output()
    try output.write(json ? report.json(listingTensors: tensors).indented + "\n" : report.text)
    if tensors && !json {
      for tensor in report.tensors {
        try output.write("\(tensor.name)  \(tensor.encoding)  \(tensor.shape)\n")
      }
    }
    try output.flush()
  }
}
