internal import Graph
public import IngotCore

/// What the engine shows beside logits.
extension DecoderEngine {
  /// The values between layers that `forward` can show, in order; none without `Options.observesLayers`.
  public var observations: [String] { plan.outputs.dropFirst().map(\.name) }

  /// The keys (rotated) and values of a layer as the cache holds them: f32 [kvHeads, count, headDim] each.
  /// - Throws: `.argument` for a layer without a cache or a sequence of another engine, `.memory`.
  public func cache(
    of sequence: PagedSequence, layer: Int
  ) throws(IngotError) -> (key: HostTensor, value: HostTensor) {
    try lock.withLock { (_) throws(IngotError) in
      guard sequence.cache === cache else {
        throw IngotError(.argument, "the sequence belongs to another engine")
      }
      guard cache.layers.indices.contains(layer) else {
        throw IngotError(.argument, "layer \(layer) has no cache; there are \(cache.layers.count)")
      }
      return (try sequence.rows(layer: layer, values: false), try sequence.rows(layer: layer, values: true))
    }
  }

  func show(
    _ pieces: [ForwardQueue.Piece], _ names: Set<String>,
    _ onRows: (Int, Int, String, UnsafeBufferPointer<Float>) -> Void
  ) {
    for port in plan.outputs where names.contains(port.name) {
      let width = port.type.dims.last?.value ?? 0
      var rows = port.address.assumingMemoryBound(to: Float.self)
      for piece in pieces {
        let count = piece.range.count * width
        onRows(piece.item, piece.range.lowerBound, port.name, UnsafeBufferPointer(start: rows, count: count))
        rows += count
      }
    }
  }

  func unknown(_ name: String) -> IngotError {
    IngotError(
      .argument, "the engine cannot show \"\(name)\"; it shows \(observations.count) values",
      hint: options.observesLayers ? nil : "build it with observesLayers")
  }
}
