package import Checkpoints
package import IngotCore

/// Makes the bytes of planned weights from a checkpoint.
///
/// Nothing larger than a few segments of the files is in memory at a time. Several threads may write files at once.
package struct WeightWriter: Sendable {
  let checkpoint: any Checkpoint
  private let jobs: Int

  /// - Parameter jobs: threads that one file is written with.
  package init(_ checkpoint: any Checkpoint, jobs: Int) {
    (self.checkpoint, self.jobs) = (checkpoint, jobs)
  }

  /// Writes a data file: the pieces at their offsets, zeros between them. The file has its name once it is whole.
  /// - Parameters:
  ///   - path: where the file goes.
  ///   - onProgress: called on this thread with the bytes of the file that are done.
  /// - Returns: the SHA-256 of the file, in hexadecimal digits.
  /// - Throws: `.format` and `.shape` for tensors that are missing or have other extents than the pieces;
  ///   `.unsupported` for weights that the type cannot hold; `.io`, for example when the disk is full; `.memory`.
  package func write(
    _ file: WeightLayout.File, to path: String, onProgress: (Int) -> Void = { _ in }
  ) throws(IngotError) -> String {
    var plan = WeightPlan(checkpoint)
    for (piece, offsets) in file.pieces { try plan.add(piece, at: offsets) }
    let output = try AtomicFile(path: path)
    try output.reserve(byteCount: file.byteCount)
    let pipeline = WritePipeline(plan.segments, to: output.places)
    let digest = try pipeline.run(jobs: jobs, byteCount: file.byteCount, onProgress: onProgress)
    try output.commit(flushes: false)
    return digest
  }

  /// The bytes of each tensor of a piece: for small ones that lie in the model's own file.
  /// - Throws: as `write(_:to:onProgress:)`.
  package func bytes(of piece: WeightPiece) throws(IngotError) -> [[UInt8]] {
    let tensors = piece.tensors
    var offsets: [Int] = [], end = 0
    for tensor in tensors {
      offsets.append(end)
      end += (tensor.byteCount + 63) / 64 * 64
    }
    var plan = WeightPlan(checkpoint)
    try plan.add(piece, at: offsets)
    let buffer = try AlignedBuffer(byteCount: end)
    for segment in plan.segments {
      let range = segment.offset..<segment.offset + segment.byteCount
      try segment.work.fill(UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[range]))
      segment.completes?.finish()
    }
    return zip(tensors, offsets).map { tensor, offset in
      Array(buffer.bytes[offset..<offset + tensor.byteCount])
    }
  }
}
