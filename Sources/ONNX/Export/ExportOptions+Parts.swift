internal import Checkpoints
internal import Graph
internal import IngotCore

extension ExportOptions {
  /// The models that an export of a decoder consists of.
  /// - Throws: `.argument` for options that do not fit the model.
  func parts(for config: DecoderConfig) throws(IngotError) -> [PartPlan] {
    try validate()
    let layers = config.layerCount
    if split == .blocks, let blocks, blocks > layers {
      throw IngotError(.argument, "--blocks is \(blocks); the model has \(layers) layers")
    }
    if let topK, topK > config.vocabSize {
      throw IngotError(.argument, "--top-k is \(topK); the vocabulary has \(config.vocabSize) tokens")
    }
    var parts: [PartPlan] = []
    for shape in shapes {
      for (stem, segment) in segments(layers: layers) {
        parts += models(stem, segment, shape)
      }
    }
    return parts
  }

  /// A folder of models and the extents they have.
  private struct Shape {
    var folder = ""
    /// Where weights lie, seen from `folder`.
    var data = ""
    var tokens: [Dim]
  }

  /// A prefill and a decode folder where shapes are fixed. Decode, with the weights of both, lies within prefill:
  /// runtimes refuse weights outside of a model's folder, and links to them.
  private var shapes: [Shape] {
    switch cache {
    case .growing: [Shape(tokens: names == .packed ? ["B", "N"] : ["batch_size", "sequence_length"])]
    case .segments: [Shape(tokens: [1, .fixed(shareLength)])]
    case .buffer:
      [
        Shape(folder: "prefill/", data: "prefill/decode/", tokens: [1, .fixed(sequenceLength)]),
        Shape(folder: "prefill/decode/", data: "prefill/decode/", tokens: [1, 1]),
      ]
    }
  }

  /// The pieces the decoder is cut into, with the names of their files.
  private func segments(layers: Int) -> [(stem: String, segment: Segment)] {
    var pieces: [(String, Segment)] = []
    switch split {
    case .whole:
      return [
        ("model", Segment(embeds: !isSubmodel, layers: 0..<layers, norms: true, hasHead: !isSubmodel))
      ]
    case .blocks:
      if !isSubmodel { pieces.append(("embed", Segment(embeds: true))) }
      var first = 0
      let blocks = blocks ?? min(4, layers)
      for block in 0..<blocks {
        // The remainder goes to the first blocks.
        let count = layers / blocks + (block < layers % blocks ? 1 : 0)
        pieces.append(("block\(block)", Segment(layers: first..<first + count)))
        first += count
      }
      pieces.append((isSubmodel ? "norm" : "output", Segment(norms: true, hasHead: !isSubmodel)))
    case .packs:
      if !isSubmodel { pieces.append(("embedding", Segment(embeds: true))) }
      let size = packSize ?? layers
      for (pack, first) in stride(from: 0, to: layers, by: size).enumerated() {
        pieces.append(
          (
            packSize == nil ? "decoders" : "decoders_\(pack)",
            Segment(layers: first..<min(first + size, layers))
          ))
      }
      pieces.append(("norm", Segment(norms: true)))
      if !isSubmodel { pieces.append(("lm_head", Segment(hasHead: true))) }
    case .layers:
      if !isSubmodel { pieces.append(("embedding", Segment(embeds: true))) }
      for layer in 0..<layers { pieces.append(("block_\(layer)", Segment(layers: layer..<layer + 1))) }
      pieces.append((isSubmodel ? "norm" : "lm_head", Segment(norms: true, hasHead: !isSubmodel)))
    }
    return pieces
  }

  /// The models of a piece: one, or one per segment of the cache.
  private func models(_ stem: String, _ segment: Segment, _ shape: Shape) -> [PartPlan] {
    var plan = PartPlan(
      path: "\(shape.folder)\(stem).onnx", dataPath: "\(shape.data)\(stem).onnx.data", segment: segment,
      tokens: shape.tokens, cache: .none(kvLayout), ports: names.ports(of: segment))
    if segment.hasHead { plan.ending = topK.map { .topK($0) } ?? (head == .top1 ? .top1 : .plain) }
    switch cache {
    case .growing:
      let past: Dim = names == .packed ? "lastSum" : "past_sequence_length"
      let total: Dim = names == .packed ? "sumN" : "total_sequence_length"
      plan.cache =
        operators == .ort
        ? .shared(past: past, total: total)
        : .growing(kvLayout, past: past, total: total, isMaskAdditive: names != .genai)
      return [plan]
    case .buffer:
      plan.cache = .buffer(kvLayout, slots: cacheLength, stacks: names == .staged)
      return [plan]
    case .segments:
      return segmented(plan, stem)
    }
  }

  private func segmented(_ plan: PartPlan, _ stem: String) -> [PartPlan] {
    var plan = plan
    guard !plan.segment.layers.isEmpty else {
      // The embedding serves all three lengths, the head one row.
      plan.tokens = plan.segment.embeds ? [1, "length"] : [1]
      return [plan]
    }
    plan.tablePath = "rotary_tables.data"
    let number = stem.dropFirst("block_".count)
    var later = plan
    later.path = "block_unshare_\(number).onnx"
    later.tokens = [1, .fixed(unshareLength)]
    later.cache = .buffer(kvLayout, slots: shareLength, stacks: false)
    var single = plan
    single.path = "block_cache_\(number).onnx"
    single.tokens = [1, 1]
    single.cache = .buffer(kvLayout, slots: totalLength, stacks: false)
    return [plan, later, single]
  }
}
