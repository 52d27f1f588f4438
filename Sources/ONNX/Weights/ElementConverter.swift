import CKernels
import Checkpoints
import IngotCore

/// Turns stored elements into f32, f16 or bf16, by the shortest way there is.
struct ElementConverter: Sendable {
  let encoding: TensorEncoding
  let dtype: DType
  private let way: Way

  private enum Way { case copy, bfloatToHalf, decode, decodeThenHalf, decodeThenBFloat }

  /// - Throws: `.argument` when `dtype` is not one of the three.
  init(_ encoding: TensorEncoding, to dtype: DType) throws(IngotError) {
    (self.encoding, self.dtype) = (encoding, dtype)
    switch dtype {
    case .f32: way = .decode
    case .f16:
      way = encoding == .plain(.f16) ? .copy : encoding == .plain(.bf16) ? .bfloatToHalf : .decodeThenHalf
    case .bf16: way = encoding == .plain(.bf16) ? .copy : .decodeThenBFloat
    case .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
      throw IngotError(.argument, "weights of \(dtype) are not made; f32, f16 and bf16 are")
    }
  }

  /// Floats of scratch that `convert` needs at most.
  static let run = 4096

  /// Converts elements that fill `source`.
  /// - Parameters:
  ///   - target: aligned to its elements.
  ///   - scratch: room for `run` floats.
  /// - Returns: whether a finite value has no finite counterpart.
  func convert(
    _ source: UnsafeRawBufferPointer, count: Int, into target: UnsafeMutableRawPointer,
    scratch: UnsafeMutablePointer<Float>
  ) -> Bool {
    guard let base = source.baseAddress else { return false }
    switch way {
    case .copy:
      target.copyMemory(from: base, byteCount: source.count)
      return false
    case .bfloatToHalf:
      let halves = target.assumingMemoryBound(to: UInt16.self)
      return ingot_bf16_to_f16(base.assumingMemoryBound(to: UInt16.self), halves, count) != 0
    case .decode:
      encoding.decode(source, into: target.assumingMemoryBound(to: Float.self), count: count)
      return false
    case .decodeThenHalf, .decodeThenBFloat:
      var overflows = false
      // In runs that stay in the cache; whole blocks, since the longest hold 256.
      for start in stride(from: 0, to: count, by: Self.run) {
        let length = min(Self.run, count - start)
        let first = start / encoding.blockWeights * encoding.blockBytes
        let bytes = source[first..<first + length / encoding.blockWeights * encoding.blockBytes]
        encoding.decode(UnsafeRawBufferPointer(rebasing: bytes), into: scratch, count: length)
        overflows = narrow(scratch, count: length, into: target + 2 * start) || overflows
      }
      return overflows
    }
  }

  /// Rounds floats to the target's 16 bits.
  private func narrow(_ floats: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer)
    -> Bool
  {
    let halves = target.assumingMemoryBound(to: UInt16.self)
    if dtype == .f16 {
      ingot_f32_to_f16(floats, halves, count)
      return ingot_f32_overflows(floats, count, 65520) != 0
    }
    ingot_f32_to_bf16(floats, halves, count)
    // Halfway between the largest bfloat16 and infinity.
    return ingot_f32_overflows(floats, count, Float(bitPattern: 0x7F7F_8000)) != 0
  }

  /// What to say about a tensor of which an element has no finite counterpart.
  func overflow(in tensor: CheckpointTensor) -> IngotError {
    let (limit, hint) =
      dtype == .f16 ? ("65504", "export with --dtype bf16 or f32") : ("3.4e38", "export with --dtype f32")
    return tensor.error(
      .unsupported, "a weight is beyond \(limit), the largest that \(dtype) holds", hint: hint)
  }
}
