package import CKernels
public import Checkpoints
public import IngotCore

/// Rounds rows of floats to grouped integers, searching the range that loses least; see `ingot_quantize_grouped`.
public struct GroupedQuantizer: Sendable {
  /// What has a scale of its own.
  public enum Sharing: Sendable {
    case group
    /// All of a row, around zero; its groups repeat the scale.
    case channel
  }

  /// What the rows become.
  public let format: GroupedFormat
  /// What has a scale of its own.
  public let sharing: Sharing
  private let isa = ingot_isa_best()

  /// A quantiser of a format.
  /// - Precondition: a format with minimums has them for each group.
  public init(_ format: GroupedFormat, sharing: Sharing = .group) {
    precondition(sharing == .group || !format.hasMinimum)
    (self.format, self.sharing) = (format, sharing)
  }

  /// Bytes of a row of `count` weights.
  public func rowBytes(count: Int) -> Int { count / format.groupSize * format.groupBytes }

  /// Rounds a row.
  /// - Parameters:
  ///   - values: weights, a multiple of the group.
  ///   - target: room for `rowBytes(count:)`.
  /// - Throws: `.unsupported` for weights that are not finite or beyond what a 16-bit scale holds.
  public func quantize(
    _ values: UnsafeBufferPointer<Float>, into target: UnsafeMutableRawBufferPointer
  ) throws(IngotError) {
    precondition(values.count % format.groupSize == 0 && target.count >= rowBytes(count: values.count))
    guard let base = target.baseAddress, !values.isEmpty else { return }
    let groups = Int64(values.count / format.groupSize)
    let status =
      switch sharing {
      case .group: ingot_quantize_grouped(isa, format.kernelFormat, values.baseAddress, groups, base)
      case .channel: ingot_quantize_channel(isa, format.kernelFormat, values.baseAddress, groups, base)
      }
    try Self.check(status)
  }

  /// - Throws: `.unsupported` for what a kernel refused.
  package static func check(_ status: ingot_quantized) throws(IngotError) {
    switch status {
    case INGOT_QUANTIZED: return
    case INGOT_SCALE_TOO_LARGE:
      throw IngotError(.unsupported, "weights are too large for integers with 16-bit scales")
    default: throw IngotError(.unsupported, "a weight is NaN or infinite; integers cannot stand for it")
    }
  }
}
