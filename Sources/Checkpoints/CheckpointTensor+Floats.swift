import CKernels
public import IngotCore

extension CheckpointTensor {
  /// Reads rows as 32-bit floats, exactly where float can hold the stored values (f64 and wide integers
  /// round to nearest).
  ///
  /// - Parameters:
  ///   - rows: counted as Hugging Face orders rows.
  ///   - target: room for `rows.count * columnCount` floats.
  /// - Throws: what is wrong with rows that are made.
  /// - Precondition: the rows are the tensor's and the room is right.
  public func readRows(_ rows: Range<Int>, into target: UnsafeMutableBufferPointer<Float>) throws(IngotError)
  {
    precondition(target.count == rows.count * columnCount, "room for \(target.count) floats")
    guard let base = target.baseAddress, !target.isEmpty else { return }
    switch rowOrder {
    case .natural:
      try withRows(rows) { encoding.decode($0, into: base, count: target.count) }
    case .interleavedRope:
      for (index, row) in rows.enumerated() {
        try withRow(row) { encoding.decode($0, into: base + index * columnCount, count: columnCount) }
      }
    }
  }

  /// All elements as 32-bit floats; for small tensors, since it holds them all.
  /// - Throws: what is wrong with rows that are made.
  public func floats() throws(IngotError) -> [Float] {
    var failure: IngotError?
    let values = [Float](unsafeUninitializedCapacity: shape.count) { buffer, count in
      let target = UnsafeMutableBufferPointer(rebasing: buffer[..<shape.count])
      do throws(IngotError) { try readRows(0..<rowCount, into: target) } catch { failure = error }
      count = failure == nil ? shape.count : 0
    }
    if let failure { throw failure }
    return values
  }
}

extension TensorEncoding {
  /// Decodes `count` elements that fill `bytes`, which need no alignment.
  package func decode(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<Float>, count: Int) {
    guard let source = bytes.baseAddress else { return }
    switch self {
    case .block(let type):
      let status = ingot_dequantize(
        ingot_block(rawValue: type.rawValue), source, target, count / type.blockWeights)
      precondition(status == 0, "no kernel for \(type)")
    case .grouped(let format):
      ingot_dequantize_grouped(format.kernelFormat, source, Int64(count / format.groupSize), target)
    case .plain(.f32): UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: bytes.count)
    case .plain(.f16): ingot_f16_to_f32(source.assumingMemoryBound(to: UInt16.self), target, count)
    case .plain(.bf16): ingot_bf16_to_f32(source.assumingMemoryBound(to: UInt16.self), target, count)
    case .plain(.f64): convert(source, as: Double.self, into: target, count) { Float($0) }
    case .plain(.i64): convert(source, as: Int64.self, into: target, count) { Float($0) }
    case .plain(.i32): convert(source, as: Int32.self, into: target, count) { Float($0) }
    case .plain(.i16): convert(source, as: Int16.self, into: target, count) { Float($0) }
    case .plain(.i8): convert(source, as: Int8.self, into: target, count) { Float($0) }
    case .plain(.u64): convert(source, as: UInt64.self, into: target, count) { Float($0) }
    case .plain(.u32): convert(source, as: UInt32.self, into: target, count) { Float($0) }
    case .plain(.u16): convert(source, as: UInt16.self, into: target, count) { Float($0) }
    case .plain(.u8): convert(source, as: UInt8.self, into: target, count) { Float($0) }
    case .plain(.bool): convert(source, as: UInt8.self, into: target, count) { $0 == 0 ? 0 : 1 }
    }
  }

  private func convert<T: BitwiseCopyable>(
    _ source: UnsafeRawPointer, as type: T.Type, into target: UnsafeMutablePointer<Float>, _ count: Int,
    _ float: (T) -> Float
  ) {
    for index in 0..<count {
      let element = source.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
      target[index] = float(element)
    }
  }
}
