internal import Checkpoints
public import IngotCore
internal import SwiftProtobuf

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension ExportPlan {
  /// What a write did.
  public struct Written: Sendable {
    /// Files written.
    public var files: [String] = []
    /// Files of an interrupted export that were whole and are kept.
    public var kept: [String] = []
  }

  /// Writes weights and models into a folder, and keeps what an interrupted export of the same left there whole.
  ///
  /// Weights stream through a few buffers, one data file at a time; every file gets its name when it is whole.
  /// - Parameters:
  ///   - jobs: threads that read, convert and write.
  ///   - onProgress: called with the bytes done, of `byteCount`.
  /// - Throws: `.io`, for example when the disk is full; `.unsupported` for weights that the dtype cannot hold.
  public func write(
    to folder: String, jobs: Int, onProgress: (Int) -> Void = { _ in }
  ) throws(IngotError) -> Written {
    var journal = ExportJournal(folder: folder, recipe: weights.files.map(\.path).joined(separator: " "))
    let writer = WeightWriter(checkpoint, jobs: jobs)
    var written = Written()
    var done = 0
    for file in weights.files {
      let recipe = recipe(of: file, checkpoint: checkpoint)
      if journal.isFinished(file.path, recipe: recipe) {
        written.kept.append(file.path)
      } else {
        let digest = try writer.write(file, to: "\(folder)/\(file.path)") { onProgress(done + $0) }
        try journal.record(file.path, bytes: file.byteCount, sha256: digest, recipe: recipe)
        written.files.append(file.path)
      }
      done += file.byteCount
      onProgress(done)
    }
    for model in models {
      let bytes = try serialized(model, writer)
      let digest = digestOfBytes(bytes)
      if journal.isFinished(model.path, recipe: digest) {
        written.kept.append(model.path)
      } else {
        let file = try AtomicFile(path: "\(folder)/\(model.path)")
        try file.write(bytes)
        try file.commit(flushes: false)
        try journal.record(model.path, bytes: bytes.count, sha256: digest, recipe: digest)
        written.files.append(model.path)
      }
      done += bytes.count
      onProgress(done)
    }
    return written
  }

  private func serialized(_ model: Model, _ writer: WeightWriter) throws(IngotError) -> [UInt8] {
    let proto = try proto(model) { (piece) throws(IngotError) in
      try writer.bytes(of: piece).map { Data($0) }
    }
    do {
      return try proto.serializedBytes()
    } catch {
      throw IngotError(.limit, "the model cannot be written: \(error)", at: .init(file: model.path))
    }
  }
}
