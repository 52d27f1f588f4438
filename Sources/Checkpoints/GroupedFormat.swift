package import CKernels
public import IngotCore

/// Weights as integers of 4 or 8 bits in groups along the last dimension; a group has a scale and may have a
/// minimum, both f16: w = scale · q, or w = scale · q + minimum.
///
/// What our quantiser makes, and what checkpoints quantised by AWQ, GPTQ or compressed-tensors hold. `ingot_grouped.h`
/// has the layout.
public struct GroupedFormat: Sendable, Hashable {
  /// Bits of an integer: 4 or 8.
  public let bits: Int
  /// Weights that share a scale: 32, 64 or 128.
  public let groupSize: Int
  /// Whether a group has a minimum; otherwise the integers lie around zero.
  public let hasMinimum: Bool

  /// Checks and takes the numbers.
  /// - Throws: `.argument` for bits other than 4 and 8 or a group other than 32, 64 and 128.
  public init(bits: Int, groupSize: Int, hasMinimum: Bool) throws(IngotError) {
    guard bits == 4 || bits == 8 else {
      throw IngotError(.argument, "integers of \(bits) bits are not supported; 4 and 8 are")
    }
    guard [32, 64, 128].contains(groupSize) else {
      throw IngotError(.argument, "the group size is \(groupSize); it can be 32, 64 or 128")
    }
    (self.bits, self.groupSize, self.hasMinimum) = (bits, groupSize, hasMinimum)
  }

  /// Bytes of a group.
  public var groupBytes: Int { ingot_grouped_bytes(kernelFormat) }

  /// The format as the kernels take it.
  package var kernelFormat: ingot_grouped {
    ingot_grouped(bits: Int32(bits), group: Int32(groupSize), minimum: hasMinimum ? 1 : 0)
  }
}

extension GroupedFormat: CustomStringConvertible {
  /// As `int4 g64 asymmetric`.
  public var description: String { "int\(bits) g\(groupSize)\(hasMinimum ? " asymmetric" : "")" }
}
