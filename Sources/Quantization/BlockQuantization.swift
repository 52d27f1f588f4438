public import IngotCore

/// Integer weights with one scale per group of inputs: w = (q - zero) · scale.
public struct BlockQuantization: Sendable, Hashable {
  /// Bits of an integer: 4 or 8.
  public let bits: Int
  /// Inputs that share a scale: 32, 64 or 128; nil for all inputs of an output ("per channel").
  public let groupSize: Int?
  /// Whether zero is the middle of the range (8 or 128) and not chosen per group.
  public let isSymmetric: Bool

  /// Checks and takes the numbers.
  /// - Throws: `.argument` for bits other than 4 and 8 or a group other than 32, 64 and 128.
  public init(bits: Int, groupSize: Int?, isSymmetric: Bool) throws(IngotError) {
    guard bits == 4 || bits == 8 else {
      throw IngotError(.argument, "\(bits)-bit weights are not made; 4 and 8 are")
    }
    if let groupSize, ![32, 64, 128].contains(groupSize) {
      throw IngotError(.argument, "the group size is \(groupSize); it can be 32, 64 or 128")
    }
    (self.bits, self.groupSize, self.isSymmetric) = (bits, groupSize, isSymmetric)
  }

  /// Groups of a row of `inputs` weights; the last may be shorter.
  public func groupCount(inputs: Int) -> Int {
    groupSize.map { (inputs + $0 - 1) / $0 } ?? 1
  }
}
