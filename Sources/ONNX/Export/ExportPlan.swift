public import Checkpoints
public import Graph
public import IngotCore
internal import Quantization

/// An export before anything is written: its models, where their weights will lie, and how large files will be.
public struct ExportPlan: Sendable {
  /// A model of the export.
  package struct Model: Sendable {
    package var path: String
    package var builder: ModelBuilder
    /// What the model holds; nil for one that only chooses tokens.
    var part: PartPlan?
    /// Its length on disk.
    var byteCount = 0
  }
  let checkpoint: any Checkpoint
  package private(set) var models: [Model]
  package let weights: WeightLayout
  /// The options, with nothing left to be chosen.
  public let options: ExportOptions
  let places: [WeightPiece: [WeightLayout.Location]]

  /// Plans the export of a checkpoint. Reads no weights.
  /// - Parameter graph: as `ModelRegistry.graph(for:)` makes it for the checkpoint's configuration.
  /// - Throws: `.argument` for options that contradict each other or the model; `.unsupported` for what ONNX or
  ///   the opset cannot say; errors of the checkpoint's tensors; `.limit` for a model of more than 2 GB in one file.
  public init(_ checkpoint: any Checkpoint, graph: Graph, options: ExportOptions) throws(IngotError) {
    let config = checkpoint.config
    var parts = try options.parts(for: config)
    let style = try LoweringStyle(options, checkpoint, graph)
    let borders = try LayerBoundaries(graph)
    var heads = options.samplingHeads(for: config, dtype: style.dtype)
    if !options.only.isEmpty {
      let stems = parts.map(\.path.stem) + heads.map(\.path.stem)
      for name in options.only where !stems.contains(name) {
        throw IngotError(
          .argument, "the export has no model \"\(name)\"", hint: "it has \(stems.joined(separator: ", "))")
      }
      parts.removeAll { !options.only.contains($0.path.stem) }
      heads.removeAll { !options.only.contains($0.path.stem) }
    }
    var models: [Model] = []
    var layout = WeightLayout()
    var places: [WeightPiece: [WeightLayout.Location]] = [:]
    for part in parts {
      let builder = try PartBuilder.build(
        part, of: graph, borders, config: config, style: style, opset: options.chosenOpset)
      for (_, piece) in builder.weights where options.isExternal(piece) {
        var path = part.dataPath
        if case .computed = piece { path = part.tablePath ?? path }
        places[piece] = layout.place(piece, in: path)
      }
      models.append(Model(path: part.path, builder: builder, part: part))
    }
    (self.checkpoint, self.options, self.weights, self.places) = (checkpoint, options, layout, places)
    self.models = models + heads
    try checkTensors()
    for index in self.models.indices {
      let model = self.models[index]
      let bytes = byteCount(of: model)
      guard bytes <= Self.largestModel else {
        throw IngotError(
          .limit, "the model \(model.path) would have \(bytes) bytes; the format allows 2 GB",
          hint: "leave out --external-data never")
      }
      self.models[index].byteCount = bytes
    }
  }

  private static let largestModel = Int(Int32.max) - (1 << 20)

  /// That the checkpoint has every tensor in its shape, before hours are spent.
  private func checkTensors() throws(IngotError) {
    var seen: Set<WeightPiece> = []
    for model in models {
      for (_, piece) in model.builder.weights where seen.insert(piece).inserted {
        guard let parameter = piece.parameter else { continue }
        for part in parameter.parts {
          let tensor = try checkpoint.required(part.name)
          guard tensor.shape.dims == part.dims else {
            throw IngotError(
              .shape, "the tensor is \(tensor.shape), the model needs \(Shape(part.dims))",
              at: .init(file: tensor.file.path, tensor: part.name),
              hint: "configuration and weights may belong to different models")
          }
        }
      }
    }
  }
}

extension LoweringStyle {
  /// The style that options ask for.
  fileprivate init(
    _ options: ExportOptions, _ checkpoint: any Checkpoint, _ graph: Graph
  ) throws(IngotError) {
    self.init()
    let config = checkpoint.config
    dtype = options.dtype == .f16 ? .f16 : .f32
    storage = options.dtype
    usesRuntimeOperators = options.operators == .ort
    quantization = options.quantization.map {
      Weights(scheme: $0, standard: options.dequantizesByStandard)
    }
    if let scheme = options.quantization {
      inputOrders = graph.inputOrders(checkpoint, try BlockQuantizer(scheme, scales: dtype))
    }
    tied = graph.tiedParameters
    // Tables that several exports share follow from their length alone.
    let length = options.plannedLength ?? (options.cache == .segments ? options.rotaryRows : nil)
    for layer in 0..<config.layerCount {
      let table = config.ropeTable(layer: layer).rawValue
      guard rotary[table] == nil else { continue }
      rotary[table] = try RotaryAngles(config, layer: layer, plannedLength: length)
    }
    if options.cache == .segments { rotaryRows = options.rotaryRows }
    if options.operators == .ort { rotaryRows = options.plannedLength ?? config.maxPositions }
  }
}

extension ExportOptions {
  /// Whether a weight lies in a data file.
  fileprivate func isExternal(_ piece: WeightPiece) -> Bool {
    switch externalData {
    case .always: true
    case .never: false
    // Runtimes look at small tensors while they load, and so want them at hand.
    case .auto: piece.tensors.reduce(0) { $0 + $1.byteCount } >= 1 << 10
    }
  }

  /// The models that choose tokens on a device.
  fileprivate func samplingHeads(for config: DecoderConfig, dtype: DType) -> [ExportPlan.Model] {
    guard cache == .segments, !isSubmodel else { return [] }
    return [
      .init(
        path: "greedy_head.onnx",
        builder: SamplingHeads.greedy(vocabSize: config.vocabSize, dtype: dtype, opset: chosenOpset)),
      .init(
        path: "penalty_sample_head.onnx",
        builder: SamplingHeads.penalty(
          vocabSize: config.vocabSize, totalLength: totalLength, dtype: dtype, opset: chosenOpset)),
    ]
  }
}

extension Graph {
  /// Weights that are a table of vectors here and a linear layer there.
  fileprivate var tiedParameters: Set<Parameter> {
    func parameter(_ value: Value) -> Parameter? {
      if case .parameter(let parameter) = nodes[value.node].op { parameter } else { nil }
    }
    let tables = nodes.filter { $0.op == .embedding }.compactMap { parameter($0.inputs[0]) }
    let layers = nodes.compactMap { node in
      if case .linear = node.op { parameter(node.inputs[1]) } else { nil }
    }
    return Set(tables).intersection(layers)
  }
}

extension String {
  /// The file's name without folder and `.onnx`.
  var stem: String {
    let name = split(separator: "/").last.map(String.init) ?? self
    return name.hasSuffix(".onnx") ? String(name.dropLast(5)) : name
  }
}
