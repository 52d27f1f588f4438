package import Checkpoints
package import IngotCore

/// A checkpoint whose weights are scaled and clipped so that rounding them costs less; without clips it computes what the
/// original does. Tensors are made when they are asked for.
package final class AWQCheckpoint: Checkpoint {
  /// The path of the original.
  package let path: String
  private let original: any Checkpoint
  private let transforms: [String: TensorTransform]
  private let last = Locked<CheckpointTensor?>(nil)

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

  package func tensor(named name: String) -> CheckpointTensor? {
    guard let tensor = original.tensor(named: name), let transform = transforms[name] else {
      return original.tensor(named: name)
    }
    if let last = last.withLock({ $0 }), last.name == name { return last }
    guard let made = try? Self.changed(tensor, transform) else { return nil }
    last.withLock { $0 = made }
    return made
  }

  private static func changed(
    _ tensor: CheckpointTensor, _ transform: TensorTransform
  ) throws(IngotError) -> CheckpointTensor {
    var floats: [Float]
    if tensor.shape.rank == 1 {
      floats = tensor.floats()
      transform.apply(vector: &floats)
    } else {
      floats = tensor.floats()
      let width = tensor.columnCount
      floats.withUnsafeMutableBufferPointer { values in
        for row in 0..<tensor.rowCount {
          transform.apply(
            row: row, UnsafeMutableBufferPointer(rebasing: values[row * width..<(row + 1) * width]))
        }
      }
    }
    let file: Result<MappedFile, IngotError> = floats.withUnsafeBytes { bytes in
      do throws(IngotError) { return .success(try MappedFile(copying: bytes, name: tensor.file.path)) } catch
      {
        return .failure(error)
      }
    }
    return CheckpointTensor(
      name: tensor.name, storedName: tensor.storedName, encoding: .plain(.f32), shape: tensor.shape,
      file: try file.get(), byteRange: 0..<4 * tensor.shape.count)
  }
}
