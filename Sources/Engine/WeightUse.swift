internal import CKernels
package import Checkpoints
package import Graph
package import IngotCore
package import Quantization

/// How the engine reads a parameter.
package enum WeightUse: Sendable, Hashable {
  /// As tiles, by products.
  case matrix
  /// Row by row, by ids.
  case table
  /// As 32-bit floats: norms and biases.
  case values
}

extension Graph {
  /// Every parameter with the ways it is read, in the order of first use.
  package var weightUses: [(parameter: Parameter, uses: Set<WeightUse>)] {
    var order: [Parameter] = []
    var uses: [Parameter: Set<WeightUse>] = [:]
    for node in nodes {
      for (place, input) in node.inputs.enumerated() {
        guard case .parameter(let parameter) = nodes[input.node].op else { continue }
        let use: WeightUse =
          switch node.op {
          case .linear(let linear) where place == 1 && linear.transposeB: .matrix
          case .embedding where place == 0: .table
          default: .values
          }
        if uses[parameter] == nil { order.append(parameter) }
        uses[parameter, default: []].insert(use)
      }
    }
    return order.map { ($0, uses[$0] ?? []) }
  }
}

/// Packs the weights of a checkpoint one at a time, for those who write them to a file.
package final class WeightPacking {
  private let packer: WeightPacker
  private let context: ingot_context
  // Keeps the context's threads.
  private let pool: ThreadPool

  /// - Parameter options: threads and instruction set, which change no bit.
  package init(_ checkpoint: any Checkpoint, options: EngineOptions = EngineOptions()) {
    packer = WeightPacker(checkpoint)
    pool = ThreadPool.shared(threads: options.threads, spins: options.spins)
    context = ingot_context(
      pool: pool.handle, threads: Int32(options.threads), isa: options.instructionSet.kernelValue,
      scratch: nil, scratch_bytes: 0)
  }

  /// The tiles of a matrix.
  /// - Throws: as `WeightPacker.pack`.
  package func pack(_ parameter: Parameter) throws(IngotError) -> PackedWeight {
    try packer.pack(parameter, context: context)
  }
}

extension TensorEncoding {
  /// Whether tiles hold exactly what the encoding says, so that rows can be had from them.
  package var isExactInTiles: Bool {
    switch self {
    case .plain(.f32), .plain(.f16), .plain(.bf16), .grouped: true
    case .plain: false
    case .block(let type):
      switch type {
      case .q40, .q41, .q50, .q51, .q80: true
      case .q4K, .q5K, .q6K: false
      }
    }
  }
}
