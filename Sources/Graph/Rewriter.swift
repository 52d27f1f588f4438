public import IngotCore

/// Copies a graph node by node into a new one: the frame of most passes.
///
/// Value numbers of the old graph are translated as the copy grows; a pass replaces a node by mapping its
/// old values to whatever it appended instead.
public struct Rewriter {
  /// The graph being copied.
  public let source: Graph
  /// The copy so far.
  public private(set) var target = Graph()
  private var translated: [Graph.Value: Graph.Value] = [:]

  /// Starts an empty copy.
  public init(_ source: Graph) { self.source = source }

  /// The new name of an old value.
  /// - Precondition: its node has been copied or replaced.
  public func translate(_ old: Graph.Value) -> Graph.Value {
    guard let new = translated[old] else { preconditionFailure("a pass used a value before its node") }
    return new
  }

  /// Appends a node to the copy.
  /// - Throws: `.shape` when its types do not fit.
  public mutating func append(
    _ op: Op, _ inputs: [Graph.Value], inputType: TensorType? = nil, place: String
  ) throws(IngotError) -> Graph.Value {
    try target.append(op, inputs, inputType: inputType, place: place)
  }

  /// Copies an old node as it is.
  /// - Throws: `.shape` when a replaced operand no longer fits.
  public mutating func copy(_ index: Int) throws(IngotError) {
    let node = source.nodes[index]
    let new = try target.append(
      node.op, node.inputs.map(translate), inputType: node.types.first, place: node.place)
    for output in node.types.indices {
      replace(.init(node: index, output: output), by: .init(node: new.node, output: output))
    }
  }

  /// From now on an old value means this new one.
  public mutating func replace(_ old: Graph.Value, by new: Graph.Value) { translated[old] = new }

  /// Marks the outputs and hands the copy over.
  /// - Throws: never for a source that was valid.
  public consuming func finish() throws(IngotError) -> Graph {
    for output in source.outputs { try target.markOutput(translate(output.value), output.name) }
    return target
  }
}
