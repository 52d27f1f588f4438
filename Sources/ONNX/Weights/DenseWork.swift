import CKernels
import Checkpoints
import IngotCore

/// Rows of a tensor as they lie.
struct DenseRows: SegmentWork {
  let tensor: CheckpointTensor
  let rows: Range<Int>
  let converter: ElementConverter

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    guard let base = target.baseAddress else { return }
    let scratch = UnsafeMutablePointer<Float>.allocate(capacity: ElementConverter.run)
    defer { scratch.deallocate() }
    let columns = tensor.columnCount
    var overflows = false
    switch tensor.rowOrder {
    case .natural:
      overflows = try tensor.withRows(rows) {
        converter.convert($0, count: rows.count * columns, into: base, scratch: scratch)
      }
    case .interleavedRope:
      let rowBytes = columns * converter.dtype.byteCount
      for (index, row) in rows.enumerated() {
        let overflowed = try tensor.withRow(row) {
          converter.convert($0, count: columns, into: base + index * rowBytes, scratch: scratch)
        }
        overflows = overflowed || overflows
      }
    }
    guard !overflows else { throw converter.overflow(in: tensor) }
    tensor.release(rows)
  }
}

/// Columns of tensors [rows, K], one tensor below the other, as rows of [K, N].
struct DenseColumns: SegmentWork {
  let tensors: [CheckpointTensor]
  let columns: Range<Int>
  /// One per tensor.
  let converters: [ElementConverter]

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    guard let base = target.baseAddress else { return }
    let size = converters[0].dtype.byteCount
    let outputs = tensors.reduce(0) { $0 + $1.rowCount }
    let scratch = UnsafeMutablePointer<Float>.allocate(capacity: ElementConverter.run)
    let tile = UnsafeMutableRawPointer.allocate(
      byteCount: ColumnTile.rows * columns.count * size, alignment: 64)
    defer {
      scratch.deallocate()
      tile.deallocate()
    }
    var output = 0
    for (tensor, converter) in zip(tensors, converters) {
      let overflows = try ColumnTile.forEach(of: tensor) { (rows) throws(IngotError) in
        var overflows = false
        for (index, row) in rows.enumerated() {
          let overflowed = try tensor.withBytes(row: row, columns: columns) {
            converter.convert(
              $0, count: columns.count, into: tile + index * columns.count * size, scratch: scratch)
          }
          overflows = overflows || overflowed
        }
        ingot_transpose(
          Int32(size), tile, Int64(columns.count), Int64(rows.count), Int64(columns.count),
          base + (output + rows.lowerBound) * size, Int64(outputs))
        return overflows
      }
      guard !overflows else { throw converter.overflow(in: tensor) }
      output += tensor.rowCount
    }
  }
}

/// Numbers that follow from the configuration.
struct ComputedWork: SegmentWork {
  let tensor: ComputedTensor

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let floats = tensor.floats()
    let count = tensor.dims.reduce(1, *)
    guard floats.count == count else {
      throw IngotError(
        .shape, "\(floats.count) numbers were made for \(count) elements", at: .init(tensor: tensor.key))
    }
    switch tensor.dtype {
    case .f32: floats.withUnsafeBytes { target.copyMemory(from: $0) }
    case .f16:
      guard ingot_f32_overflows(floats, count, 65520) == 0 else { throw unfit("a number beyond 65504") }
      ingot_f32_to_f16(floats, target.bindMemory(to: UInt16.self).baseAddress, count)
    case .bf16: ingot_f32_to_bf16(floats, target.bindMemory(to: UInt16.self).baseAddress, count)
    case .f64: try store(floats, in: target) { Double($0) }
    case .i64: try store(floats, in: target) { Int64(exactly: $0) }
    case .i32: try store(floats, in: target) { Int32(exactly: $0) }
    case .i16: try store(floats, in: target) { Int16(exactly: $0) }
    case .i8: try store(floats, in: target) { Int8(exactly: $0) }
    case .u64: try store(floats, in: target) { UInt64(exactly: $0) }
    case .u32: try store(floats, in: target) { UInt32(exactly: $0) }
    case .u16: try store(floats, in: target) { UInt16(exactly: $0) }
    case .u8: try store(floats, in: target) { UInt8(exactly: $0) }
    case .bool: try store(floats, in: target) { UInt8($0 == 0 ? 0 : 1) }
    }
  }

  private func store<T: BitwiseCopyable>(
    _ floats: [Float], in target: UnsafeMutableRawBufferPointer, _ convert: (Float) -> T?
  ) throws(IngotError) {
    for (index, float) in floats.enumerated() {
      guard let value = convert(float) else { throw unfit("\(float)") }
      target.storeBytes(of: value, toByteOffset: index * MemoryLayout<T>.size, as: T.self)
    }
  }

  private func unfit(_ what: String) -> IngotError {
    IngotError(.unsupported, "\(what) does not fit \(tensor.dtype)", at: .init(tensor: tensor.key))
  }
}

/// How column work walks over the rows of a tensor: few enough at a time that they stay in the nearest caches.
enum ColumnTile {
  static let rows = 32
  /// Tensors of more bytes leave memory as soon as a stretch of them was read, and are mapped again for the next columns.
  private static let resident = 128 << 20
  private static let stretch = 16 << 20

  /// - Returns: whether `body` was true for any of the tiles.
  static func forEach(
    of tensor: CheckpointTensor, _ body: (Range<Int>) throws(IngotError) -> Bool
  ) throws(IngotError) -> Bool {
    let step =
      tensor.byteRange.count > resident
      ? max(rows, stretch / tensor.rowByteCount / rows * rows) : tensor.rowCount
    var any = false
    for start in stride(from: 0, to: tensor.rowCount, by: rows) {
      let end = min(start + rows, tensor.rowCount)
      any = try body(start..<end) || any
      if end % step == 0 || end == tensor.rowCount, step < tensor.rowCount {
        tensor.release(max(0, end - step)..<end)
      }
    }
    return any
  }
}

extension CheckpointTensor {
  /// Lends the bytes of some columns of a row; the columns are whole blocks.
  func withBytes<Result>(
    row: Int, columns: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Result
  ) throws(IngotError) -> Result {
    try withRow(row, columns: columns, body)
  }

  /// Lets go of the memory of rows that were read.
  func release(_ rows: Range<Int>) {
    guard source == nil else {
      if rows.count == rowCount { release() }
      return
    }
    switch rowOrder {
    case .natural:
      let start = byteRange.lowerBound
      file.release(start + rows.lowerBound * rowByteCount..<start + rows.upperBound * rowByteCount)
    case .interleavedRope(let headDim):
      // Rows move within their head: nearly the same ones.
      let first = rows.lowerBound / headDim * headDim, last = min(rowCount, rows.upperBound)
      let start = byteRange.lowerBound
      file.release(start + first * rowByteCount..<start + last * rowByteCount)
    }
  }
}
