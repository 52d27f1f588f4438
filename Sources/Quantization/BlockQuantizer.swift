package import CKernels
package import Checkpoints
package import IngotCore

/// Rounds rows of a weight to integers by a scheme.
///
/// What consists of integers and scales already keeps both where the scheme has room for them, so that nothing is lost:
/// GGUF blocks with a scale per 32, and groups of AWQ, GPTQ and compressed-tensors.
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
  ///
  /// Groups with a minimum do so row by row, where all minimums of a row are an integral zero point times the scale, as
  /// those of AWQ and GPTQ are; other rows are rounded.
  package func keepsIntegers(of encoding: TensorEncoding) -> Bool {
    guard let groupSize = scheme.groupSize, scales != .bf16 else { return false }
    switch encoding {
    case .plain: return false
    case .block(.q40): return groupSize == 32
    case .block(.q50), .block(.q80): return groupSize == 32 && scheme.bits == 8
    case .block(.q41), .block(.q51), .block(.q4K), .block(.q5K), .block(.q6K): return false
    case .grouped(let format):
      return format.bits <= scheme.bits && format.groupSize % groupSize == 0
        && !(format.hasMinimum && scheme.isSymmetric)
    }
  }

  /// Whether no row of this encoding is rounded, whatever its numbers.
  package func losesNothing(of encoding: TensorEncoding) -> Bool {
    if case .grouped(let format) = encoding, format.hasMinimum { return false }
    return keepsIntegers(of: encoding)
  }

  /// The order in which the inputs of a weight are multiplied so that its integers are kept; nil for their own order.
  /// - Parameter tensors: what the weight is made of.
  package func inputOrder(of tensors: [CheckpointTensor?]) -> [Int32]? {
    guard let order = tensors.first??.reordered?.inputOrder else { return nil }
    let isShared = tensors.allSatisfy {
      guard let form = $0?.reordered else { return false }
      return form.inputOrder == order && keepsIntegers(of: form.tensor.encoding)
    }
    return isShared ? order : nil
  }

  /// Codes, scales and zeros of a run of inputs of one row.
  /// - Parameters:
  ///   - source: the run as the checkpoint stores it.
  ///   - floats: room for `count`.
  ///   - codes: room for `count`.
  ///   - group: inputs per scale.
  /// - Returns: what stands in the way, if anything does.
  package func quantize(
    _ source: UnsafeRawBufferPointer, _ encoding: TensorEncoding, count: Int, group: Int,
    floats: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>,
    scales: UnsafeMutablePointer<Float>, zeros: UnsafeMutablePointer<UInt8>
  ) -> ingot_quantized {
    if keepsIntegers(of: encoding) {
      switch encoding {
      case .plain: break
      case .block(let type):
        return split(source, type, count: count, halves: floats, codes: codes, scales: scales, zeros: zeros)
      case .grouped(let format):
        let kept = keep(source, format, count: count, codes: codes, scales: scales, zeros: zeros)
        if let kept { return kept }
      }
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
