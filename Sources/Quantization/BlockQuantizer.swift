package import CKernels
package import Checkpoints
package import IngotCore

/// Rounds rows of a weight to integers by a scheme.
///
/// GGUF blocks that are themselves integers with a scale per 32 keep both, so that nothing is lost.
package struct BlockQuantizer: Sendable {
  package let scheme: BlockQuantization
  /// How scales are stored: f32, f16 or bf16.
  package let scales: DType
  private let quantizer: ingot_quantizer
  private let isa = ingot_isa_best()

  /// - Throws: `.argument` for scales of another type.
  package init(_ scheme: BlockQuantization, scales: DType) throws(IngotError) {
    let stored: ingot_scale
    switch scales {
    case .f32: stored = INGOT_SCALE_F32
    case .f16: stored = INGOT_SCALE_F16
    case .bf16: stored = INGOT_SCALE_BF16
    case .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
      throw IngotError(.argument, "scales of \(scales) are not made; f32, f16 and bf16 are")
    }
    (self.scheme, self.scales) = (scheme, scales)
    quantizer = ingot_quantizer(
      bits: Int32(scheme.bits), symmetric: scheme.isSymmetric ? 1 : 0, scale: stored)
  }

  /// The code that stands for zero where it is not chosen per group.
  package var middle: UInt8 { 1 << UInt8(scheme.bits - 1) }

  /// Whether blocks of this encoding become codes with the integers and scales they have.
  package func keepsIntegers(of encoding: TensorEncoding) -> Bool {
    guard scheme.groupSize == 32, scales != .bf16, case .block(let type) = encoding else { return false }
    switch type {
    case .q40: return true
    case .q50, .q80: return scheme.bits == 8
    case .q41, .q51, .q4K, .q5K, .q6K: return false
    }
  }

  /// Codes, scales and zeros of a run of inputs of one row.
  /// - Parameters:
  ///   - source: the run as the checkpoint stores it.
  ///   - floats: room for `count`; holds the weights afterwards, unless the blocks keep their integers.
  ///   - codes: room for `count`.
  ///   - group: inputs per scale.
  /// - Returns: what stands in the way, if anything does.
  package func quantize(
    _ source: UnsafeRawBufferPointer, _ encoding: TensorEncoding, count: Int, group: Int,
    floats: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>,
    scales: UnsafeMutablePointer<Float>, zeros: UnsafeMutablePointer<UInt8>
  ) -> ingot_quantized {
    if case .block(let type) = encoding, keepsIntegers(of: encoding) {
      return split(source, type, count: count, halves: floats, codes: codes, scales: scales, zeros: zeros)
    }
    encoding.decode(source, into: floats, count: count)
    return withUnsafePointer(to: quantizer) {
      ingot_quantize_groups(isa, $0, floats, Int64(count), Int64(group), codes, scales, zeros)
    }
  }

  /// The scale and zero of weights that share one.
  package func scale(
    _ floats: UnsafePointer<Float>, count: Int, scale: inout Float, zero: inout UInt8
  ) -> ingot_quantized {
    withUnsafePointer(to: quantizer) { ingot_group_scale(isa, $0, floats, Int64(count), &scale, &zero) }
  }

  /// The codes of weights whose scale and zero are known.
  package func encode(
    _ floats: UnsafePointer<Float>, count: Int, scale: Float, zero: UInt8, codes: UnsafeMutablePointer<UInt8>
  ) {
    withUnsafePointer(to: quantizer) { ingot_group_codes(isa, $0, floats, Int64(count), scale, zero, codes) }
  }

  /// Adds the squares of what was lost, and of the weights, to two sums.
  package func addError(
    _ floats: UnsafePointer<Float>, count: Int, group: Int, codes: UnsafePointer<UInt8>,
    scales: UnsafePointer<Float>, zeros: UnsafePointer<UInt8>, to sums: inout (error: Double, energy: Double)
  ) {
    ingot_quantization_error(
      floats, Int64(count), Int64(group), codes, scales, zeros, &sums.error, &sums.energy)
  }

  /// The integers and scales of blocks of 32; `halves` is room for the scales as they are stored.
  private func split(
    _ source: UnsafeRawBufferPointer, _ type: GGUFBlockType, count: Int, halves: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<Float>,
    zeros: UnsafeMutablePointer<UInt8>
  ) -> ingot_quantized {
    let blocks = count / type.blockWeights
    return halves.withMemoryRebound(to: UInt16.self, capacity: blocks) { halves in
      let integers = UnsafeMutableRawPointer(codes).assumingMemoryBound(to: Int8.self)
      let block = ingot_block(rawValue: type.rawValue)
      let status = ingot_split_blocks(block, source.baseAddress, blocks, integers, halves, nil)
      precondition(status == 0, "no kernel for \(type)")
      ingot_f16_to_f32(halves, scales, blocks)
      // Integers around zero become codes around the middle; those of Q4_0 are codes of 4 bits already.
      let shift = type == .q40 ? middle &- 8 : middle
      if shift != 0 { for index in 0..<count { codes[index] &+= shift } }
      for index in 0..<blocks {
        guard scales[index].isFinite else { return INGOT_NOT_FINITE }
        zeros[index] = middle
      }
      return INGOT_QUANTIZED
    }
  }
}
