import CKernels
import IngotCore

/// A weight as another quantiser packed it, checked and ready to be read: codes, their zero points and scales.
///
/// w[n, k] = (code[n, k] − zero[n, g]) · scale[n, g], with g the group of input k.
struct PackedMatrix: Sendable {
  /// Packed codes, or zero points, and how they lie.
  struct Codes: Sendable {
    let tensor: CheckpointTensor
    /// Words from code to code down the rows and along the columns; see `ingot_packed`.
    var rowStride = 1, columnStride = 1
    var rowsPerWord = 1, columnsPerWord = 1
    var bits: Int
    var add: UInt32 = 0
    var isAWQ = false
    /// Signed bytes, which become codes around the middle.
    var areBytes = false

    /// Unpacks a rectangle, `columns.count` bytes from row to row.
    func unpack(_ rows: Range<Int>, _ columns: Range<Int>, into target: UnsafeMutablePointer<UInt8>) {
      guard let words = tensor.storedBytes?.baseAddress else { return }
      var packed = ingot_packed()
      (packed.words, packed.word_bytes) = (words, areBytes ? 1 : 4)
      (packed.row_stride, packed.column_stride) = (Int64(rowStride), Int64(columnStride))
      (packed.rows_per_word, packed.columns_per_word) = (UInt8(rowsPerWord), UInt8(columnsPerWord))
      (packed.bits, packed.add) = (UInt8(bits), add)
      (packed.is_awq, packed.flip) = (isAWQ ? 1 : 0, areBytes ? 1 << UInt8(bits - 1) : 0)
      ingot_unpack_codes(
        &packed, Int64(rows.lowerBound), Int64(rows.count), Int64(columns.lowerBound), Int64(columns.count),
        target, Int64(columns.count))
    }
  }

  /// Scales and how they lie.
  struct Scales: Sendable {
    let tensor: CheckpointTensor
    /// Elements from scale to scale down the rows and along the groups; one of them is 1, or both are 0.
    var rowStride: Int, groupStride: Int

    /// Reads a rectangle, `groups.count` floats from row to row.
    func read(_ rows: Range<Int>, _ groups: Range<Int>, into target: UnsafeMutablePointer<Float>) {
      if groupStride == 1 {
        for (index, row) in rows.enumerated() {
          decode(row * rowStride + groups.lowerBound, groups.count, target + index * groups.count)
        }
        return
      }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count) { column in
        guard let base = column.baseAddress else { return }
        for (index, group) in groups.enumerated() {
          if rowStride == 1 {
            decode(group * groupStride + rows.lowerBound, rows.count, base)
          } else {
            decode(0, 1, base)
            column.update(repeating: base[0])
          }
          for row in 0..<rows.count { target[row * groups.count + index] = base[row] }
        }
      }
    }

    private func decode(_ first: Int, _ count: Int, _ target: UnsafeMutablePointer<Float>) {
      let width = tensor.encoding.blockBytes
      guard let bytes = tensor.storedBytes else { return }
      tensor.encoding.decode(
        UnsafeRawBufferPointer(rebasing: bytes[first * width..<(first + count) * width]), into: target,
        count: count)
    }
  }

  /// The layer: what comes before `.weight`.
  let layer: String
  let outputs: Int
  let inputs: Int
  let groups: Int
  let codes: Codes
  /// Nil where all are the middle, 8 or 128.
  let zeros: Codes?
  let scales: Scales
  /// The group of each input, where groups are not stretches of inputs.
  var groupOf: [Int32]?

  /// Inputs that share a scale.
  var groupSize: Int { inputs / groups }

  /// The code that stands for zero in row and group ranges.
  func zeros(_ rows: Range<Int>, _ groups: Range<Int>, into target: UnsafeMutablePointer<UInt8>) {
    if let zeros { return zeros.unpack(rows, groups, into: target) }
    target.update(repeating: codes.bits == 8 ? 128 : 8, count: rows.count * groups.count)
  }

  /// The format that holds the weights: groups of the largest size that divides theirs.
  /// - Throws: `.unsupported` where there is none.
  func format() throws(IngotError) -> GroupedFormat {
    for size in [128, 64, 32] where groupSize % size == 0 {
      return try GroupedFormat(bits: codes.bits, groupSize: size, hasMinimum: zeros != nil)
    }
    throw codes.tensor.error(
      .unsupported, "\(groupSize) inputs share a scale, which is no multiple of 32",
      hint: "use the model's unquantised weights, or its GGUF file")
  }

  /// The weight as a tensor of the checkpoint; see `ReorderedTensor` for weights in an order of their own.
  /// - Throws: `.unsupported` for groups of a size that has no format.
  func tensor() throws(IngotError) -> CheckpointTensor {
    let format = try format()
    let (name, shape) = (layer + ".weight", try Shape(checking: [outputs, inputs]))
    let file = codes.tensor.file
    func grouped(_ order: [Int32]?) -> CheckpointTensor {
      CheckpointTensor(
        name: name, encoding: .grouped(format), shape: shape, file: file,
        source: PackedRows(self, format, order: order))
    }
    guard let groupOf else { return grouped(nil) }
    let order = groupOf.indices.sorted { (groupOf[$0], $0) < (groupOf[$1], $1) }.map { Int32($0) }
    return CheckpointTensor(
      name: name, encoding: .plain(.f32), shape: shape, file: file,
      source: NaturalRows(self, format, groupOf: groupOf),
      reordered: ReorderedTensor(grouped(order), inputOrder: order))
  }

  /// What to say of numbers that do not fit.
  func overflow(rows: Range<Int>) -> IngotError {
    scales.tensor.error(
      .unsupported,
      "a scale of rows \(rows) is no number, or it or its minimum is beyond 65504, the largest 16-bit float",
      hint: "use the model's unquantised weights, or its GGUF file")
  }

  /// Lets the files' pages go.
  func release() {
    for tensor in [codes.tensor, scales.tensor] { tensor.file.release(tensor.byteRange) }
    if let zeros { zeros.tensor.file.release(zeros.tensor.byteRange) }
  }
}
