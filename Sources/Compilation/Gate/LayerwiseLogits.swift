package import Checkpoints
package import Engine
internal import Graph
package import IngotCore
package import Inspection
package import Models

/// The logits of a model of which never more is in memory than one layer, or the output head.
///
/// Windows pass through the layers together: what stays between two layers is the hidden states alone, of as many windows
/// as fit `hiddenBytes`. A window is one sequence with keys and values in 32-bit floats. Logits are bit for bit those of
/// the engine that holds the whole model.
package final class LayerwiseLogits: WindowLogits {
  package let vocabSize: Int
  private let checkpoint: any Checkpoint
  private let windows: EvaluationWindows
  private let engine: EngineOptions
  private let graph: Graph
  private let boundaries: LayerBoundaries
  private let hiddenBytes: Int
  private let onWindow: () -> Void
  /// The windows that have passed the layers, and what of each the head is to read: rows of scored positions.
  private var ready = 0..<0
  private var hidden: [HostTensor] = []
  private var head: LayerRun?

  /// - Parameters:
  ///   - hiddenBytes: most bytes of hidden states between two layers; one window passes anyway.
  ///   - onWindow: called each time a window has passed a layer.
  /// - Throws: `.argument` for tokens the model does not have; `.unsupported` for an unknown family, or one whose graph
  ///   cannot be cut into layers.
  package init(
    _ checkpoint: any Checkpoint, _ windows: EvaluationWindows, registry: ModelRegistry = .standard,
    engine: EngineOptions = EngineOptions(), hiddenBytes: Int = 32 << 20, onWindow: @escaping () -> Void = {}
  ) throws(IngotError) {
    vocabSize = checkpoint.config.vocabSize
    try windows.check(vocabSize: vocabSize)
    (self.checkpoint, self.windows, self.engine) = (checkpoint, windows, engine)
    (self.hiddenBytes, self.onWindow) = (hiddenBytes, onWindow)
    graph = try registry.graph(for: checkpoint.config)
    boundaries = try LayerBoundaries(graph)
  }

  package func begin(_ window: Int) throws(IngotError) {
    guard !ready.contains(window) else { return }
    head?.releasePages()
    (head, hidden, ready) = (nil, [], 0..<0)
    let next = window..<min(window + windowsAtOnce, windows.count)
    hidden = try embed(next)
    let borders = boundaries.layerInputs + [boundaries.layersOutput]
    for layer in 0..<boundaries.layerCount {
      let run = try run(from: borders[layer], to: borders[layer + 1])
      for index in hidden.indices {
        hidden[index] = try value(of: run, hidden[index])
        onWindow()
      }
      run.releasePages()
    }
    for index in hidden.indices {
      hidden[index] = try rows(hidden[index], from: windows.firstScored, count: windows.scoredCount)
    }
    ready = next
  }

  package func read(
    _ window: Int, _ range: Range<Int>,
    _ body: (_ scored: Int, _ logits: UnsafeBufferPointer<Float>) throws(IngotError) -> Void
  ) throws(IngotError) {
    let head =
      if let known = self.head { known } else { try run(from: boundaries.normInput, to: boundaries.logits) }
    self.head = head
    // Always so many rows: for another number the engine would make another plan, with the weights once more.
    let count = QualityComparison.heldRows(windows, vocabSize: vocabSize)
    var start = range.lowerBound
    while start < range.upperBound {
      let first = min(start, windows.scoredCount - count)
      let logits = try value(
        of: head, rows(hidden[window - ready.lowerBound], from: first, count: count))
      let end = min(first + count, range.upperBound)
      // `body` sees the tensor's own memory.
      defer { withExtendedLifetime(logits) {} }
      for scored in start..<end {
        let row = logits.bytes[(scored - first) * 4 * vocabSize..<(scored - first + 1) * 4 * vocabSize]
        try body(scored, UnsafeRawBufferPointer(rebasing: row).bindMemory(to: Float.self))
      }
      start = end
    }
  }

  private var windowsAtOnce: Int {
    max(1, hiddenBytes / (4 * windows.length * max(1, checkpoint.config.hiddenSize)))
  }

  private func embed(_ range: Range<Int>) throws(IngotError) -> [HostTensor] {
    guard let ids = graph.inputs.first(where: { $0.name == "input_ids" }) else {
      throw IngotError(.unsupported, "the graph has no input \"input_ids\"")
    }
    let run = try run(from: ids.value, named: ids.name, to: boundaries.layerInputs[0])
    defer { run.releasePages() }
    var hidden: [HostTensor] = []
    for window in range {
      let ids = windows.inputs(window).map { Int64($0) }
      hidden.append(try value(of: run, HostTensor(ids, shape: Shape([ids.count]))))
    }
    return hidden
  }

  private func run(
    from input: Graph.Value, named name: String = "x", to output: Graph.Value
  ) throws(IngotError) -> LayerRun {
    try LayerRun(
      graph, checkpoint, from: input, named: name, to: [(output, "y")], length: windows.length, engine: engine
    )
  }

  private func value(of run: LayerRun, _ input: HostTensor) throws(IngotError) -> HostTensor {
    guard let y = try run(input)["y"], y.dtype == .f32 else {
      throw IngotError(.unsupported, "what passes between the layers is not 32-bit floats")
    }
    return y
  }

  /// A copy of some rows of a matrix.
  private func rows(_ matrix: HostTensor, from first: Int, count: Int) throws(IngotError) -> HostTensor {
    let rowBytes = matrix.bytes.count / max(1, matrix.shape.dims[0])
    let buffer = try AlignedBuffer(byteCount: count * rowBytes)
    withExtendedLifetime(matrix) {
      buffer.bytes.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: $0.bytes[first * rowBytes..<(first + count) * rowBytes]))
    }
    return try HostTensor(
      dtype: matrix.dtype, shape: Shape([count] + matrix.shape.dims.dropFirst()),
      bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }
}
