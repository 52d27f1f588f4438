import CKernels
package import IngotCore

/// What a step's tokens look like to the parts: padded ids, mask and positions.
package enum StepInputs {
  /// What the mask has where nothing may be seen.
  package static func filler(_ dtype: DType) -> Float { dtype == .f16 ? -65504 : -1e9 }

  /// The ids as `embed` takes them.
  /// - Returns: i64 `[1, S]`.
  package static func ids(_ tokens: [Int], padding: Int, _ meta: StepMeta) throws(IngotError) -> HostTensor {
    let missing = meta.inputLength - tokens.count
    let ids = tokens.map(Int64.init) + [Int64](repeating: Int64(padding), count: max(0, missing))
    return try HostTensor(ids, shape: [1, meta.inputLength])
  }

  /// Positions of the tokens; padding repeats the last.
  /// - Returns: i64 `[1, S]`.
  package static func positions(_ meta: StepMeta) throws(IngotError) -> HostTensor {
    let last = Int64(meta.nextPastLength - 1)
    let positions = (0..<meta.inputLength).map { min(Int64(meta.pastLength + $0), last) }
    return try HostTensor(positions, shape: [1, meta.inputLength])
  }

  /// Which rows of the cache, then which new tokens, a token sees: 0 where it sees, the filler elsewhere.
  /// Padding sees nothing.
  /// - Returns: f32 or f16 `[1, 1, S, C + S]`.
  package static func mask(_ meta: StepMeta, _ dtype: DType) throws(IngotError) -> HostTensor {
    let (rows, cache) = (meta.inputLength, meta.cacheLength)
    let columns = cache + rows
    let shape = try Shape(checking: [1, 1, rows, columns])
    var mask = [Float](repeating: filler(dtype), count: shape.count)
    for row in 0..<meta.queryLength {
      let start = row * columns
      for column in 0..<meta.pastLength { mask[start + column] = 0 }
      for column in cache...cache + row { mask[start + column] = 0 }
    }
    guard dtype == .f16 else { return try HostTensor(mask, shape: shape) }
    var halves = [UInt16](repeating: 0, count: mask.count)
    ingot_f32_to_f16(mask, &halves, mask.count)
    return try HostTensor(halves, dtype: .f16, shape: shape)
  }
}
