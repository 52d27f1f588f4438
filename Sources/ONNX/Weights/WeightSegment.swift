import IngotCore

/// Makes the bytes of a run of a file.
protocol SegmentWork: Sendable {
  /// Fills `target`, which is as long as the segment and aligned to 64 bytes.
  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError)
}

/// A run of a file that one thread makes in one go.
struct WeightSegment: Sendable {
  /// Where in the file it begins; segments of a file lie in order.
  var offset: Int
  /// How long it is; 0 for work that only prepares others.
  var byteCount: Int
  var work: any SegmentWork
  /// Work that must be done before this begins.
  var waits: Countdown?
  /// What this is part of.
  var completes: Countdown?
}

/// Counts segments that others wait for. Touched only by who holds the lock of the pipeline.
final class Countdown: @unchecked Sendable {
  private(set) var left = 0
  private let atZero: @Sendable () -> Void

  /// - Parameter atZero: runs once, when the last is done.
  init(atZero: @escaping @Sendable () -> Void = {}) { self.atZero = atZero }

  func add() { left += 1 }

  func finish() {
    left -= 1
    if left == 0 { atZero() }
  }
}
