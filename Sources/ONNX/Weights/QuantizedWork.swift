import CKernels
import Checkpoints
import IngotCore
import Quantization

/// Rows of `MatMulNBits`' B: groups of codes one after another, the last filled up with its zero point.
struct NBitsRows: SegmentWork {
  let piece: QuantizedPiece
  let tensor: QuantizedPiece.Part
  let rows: Range<Int>

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    guard let base = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let (inputs, groups) = (piece.inputs, piece.groups)
    let stored = groups * piece.group
    let isPacked = piece.quantizer.scheme.bits == 4
    let scratch = RowScratch(inputs: inputs, codes: stored, groups: 0)
    let isPerChannel = piece.quantizer.scheme.groupSize == nil
    let source = tensor.tensor
    for (index, row) in rows.enumerated() {
      let place = (tensor.first + row) * groups
      let target = base + index * (isPacked ? stored / 2 : stored)
      let codes = isPacked ? scratch.codes : target
      let status = try source.withRow(row) {
        piece.quantizer.quantize(
          $0, source.encoding, count: inputs, group: isPerChannel ? inputs : piece.group,
          floats: scratch.floats, codes: codes, scales: piece.scales + place, zeros: piece.zeros + place)
      }
      try piece.quantizer.check(status, source, row: row)
      if isPerChannel {
        (piece.scales + place).update(repeating: piece.scales[place], count: groups)
        (piece.zeros + place).update(repeating: piece.zeros[place], count: groups)
      }
      (codes + inputs).update(repeating: piece.zeros[place + groups - 1], count: stored - inputs)
      if isPacked { ingot_pack_nibbles(codes, target, Int64(stored)) }
    }
    source.release(rows)
  }
}

/// The scales of rows that have one each.
struct ScaleRows: SegmentWork {
  let piece: QuantizedPiece
  let tensor: QuantizedPiece.Part
  let rows: Range<Int>

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    let scratch = RowScratch(inputs: piece.inputs, codes: 0, groups: 0)
    let source = tensor.tensor
    for row in rows {
      let place = tensor.first + row
      try source.withRow(row) { source.encoding.decode($0, into: scratch.floats, count: piece.inputs) }
      let status = piece.quantizer.scale(
        scratch.floats, count: piece.inputs, scale: &piece.scales[place], zero: &piece.zeros[place])
      try piece.quantizer.check(status, source, row: row)
    }
    source.release(rows)
  }
}

/// Inputs of all outputs, as rows of `DequantizeLinear`'s x [K, N].
struct DequantizeColumns: SegmentWork {
  let piece: QuantizedPiece
  let columns: Range<Int>
  let isPerChannel: Bool

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    guard let base = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let (outputs, quantizer) = (piece.outputs, piece.quantizer)
    let isPacked = quantizer.scheme.bits == 4
    let count = columns.count * outputs
    // Two rows of an odd number of outputs share a byte, so the band is packed when it is whole.
    let codes = isPacked ? UnsafeMutablePointer<UInt8>.allocate(capacity: count) : base
    let tile = UnsafeMutablePointer<UInt8>.allocate(capacity: ColumnTile.rows * columns.count)
    defer {
      if isPacked { codes.deallocate() }
      tile.deallocate()
    }
    let scratch = RowScratch(inputs: columns.count, codes: 0, groups: columns.count)
    for part in piece.tensors {
      let source = part.tensor
      var failure: (status: ingot_quantized, row: Int)?
      _ = try ColumnTile.forEach(of: source) { (rows) throws(IngotError) in
        guard failure == nil else { return true }
        for (index, row) in rows.enumerated() {
          let status = try encode(source, row, part.first + row, into: tile + index * columns.count, scratch)
          if status != INGOT_QUANTIZED { failure = (status, row) }
        }
        ingot_transpose(
          1, tile, Int64(columns.count), Int64(rows.count), Int64(columns.count),
          codes + part.first + rows.lowerBound, Int64(outputs))
        return failure != nil
      }
      if let failure { try piece.quantizer.check(failure.status, source, row: failure.row) }
    }
    if quantizer.scheme.isSymmetric { ingot_flip(codes, quantizer.middle, Int64(count)) }
    if isPacked { ingot_pack_nibbles(codes, base, Int64(count)) }
  }

  /// The codes of the band's inputs of one output; new scales go to the piece.
  private func encode(
    _ source: CheckpointTensor, _ row: Int, _ output: Int, into codes: UnsafeMutablePointer<UInt8>,
    _ scratch: borrowing RowScratch
  ) throws(IngotError) -> ingot_quantized {
    if isPerChannel {
      try source.withBytes(row: row, columns: columns) {
        source.encoding.decode($0, into: scratch.floats, count: columns.count)
      }
      piece.quantizer.encode(
        scratch.floats, count: columns.count, scale: piece.scales[output], zero: piece.zeros[output],
        codes: codes)
      return INGOT_QUANTIZED
    }
    let status = try source.withBytes(row: row, columns: columns) {
      piece.quantizer.quantize(
        $0, source.encoding, count: columns.count, group: piece.group, floats: scratch.floats, codes: codes,
        scales: scratch.scales, zeros: scratch.zeros)
    }
    let first = columns.lowerBound / piece.group
    for group in 0..<(columns.count + piece.group - 1) / piece.group {
      piece.scales[(first + group) * piece.outputs + output] = scratch.scales[group]
      piece.zeros[(first + group) * piece.outputs + output] = scratch.zeros[group]
    }
    return status
  }
}

/// Scales in the type they are stored in, which holds each exactly.
struct ScaleValues: SegmentWork {
  let piece: QuantizedPiece
  let range: Range<Int>

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    guard let base = target.baseAddress else { return }
    let scales = piece.scales + range.lowerBound
    switch piece.quantizer.scales {
    case .f16: ingot_f32_to_f16(scales, base.assumingMemoryBound(to: UInt16.self), range.count)
    case .bf16: ingot_f32_to_bf16(scales, base.assumingMemoryBound(to: UInt16.self), range.count)
    case .f32, .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
      base.copyMemory(from: scales, byteCount: 4 * range.count)
    }
  }
}

/// Zero points, two to a byte for 4 bits; in `MatMulNBits` every output begins at a byte.
struct ZeroPoints: SegmentWork {
  let piece: QuantizedPiece

  func fill(_ target: UnsafeMutableRawBufferPointer) throws(IngotError) {
    guard let base = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let count = piece.outputs * piece.groups
    guard piece.quantizer.scheme.bits == 4 else {
      base.update(from: piece.zeros, count: count)
      return
    }
    switch piece.order {
    case .byGroup: ingot_pack_nibbles(piece.zeros, base, Int64(count))
    case .byRow:
      let rowBytes = (piece.groups + 1) / 2
      for row in 0..<piece.outputs {
        ingot_pack_nibbles(piece.zeros + row * piece.groups, base + row * rowBytes, Int64(piece.groups))
      }
    }
  }
}
