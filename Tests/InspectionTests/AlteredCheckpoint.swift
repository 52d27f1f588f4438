import Checkpoints
import IngotCore

/// A checkpoint with some weights changed, as a faulty export would have them.
final class AlteredCheckpoint: Checkpoint {
  let original: any Checkpoint
  /// By name: from the weights, row by row, and the number of columns.
  let changes: [String: @Sendable ([Float], Int) -> [Float]]

  var path: String { original.path }
  var config: DecoderConfig { original.config }
  var tensorNames: [String] { original.tensorNames }
  var metadata: GGUFMetadata? { original.metadata }

  init(_ path: String, _ changes: [String: @Sendable ([Float], Int) -> [Float]]) throws {
    (original, self.changes) = (try openCheckpoint(path), changes)
  }

  func tensor(named name: String) -> CheckpointTensor? {
    guard let tensor = original.tensor(named: name), let change = changes[name] else {
      return original.tensor(named: name)
    }
    guard let stored = try? tensor.floats() else { return nil }
    let floats = change(stored, tensor.columnCount)
    guard let file = try? floats.withUnsafeBytes({ try MappedFile(copying: $0, name: "altered") }) else {
      return nil
    }
    return CheckpointTensor(
      name: name, storedName: name, encoding: .plain(.f32), shape: tensor.shape, file: file,
      byteRange: 0..<4 * floats.count)
  }

  /// What exporters get wrong.
  enum Fault: CaseIterable {
    case missingLayer, transposed, wrongZeroPoint, swappedGate

    func checkpoint(_ path: String, layer: Int) throws -> AlteredCheckpoint {
      let at = "model.layers.\(layer)"
      switch self {
      case .missingLayer:
        let zero: @Sendable ([Float], Int) -> [Float] = { values, _ in values.map { _ in 0 } }
        return try AlteredCheckpoint(
          path, ["\(at).self_attn.o_proj.weight": zero, "\(at).mlp.down_proj.weight": zero])
      case .transposed:
        return try AlteredCheckpoint(
          path,
          [
            // Its elements column by column, in the shape it has.
            "\(at).self_attn.o_proj.weight": { values, columns in
              let rows = values.count / columns
              return values.indices.map { values[$0 % rows * columns + $0 / rows] }
            }
          ])
      case .wrongZeroPoint:
        // One step of four bits over the range of all weights.
        let shift: @Sendable ([Float], Int) -> [Float] = { values, _ in
          let step = ((values.max() ?? 0) - (values.min() ?? 0)) / 15
          return values.map { $0 + step }
        }
        let names = ["self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
        return try AlteredCheckpoint(
          path, Dictionary(uniqueKeysWithValues: names.map { ("\(at).\($0).weight", shift) }))
      case .swappedGate:
        let original = try openCheckpoint(path)
        let gate = try original.required("\(at).mlp.gate_proj.weight").floats()
        let up = try original.required("\(at).mlp.up_proj.weight").floats()
        return try AlteredCheckpoint(
          path, ["\(at).mlp.gate_proj.weight": { _, _ in up }, "\(at).mlp.up_proj.weight": { _, _ in gate }])
      }
    }
  }
}
