internal import Checkpoints
internal import Engine
internal import Graph
internal import IngotCore
internal import NN

/// A stretch of a model's graph, run by itself on whole sequences: nothing but its own weights is in memory.
struct LayerRun {
  private let engine: NetworkEngine
  private let inputName: String
  private let checkpoint: any Checkpoint
  private let parameters: [Parameter]

  /// - Parameters:
  ///   - input: the value that enters, and under which name; for the graph's own inputs their own.
  ///   - outputs: the values wanted, with their names.
  ///   - length: most tokens of a sequence.
  /// - Throws: `.unsupported` for a stretch that needs anything but the input and positions; `.shape`; errors of the tensors.
  init(
    _ graph: Graph, _ checkpoint: any Checkpoint, from input: Graph.Value, named name: String,
    to outputs: [(value: Graph.Value, name: String)], length: Int,
    engine engineOptions: EngineOptions = EngineOptions()
  ) throws(IngotError) {
    let uncached = try graph.withoutCaches()
    let part = try uncached.extracting(from: [(input, name)], to: outputs)
    for input in part.inputs where input.name != name && input.name != Self.positions {
      throw IngotError(
        .unsupported, "the layers need the input \"\(input.name)\", so that they cannot be run by themselves")
    }
    var options = NetworkOptions()
    options.engine = engineOptions
    options.maximumPositions = max(length, 1)
    let config = checkpoint.config
    for layer in 0..<config.layerCount {
      options.rotary[config.ropeTable(layer: layer).rawValue] = RotaryTableSource(
        config.rope(layer: layer), maxPositions: config.maxPositions)
    }
    engine = try Network(part).buildEngine(checkpoint, options: options)
    (inputName, takesPositions) = (name, part.inputs.contains { $0.name == Self.positions })
    (self.checkpoint, parameters) = (checkpoint, part.parameters)
  }

  private static let positions = "position_ids"
  private let takesPositions: Bool

  /// Runs one sequence from its beginning.
  func callAsFunction(_ input: HostTensor) throws(IngotError) -> [String: HostTensor] {
    var inputs = [inputName: input]
    if takesPositions {
      let length = input.shape.dims[0]
      inputs[Self.positions] = try HostTensor((0..<length).map { Int64($0) }, shape: Shape([length]))
    }
    return try engine.forward(inputs)
  }

  /// Lets the pages of files go that the weights were read from, or are. They come back if they are read again.
  func releasePages() {
    for part in parameters.flatMap(\.parts) {
      guard let tensor = checkpoint.tensor(named: part.name) else { continue }
      tensor.release()
      tensor.reordered?.tensor.release()
    }
  }
}

extension Graph {
  /// The same graph, of which each forward is a whole sequence. Values keep their places.
  fileprivate func withoutCaches() throws(IngotError) -> Graph {
    var graph = Graph()
    for node in nodes {
      var (op, inputs) = (node.op, node.inputs)
      if case .attention(var attention) = op {
        attention.cache = .none
        (op, inputs) = (.attention(attention), Array(inputs.prefix(3)))
      }
      try graph.append(op, inputs, inputType: node.types.first, place: node.place)
    }
    return graph
  }
}
