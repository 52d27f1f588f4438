import Checkpoints
package import Graph
import IngotCore
import Quantization

/// The order in which the groups of an "act-order" weight take the inputs: element `j` of the gathered x is element
/// `indices[j]` of x.
package struct InputOrder: Sendable, Hashable {
  /// Names the tensor; of layers with one order, after the first.
  package var name: String
  package var indices: [Int32]

  package init(name: String, indices: [Int32]) { (self.name, self.indices) = (name, indices) }

  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Graph {
  /// The orders of the linear layers whose integers are kept in them.
  ///
  /// Weights that are rounded again are so in natural order: it costs no gathering.
  func inputOrders(
    _ checkpoint: any Checkpoint, _ quantizer: BlockQuantizer
  ) -> [Parameter: InputOrder] {
    var orders: [Parameter: InputOrder] = [:]
    var known: [[Int32]: InputOrder] = [:]
    for node in nodes {
      guard case .linear(let linear) = node.op, linear.transposeB,
        case .parameter(let parameter) = nodes[node.inputs[1].node].op,
        let order = quantizer.inputOrder(of: parameter.parts.map { checkpoint.tensor(named: $0.name) })
      else { continue }
      let layer = parameter.parts[0].name.split(separator: ".").dropLast().joined(separator: ".")
      let named = known[order] ?? InputOrder(name: "\(layer).input_order", indices: order)
      known[order] = named
      orders[parameter] = named
    }
    return orders
  }
}

/// The indices, as 64-bit integers.
struct InputOrderWork: SegmentWork {
  let order: InputOrder

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    for (index, input) in order.indices.enumerated() {
      target.storeBytes(of: Int64(input).littleEndian, toByteOffset: 8 * index, as: Int64.self)
    }
  }
}
