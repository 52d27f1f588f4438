package import Checkpoints
internal import Graph
package import IngotCore
package import Models

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The power of a float.
func power(_ base: Float, _ exponent: Float) -> Float { pow(base, exponent) }

/// Activation-aware weight quantisation: searches, on calibration text, for scales of the channels that linear layers read
/// and for limits of their weights, so that rounding the weights to integers afterwards loses less where inputs are large.
///
/// Layers are run and searched one after another, each with its own weights only in memory; what passes between layers
/// is that of the original weights. Errors are measured on the outputs of the linear layers, each relative to its energy.
///
/// Source: Lin et al. 2023 (arXiv 2306.00978), sections 3.2 and the clipping of its implementation.
package struct AWQ {
  private let checkpoint: any Checkpoint
  private let options: AWQOptions
  private let groups: ScaleGroups

  /// Finds what can be scaled.
  /// - Throws: `.argument`; `.unsupported` for an unknown family.
  package init(
    _ checkpoint: any Checkpoint, options: AWQOptions = AWQOptions(), registry: ModelRegistry = .standard
  ) throws(IngotError) {
    try options.check()
    (self.checkpoint, self.options) = (checkpoint, options)
    groups = try ScaleGroups(try registry.graph(for: checkpoint.config))
  }

  /// Searches all layers for what a recipe rounds; see below.
  /// - Throws: as below, and for a recipe that does not fit.
  package func search(
    _ tokens: [Int], _ recipe: QuantizationRecipe, journal: String? = nil,
    onLayer: (_ layer: Int, _ count: Int) -> Void = { _, _ in }
  ) throws(IngotError) -> AWQResult {
    let quantized = try QuantizedCheckpoint(checkpoint, recipe)
    return try search(
      tokens, journal: journal, keyedBy: "\(recipe)", onLayer: onLayer, rounder: quantized.rounder)
  }

  /// Searches all layers.
  /// - Parameters:
  ///   - tokens: the calibration text; cut into sequences, what does not fill one is left out.
  ///   - journal: a file that keeps what was found, so that a search that was cut short goes on there; nil for none.
  ///   - keyedBy: what besides checkpoint, tokens and options the result depends on: how weights are rounded.
  ///   - onLayer: called before each layer with its index and their number.
  ///   - rounder: of each weight, nil for one that is not rounded.
  /// - Throws: `.argument` for a text without tokens or ids outside the vocabulary; errors of the tensors; `.io` of the
  ///   journal.
  package func search(
    _ tokens: [Int], journal: String? = nil, keyedBy description: String = "",
    onLayer: (_ layer: Int, _ count: Int) -> Void = { _, _ in },
    rounder: (String) -> (any RowRounder)?
  ) throws(IngotError) -> AWQResult {
    let sequences = try sequences(tokens)
    var kept: AWQJournal?
    if let journal {
      kept = try AWQJournal(
        path: journal, key: try AWQJournal.key(checkpoint, tokens, "\(options) \(description)"))
    }
    let kernels = SearchKernels()
    var result = AWQResult()
    var hidden: [HostTensor] = []
    for (index, layer) in groups.layers.enumerated() {
      onLayer(index, groups.layers.count)
      if index == 0 { hidden = try embed(sequences, layer.input) }
      let known = kept?.layers.indices.contains(index) == true ? kept?.layers[index] : nil
      let isNeeded = known == nil || index + 1 < groups.layers.count
      let samples = isNeeded ? try run(layer, &hidden, sampling: known == nil) : []
      let found: LayerResult
      if let known {
        found = known
      } else {
        found = try search(index, layer, samples, kernels, rounder)
        try kept?.append(found)
      }
      result.add(found)
    }
    return result
  }

  /// What given scales would be, found by no search: of each group that can be scaled, a number per channel of what makes
  /// its input.
  package func result(
    scales: (_ layer: Int, _ group: Int, _ channel: Int) -> Float
  ) -> AWQResult {
    var result = AWQResult()
    for (index, layer) in groups.layers.enumerated() {
      var found = LayerResult()
      for (place, (group, _)) in layer.groups.enumerated() {
        let rows: [Int]
        switch group.source {
        case .norm: rows = Array(0..<group.width)
        case .linear(_, _, let sources): rows = sources
        case nil: continue
        }
        add(rows.map { scales(index, place, $0) }, group, to: &found)
      }
      result.add(found)
    }
    return result
  }

  /// By layer and group, whether something can take up scales.
  package var canScale: [[Bool]] { groups.layers.map { $0.groups.map { $0.group.source != nil } } }

  private func sequences(_ tokens: [Int]) throws(IngotError) -> [[Int]] {
    let vocabSize = checkpoint.config.vocabSize
    if let id = tokens.first(where: { $0 < 0 || $0 >= vocabSize }) {
      throw IngotError(.argument, "token id \(id) is outside the vocabulary of \(vocabSize)")
    }
    let length = min(options.sequenceLength, tokens.count, checkpoint.config.maxPositions)
    guard length > 0 else { throw IngotError(.argument, "the calibration text has no tokens") }
    let count = min(tokens.count / length, options.sequences)
    return (0..<count).map { Array(tokens[($0 * length)..<(($0 + 1) * length)]) }
  }

  /// What goes into the first layer.
  private func embed(_ sequences: [[Int]], _ value: Graph.Value) throws(IngotError) -> [HostTensor] {
    guard let ids = groups.graph.inputs.first(where: { $0.name == "input_ids" }) else {
      throw IngotError(.unsupported, "the graph has no input \"input_ids\"")
    }
    let run = try LayerRun(
      groups.graph, checkpoint, from: ids.value, named: ids.name, to: [(value, "y")],
      length: sequences[0].count)
    var hidden: [HostTensor] = []
    for sequence in sequences {
      let ids = try HostTensor(sequence.map { Int64($0) }, shape: Shape([sequence.count]))
      if let y = try run(ids)["y"] { hidden.append(y) }
    }
    return hidden
  }

  /// Runs a layer on all sequences and keeps some of what its linear layers read.
  private func run(
    _ layer: ScaleGroups.Layer, _ hidden: inout [HostTensor], sampling: Bool
  ) throws(IngotError) -> [InputSample] {
    var outputs: [(value: Graph.Value, name: String)] = [(layer.output, "y")]
    if sampling { outputs += layer.groups.map { ($0.value, $0.group.name) } }
    let run = try LayerRun(
      groups.graph, checkpoint, from: layer.input, named: "x", to: outputs, length: hidden[0].shape.dims[0])
    var samples = layer.groups.map { InputSample(width: $0.group.width) }
    let kept = (options.sampleRows + hidden.count - 1) / hidden.count
    for sequence in hidden.indices {
      var values = try run(hidden[sequence])
      if let y = values.removeValue(forKey: "y") { hidden[sequence] = y }
      guard sampling else { continue }
      for (index, part) in layer.groups.enumerated() {
        values[part.group.name]?.withFloats { samples[index].add($0, keeping: kept) }
      }
    }
    return samples
  }

  private func search(
    _ index: Int, _ layer: ScaleGroups.Layer, _ samples: [InputSample], _ kernels: SearchKernels,
    _ rounder: (String) -> (any RowRounder)?
  ) throws(IngotError) -> LayerResult {
    var result = LayerResult()
    for ((group, _), sample) in zip(layer.groups, samples) {
      guard sample.rows.allSatisfy(\.isFinite) else {
        throw IngotError(
          .format, "layer \(index) reads numbers that are not finite",
          at: .init(file: checkpoint.path, tensor: group.readers[0].weight))
      }
      let search = ScaleSearch(
        checkpoint: checkpoint, options: options, kernels: kernels,
        rounders: group.readers.map { rounder($0.weight) })
      // What keeps its integers must not be scaled: it would have to be rounded again.
      var mayScale = search.rounders.allSatisfy { $0 != nil }
      if case .linear(let weight, _, _) = group.source { mayScale = mayScale && rounder(weight) != nil }
      let best = mayScale ? try search.scales(group, sample) : nil
      let scales = best.flatMap { $0.ratio > 0 ? $0.scales : nil }
      if let scales { add(scales, group, to: &result) }
      var (clipped, parts) = (0, 0)
      for (place, reader) in group.readers.enumerated() {
        if let size = search.rounders[place]?.groupSize {
          parts += reader.outputs * ((group.width + size - 1) / size)
        }
        guard let clips = try search.clips(group, sample, reader: place, scales: scales) else { continue }
        clipped += clips.shrinks.count { $0 > 0 }
        result.transforms.append(.init(tensor: reader.weight, transform: TensorTransform(clips: clips)))
      }
      result.groups.append(
        .init(
          layer: index, weights: group.readers.map(\.weight), ratio: best?.ratio, error: best?.error ?? 0,
          plainError: best?.plainError ?? 0, clipped: parts == 0 ? 0 : Double(clipped) / Double(parts)))
    }
    return result
  }

  /// Multiplies the readers' inputs and divides what makes them.
  private func add(_ scales: [Float], _ group: ScaleGroup, to result: inout LayerResult) {
    for reader in group.readers {
      result.transforms.append(.init(tensor: reader.weight, transform: TensorTransform(columns: scales)))
    }
    switch group.source {
    case .norm(let weight, let bias, let offset):
      result.transforms.append(
        .init(tensor: weight, transform: TensorTransform(rows: scales, offset: offset)))
      if let bias { result.transforms.append(.init(tensor: bias, transform: TensorTransform(rows: scales))) }
    case .linear(let weight, let bias, let rows):
      var divisors = [Float](repeating: 1, count: (rows.max() ?? -1) + 1)
      for (channel, row) in rows.enumerated() { divisors[row] = scales[channel] }
      for name in [weight, bias].compactMap(\.self) {
        result.transforms.append(.init(tensor: name, transform: TensorTransform(rows: divisors)))
      }
    case nil: break
    }
  }
}
