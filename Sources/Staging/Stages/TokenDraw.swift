import CKernels
package import Generation
package import IngotCore

/// Draws the token at a position.
///
/// Every position has random numbers of its own, made from seed and position, so that a step done over, or by
/// itself, draws what the run would have drawn.
package struct TokenDraw: Sendable {
  /// How tokens are drawn; its seed is not looked at.
  package let options: SamplingOptions
  /// The seed of the run.
  package let seed: UInt64

  /// Takes options; without a seed one is drawn.
  /// - Throws: `.argument` for options out of range.
  package init(_ options: SamplingOptions) throws(IngotError) {
    try options.validate()
    self.options = options
    seed = options.seed ?? UInt64.random(in: .min ... .max)
  }

  /// Draws from the last row.
  /// - Parameters:
  ///   - logits: f32 or f16 `[rows, V]`.
  ///   - position: where in the sequence the token will stand.
  /// - Throws: `.format` when no token is possible.
  package func token(_ logits: HostTensor, at position: Int) throws(IngotError) -> Int {
    let size = logits.shape[1]
    var row = [Float](repeating: 0, count: size)
    let start = (logits.shape[0] - 1) * size * logits.dtype.byteCount
    withExtendedLifetime(logits) {
      let bytes = UnsafeRawBufferPointer(rebasing: logits.bytes[start...])
      row.withUnsafeMutableBufferPointer { row in
        guard let target = row.baseAddress, let source = bytes.baseAddress else { return }
        if logits.dtype == .f16 {
          ingot_f16_to_f32(source.assumingMemoryBound(to: UInt16.self), target, size)
        } else {
          UnsafeMutableRawBufferPointer(row).copyMemory(from: bytes)
        }
      }
    }
    var options = options
    options.seed = Digest.of([UInt64(position)], seed: seed)
    var sampler = try Sampler(options)
    let drawn: Result<Int, IngotError> = row.withUnsafeBufferPointer { row in
      do throws(IngotError) { return .success(try sampler.sample(row)) } catch { return .failure(error) }
    }
    return try drawn.get()
  }
}
