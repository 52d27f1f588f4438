import CKernels
import IngotCore

/// Rows of groups from a weight that another quantiser packed.
///
/// The integers stay what they are. Scales round to f16, which most are already: bf16 and f32 lose at most 2⁻¹¹ of a
/// scale from 2⁻¹⁴ on, and 2⁻²⁵ below. A zero point other than the middle becomes a minimum of −zero · scale, rounded
/// likewise; with all in the middle there is none.
final class PackedRows: ColumnSource {
  private let matrix: PackedMatrix
  private let format: GroupedFormat
  /// Which input each column belongs to; nil for their own order.
  private let order: [Int32]?
  /// Rows unpacked together: a tile of the engine's, and of GPTQ's files a cache line.
  private static let together = 16

  init(_ matrix: PackedMatrix, _ format: GroupedFormat, order: [Int32]?) {
    (self.matrix, self.format, self.order) = (matrix, format, order)
  }

  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    try read(rows: rows, columns: 0..<matrix.inputs, into: target)
  }

  func read(
    rows: Range<Int>, columns: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws(IngotError) {
    let rowBytes = columns.count / format.groupSize * format.groupBytes
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.together) {
      let part = start..<min(start + Self.together, rows.upperBound)
      let first = (start - rows.lowerBound) * rowBytes
      try readTogether(
        part, columns, rowBytes,
        UnsafeMutableRawBufferPointer(rebasing: target[first..<first + part.count * rowBytes]))
    }
  }

  private func readTogether(
    _ rows: Range<Int>, _ columns: Range<Int>, _ rowBytes: Int, _ target: UnsafeMutableRawBufferPointer
  ) throws(IngotError) {
    guard let base = target.baseAddress, !columns.isEmpty else { return }
    let size = matrix.groupSize
    let groups = columns.lowerBound / size..<(columns.upperBound + size - 1) / size
    // In an order of their own, any column may come from any other.
    let unpacked = order == nil ? columns : 0..<matrix.inputs
    let scratch = PackedScratch(rows: rows.count, columns: unpacked.count, groups: groups.count)
    matrix.codes.unpack(rows, unpacked, into: scratch.codes)
    matrix.zeros(rows, groups, into: scratch.zeros)
    matrix.scales.read(rows, groups, into: scratch.scales)
    for row in 0..<rows.count {
      var codes = UnsafePointer(scratch.codes + row * unpacked.count)
      if let order {
        ingot_order_bytes(codes, order, Int64(order.count), scratch.ordered)
        codes = UnsafePointer(scratch.ordered + columns.lowerBound)
      }
      let status = ingot_groups_of_codes(
        format.kernelFormat, codes, scratch.zeros + row * groups.count, scratch.scales + row * groups.count,
        Int64(columns.lowerBound / format.groupSize), Int64(columns.count / format.groupSize),
        Int64(size / format.groupSize), base + row * rowBytes)
      guard status == 0 else { throw matrix.overflow(rows: rows) }
    }
  }

  func release() { matrix.release() }
}

/// Rows of floats, in natural order, from a weight whose groups have an order of their own.
///
/// The same numbers as its groups stand for, bit for bit.
final class NaturalRows: ColumnSource {
  private let matrix: PackedMatrix
  private let format: GroupedFormat
  private let groupOf: [Int32]

  init(_ matrix: PackedMatrix, _ format: GroupedFormat, groupOf: [Int32]) {
    (self.matrix, self.format, self.groupOf) = (matrix, format, groupOf)
  }

  func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    try read(rows: rows, columns: 0..<matrix.inputs, into: target)
  }

  func read(
    rows: Range<Int>, columns: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws(IngotError) {
    guard let base = target.bindMemory(to: Float.self).baseAddress else { return }
    let groups = matrix.groups
    let scratch = PackedScratch(rows: 1, columns: columns.count, groups: 3 * groups)
    for (index, row) in rows.enumerated() {
      matrix.codes.unpack(row..<row + 1, columns, into: scratch.codes)
      matrix.zeros(row..<row + 1, 0..<groups, into: scratch.zeros)
      matrix.scales.read(row..<row + 1, 0..<groups, into: scratch.scales)
      let status = groupOf.withUnsafeBufferPointer { groupOf in
        ingot_floats_of_codes(
          format.kernelFormat, scratch.codes, scratch.zeros, scratch.scales, Int64(groups),
          groupOf.baseAddress.map { $0 + columns.lowerBound }, Int64(columns.count), scratch.scales + groups,
          base + index * columns.count)
      }
      guard status == 0 else { throw matrix.overflow(rows: row..<row + 1) }
    }
  }

  func release() { matrix.release() }
}

/// Room for codes, zero points and scales on their way.
private struct PackedScratch: ~Copyable {
  let codes: UnsafeMutablePointer<UInt8>
  /// One row.
  let ordered: UnsafeMutablePointer<UInt8>
  let zeros: UnsafeMutablePointer<UInt8>
  let scales: UnsafeMutablePointer<Float>

  init(rows: Int, columns: Int, groups: Int) {
    codes = .allocate(capacity: rows * columns)
    ordered = .allocate(capacity: columns)
    zeros = .allocate(capacity: rows * groups)
    scales = .allocate(capacity: rows * groups)
  }

  deinit {
    codes.deallocate()
    ordered.deallocate()
    zeros.deallocate()
    scales.deallocate()
  }
}
