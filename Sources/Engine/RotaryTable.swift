internal import Checkpoints
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Cosines and sines of the angles at each position: rows of the cosines of all pairs, then their sines.
///
/// There is room for all positions, but a row is made, and its memory taken, when a sequence first comes that far: a
/// context of millions of tokens costs nothing until it is used.
final class RotaryTable {
  private let angles: RotaryFrequencies
  private let buffer: AlignedBuffer
  private var covered = 0

  /// - Throws: `.memory`.
  init(_ angles: RotaryFrequencies, positions: Int) throws(IngotError) {
    self.angles = angles
    let (bytes, overflow) = positions.multipliedReportingOverflow(
      by: angles.inverseFrequencies.count * 2 * MemoryLayout<Float>.stride)
    buffer = try AlignedBuffer(byteCount: overflow ? .max : bytes)
  }

  /// The first row.
  var rows: UnsafePointer<Float> { UnsafePointer(buffer.base.assumingMemoryBound(to: Float.self)) }

  /// Bytes of all rows.
  var byteCount: Int { buffer.byteCount }

  /// Makes the rows of positions below `count`.
  func cover(_ count: Int) {
    guard count > covered else { return }
    let pairs = angles.inverseFrequencies.count
    let target = buffer.base.assumingMemoryBound(to: Float.self)
    for position in covered..<count {
      let row = target + position * pairs * 2
      for pair in 0..<pairs {
        // The angle is a float product, as in transformers; its cosine and sine are rounded once.
        let angle = Double(Float(position) * angles.inverseFrequencies[pair])
        row[pair] = Float(cos(angle)) * angles.attentionFactor
        row[pairs + pair] = Float(sin(angle)) * angles.attentionFactor
      }
    }
    covered = count
  }
}
