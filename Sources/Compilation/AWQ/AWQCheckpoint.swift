package import Checkpoints
package import IngotCore

/// A checkpoint whose weights are scaled and clipped so that rounding them costs less; without clips it computes what the
/// original does. Rows are made as they are read.
package final class AWQCheckpoint: Checkpoint {
  /// The path of the original.
  package let path: String
  private let original: any Checkpoint
  private let transforms: [String: TensorTransform]

  /// - Throws: `.shape` for a result that was found for other tensors.
  package init(_ original: any Checkpoint, _ result: AWQResult) throws(IngotError) {
    (self.original, path, transforms) = (original, original.path, result.transforms)
    for (name, transform) in transforms {
      let tensor = try original.required(name)
      guard transform.fits(tensor.shape) else {
        throw tensor.error(.shape, "the scales found are not for a tensor of shape \(tensor.shape)")
      }
    }
  }

  package var config: DecoderConfig { original.config }
  package var tensorNames: [String] { original.tensorNames }
  package var metadata: GGUFMetadata? { original.metadata }

  package func files() throws(IngotError) -> any FileSource { try original.files() }

  package func tensor(named name: String) -> CheckpointTensor? {
    guard let tensor = original.tensor(named: name), let transform = transforms[name] else {
      return original.tensor(named: name)
    }
    return CheckpointTensor(
      name: name, encoding: .plain(.f32), shape: tensor.shape, file: tensor.file,
      source: TransformedRows(tensor, transform))
  }
}

/// Rows scaled and clipped as they are read.
private final class TransformedRows: RowSource {
  private let tensor: CheckpointTensor
  private let transform: TensorTransform

  init(_ tensor: CheckpointTensor, _ transform: TensorTransform) {
    (self.tensor, self.transform) = (tensor, transform)
  }

  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let values = target.bindMemory(to: Float.self)
    guard tensor.shape.rank == 2 else {
      // A vector, which is one row, or a row per element where the file orders them otherwise.
      var vector = try tensor.floats()
      transform.apply(vector: &vector)
      for index in values.indices { values[index] = vector[index] }
      return
    }
    let width = tensor.columnCount
    for row in rows {
      let start = (row - rows.lowerBound) * width
      let part = UnsafeMutableBufferPointer(rebasing: values[start..<start + width])
      try tensor.readRows(row..<row + 1, into: part)
      transform.apply(row: row, part)
    }
  }
}
