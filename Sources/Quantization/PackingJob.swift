import CKernels
import Checkpoints
import IngotCore

/// What the threads of one packing share.
struct PackingJob {
  let tensors: [CheckpointTensor]
  let format: ingot_format
  let group: Int
  let outputs: Int
  let inputs: Int
  let target: UnsafeMutableRawPointer
  /// The first thing that went wrong.
  let failure = Locked<IngotError?>(nil)

  /// Packs 16 rows, unless another thread has failed.
  func pack(tile: Int) {
    guard failure.withLock({ $0 == nil }) else { return }
    let rows = min(16, outputs - tile * 16)
    let destination = target + tile * ingot_tile_bytes(format, Int64(inputs), Int32(group))
    do throws(IngotError) {
      if group == 0 {
        try packFloats(tile * 16, rows, destination)
      } else {
        try packIntegers(tile * 16, rows, destination)
      }
    } catch {
      failure.withLock { $0 = $0 ?? error }
    }
  }

  /// Lends runs of rows of the whole that lie in one tensor, as they are stored.
  private func forEachRow(
    from first: Int, count: Int,
    _ body: (Int, UnsafeRawBufferPointer, TensorEncoding) throws(IngotError) -> Void
  ) throws(IngotError) {
    var (start, done) = (first, 0)
    for tensor in tensors where done < count {
      if start >= tensor.rowCount {
        start -= tensor.rowCount
        continue
      }
      let rows = start..<min(start + count - done, tensor.rowCount)
      if tensor.source != nil {
        // Rows that are made cost less together.
        try tensor.withRows(rows) { (bytes) throws(IngotError) in
          let width = tensor.rowByteCount
          for index in 0..<rows.count {
            try body(
              done + index, UnsafeRawBufferPointer(rebasing: bytes[index * width..<(index + 1) * width]),
              tensor.encoding)
          }
        }
      } else {
        for row in rows {
          try tensor.withRow(row) { (bytes) throws(IngotError) in
            try body(done + row - rows.lowerBound, bytes, tensor.encoding)
          }
        }
      }
      done += rows.count
      start = 0
    }
  }

  private func packFloats(
    _ first: Int, _ rows: Int, _ destination: UnsafeMutableRawPointer
  ) throws(IngotError) {
    let rowBytes = inputs * (format == INGOT_F32 ? 4 : 2)
    try withTemporaryBytes(rows * rowBytes) { (scratch) throws(IngotError) in
      try forEachRow(from: first, count: rows) { index, bytes, encoding in
        let part = UnsafeMutableRawBufferPointer(
          rebasing: scratch[index * rowBytes..<(index + 1) * rowBytes])
        if bytes.count == part.count && encoding.isKernelFloat {
          part.copyMemory(from: bytes)
        } else {
          encoding.decode(bytes, into: part.bindMemory(to: Float.self).baseAddress!, count: inputs)
        }
      }
      ingot_pack_float_tile(
        format, Int64(inputs), scratch.baseAddress, Int64(inputs), Int32(rows), destination)
    }
  }

  private func packIntegers(
    _ first: Int, _ rows: Int, _ destination: UnsafeMutableRawPointer
  ) throws(IngotError) {
    let groups = inputs / group
    try withTemporaryBytes(rows * (inputs + 4 * groups)) { (scratch) throws(IngotError) in
      guard let base = scratch.baseAddress else { return }
      let q = base.bindMemory(to: Int8.self, capacity: rows * inputs)
      let scales = (base + rows * inputs).bindMemory(to: UInt16.self, capacity: 2 * rows * groups)
      let minimums = format == INGOT_I4M || format == INGOT_I8M ? scales + rows * groups : nil
      try forEachRow(from: first, count: rows) { index, bytes, encoding in
        encoding.split(
          bytes, count: inputs, integers: q + index * inputs, scales: scales + index * groups,
          minimums: minimums.map { $0 + index * groups })
      }
      ingot_pack_integer_tile(
        format, Int64(inputs), Int32(group), q, scales, minimums, Int32(rows), destination)
    }
  }
}

extension TensorEncoding {
  /// Integers, scales and minimums of a row that the packed format of this encoding keeps.
  fileprivate func split(
    _ bytes: UnsafeRawBufferPointer, count: Int, integers: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<UInt16>, minimums: UnsafeMutablePointer<UInt16>?
  ) {
    switch self {
    case .block(let type):
      let status = ingot_split_blocks(
        ingot_block(rawValue: type.rawValue), bytes.baseAddress, count / type.blockWeights, integers, scales,
        minimums)
      precondition(status == 0, "no kernel for \(type)")
    case .grouped(let format):
      ingot_split_grouped(
        format.kernelFormat, bytes.baseAddress, Int64(count / format.groupSize), integers, scales, minimums)
    case .plain:
      preconditionFailure("integers and floats in one weight")
    }
  }
}

/// The job of one tile. At file scope, since it runs on threads that Swift's isolation does not know.
func packTile(_ argument: UnsafeMutableRawPointer?, _ tile: Int64, _ thread: Int32) {
  argument?.assumingMemoryBound(to: PackingJob.self).pointee.pack(tile: Int(tile))
}
