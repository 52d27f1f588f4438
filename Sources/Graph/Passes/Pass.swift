public import IngotCore

/// A rewriting of graphs that keeps what they compute.
public struct Pass: Sendable {
  /// Name for the command line and error messages.
  public let name: String
  /// The rewriting.
  public let run: @Sendable (Graph) throws(IngotError) -> Graph

  /// Names a rewriting.
  public init(_ name: String, run: @escaping @Sendable (Graph) throws(IngotError) -> Graph) {
    self.name = name
    self.run = run
  }

  /// The passes the engine runs first, in this order.
  /// - Parameter canMerge: whether tensors of these names can lie in one matrix.
  public static func standard(
    mergingWeightsWhere canMerge: @escaping @Sendable ([String]) -> Bool = { _ in true }
  ) -> [Pass] {
    [
      .commonSubexpressions, .foldConstants, .mergeLinears(where: canMerge), .fuseGated, .fuseResidual,
      .deadCode,
    ]
  }
}

extension Graph {
  /// The graph after passes, one after another.
  /// - Throws: what a pass throws, for a graph it cannot rewrite.
  public func applying(_ passes: [Pass]) throws(IngotError) -> Graph {
    var graph = self
    for pass in passes { graph = try pass.run(graph) }
    return graph
  }
}
