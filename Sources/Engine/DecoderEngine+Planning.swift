public import Checkpoints
public import Graph
public import IngotCore
internal import Quantization

extension DecoderEngine {
  /// The graph that an engine for the checkpoint runs: with weights merged and operators fused.
  /// - Throws: `.shape` when the graph contradicts itself.
  public static func fused(_ graph: Graph, for checkpoint: any Checkpoint) throws(IngotError) -> Graph {
    try graph.applying(Pass.standard(mergingWeightsWhere: WeightPacker(checkpoint).haveOneFormat))
  }

  /// The memory an engine would take, planned from the tensors' shapes without reading them.
  /// - Throws: as `init`.
  public static func memory(
    of graph: Graph, for checkpoint: any Checkpoint, options: Options
  ) throws(IngotError) -> Memory {
    let engine = try DecoderEngine(graph, checkpoint, options: options, readsWeights: false)
    // The first sequence makes the rotary tables.
    let sequence = try engine.makeSequence(plannedLength: options.contextLength)
    return withExtendedLifetime(sequence) { engine.memory }
  }
}
