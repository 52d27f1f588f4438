internal import Checkpoints
internal import IngotCore

/// What is done to a tensor's values: ((v + offset) · column / row - offset), then each group of a row held within a part of
/// its largest value.
struct TensorTransform: Sendable, Equatable {
  /// Limits of groups of inputs.
  struct Clips: Sendable, Equatable {
    /// Inputs of a group; the last of a row may have fewer.
    var groupSize: Int
    /// The limit of 0 is the largest value, that of n is 1 - n/steps of it.
    var steps: Int
    /// Row by row.
    var shrinks: [UInt8]

    func apply(row: Int, _ values: UnsafeMutableBufferPointer<Float>) {
      let groups = (values.count + groupSize - 1) / groupSize
      for group in 0..<groups {
        let shrink = shrinks[row * groups + group]
        guard shrink > 0 else { continue }
        let range = group * groupSize..<min(values.count, (group + 1) * groupSize)
        Self.clip(UnsafeMutableBufferPointer(rebasing: values[range]), shrink: shrink, steps: steps)
      }
    }

    static func clip(_ values: UnsafeMutableBufferPointer<Float>, shrink: UInt8, steps: Int) {
      var largest: Float = 0
      for value in values { largest = max(largest, abs(value)) }
      let limit = largest * (1 - Float(shrink) / Float(steps))
      for index in values.indices { values[index] = max(-limit, min(limit, values[index])) }
    }
  }

  /// Factors of the inputs, as many as columns.
  var columns: [Float]?
  /// Divisors of the outputs, as many as rows; of the elements where there is one dimension.
  var rows: [Float]?
  /// Added before a division and taken off after it.
  var offset: Float = 0
  var clips: Clips?

  /// Whether the numbers fit a shape.
  func fits(_ shape: Shape) -> Bool {
    guard shape.rank == 1 || shape.rank == 2 else { return false }
    let (outputs, inputs) = (shape.dims[0], shape.rank == 2 ? shape.dims[1] : 1)
    guard rows.map({ $0.count == outputs }) ?? true else { return false }
    guard shape.rank == 2 else { return columns == nil && clips == nil }
    let clipped = clips.map {
      $0.groupSize > 0 && $0.steps > 0
        && $0.shrinks.count == outputs * ((inputs + $0.groupSize - 1) / $0.groupSize)
        && $0.shrinks.allSatisfy { [steps = $0.steps] in Int($0) < steps }
    }
    return (columns.map { $0.count == inputs } ?? true) && (clipped ?? true)
  }

  /// Changes a row of a matrix.
  func apply(row: Int, _ values: UnsafeMutableBufferPointer<Float>, clipping: Bool = true) {
    if let columns { for index in values.indices { values[index] *= columns[index] } }
    if let rows {
      let divisor = rows[row]
      for index in values.indices { values[index] /= divisor }
    }
    if clipping { clips?.apply(row: row, values) }
  }

  /// Changes a vector.
  func apply(vector values: inout [Float]) {
    guard let rows else { return }
    for index in values.indices { values[index] = (values[index] + offset) / rows[index] - offset }
  }
}
