internal import CKernels
internal import Checkpoints
internal import IngotCore

/// What the bytes of a cache's pages mean: two engines of the same weights whose layouts are equal can exchange them.
public struct CacheLayout: Sendable, Hashable {
  /// The heads of one layer.
  public struct Layer: Sendable, Hashable {
    /// Heads of keys and values.
    public var kvHeads: Int
    /// Width of a head.
    public var headDim: Int

    /// Takes both.
    public init(kvHeads: Int, headDim: Int) { (self.kvHeads, self.headDim) = (kvHeads, headDim) }
  }

  /// Element type.
  public var kvType: KVType
  /// The layers in order.
  public var layers: [Layer]
  /// Tokens of a page.
  public var pageTokens: Int
  /// Whether activations are rounded to 8 bits before they meet integer weights.
  public var roundsActivations: Bool
  /// A digest of the rotary tables that keys are turned by: what the planned length has chosen.
  public var angles: String

  /// Takes all parts.
  public init(kvType: KVType, layers: [Layer], pageTokens: Int, roundsActivations: Bool, angles: String) {
    (self.kvType, self.layers, self.pageTokens) = (kvType, layers, pageTokens)
    (self.roundsActivations, self.angles) = (roundsActivations, angles)
  }

  /// Pages of so many tokens.
  public func pageCount(tokens: Int) -> Int { (tokens + pageTokens - 1) / pageTokens }

  /// Bytes of one page of all layers.
  public var pageBytes: Int {
    layers.reduce(0) { $0 + ingot_page_bytes(kvType.kernelType, Int64($1.kvHeads), Int64($1.headDim)) }
  }

  /// Why rows of this layout cannot be used where `other` is wanted; nil when they can.
  public func mismatch(wanted other: CacheLayout) -> String? {
    if kvType != other.kvType {
      return "its key/value type is \(kvType.rawValue), this engine's is \(other.kvType.rawValue)"
    }
    if layers != other.layers || pageTokens != other.pageTokens {
      return "its cache has \(layers.count) layers in another shape than this engine's \(other.layers.count)"
    }
    if roundsActivations != other.roundsActivations {
      return "only one of the two was computed with activations rounded to 8 bits"
    }
    if angles != other.angles {
      return "its rotary tables were chosen for another planned length"
    }
    return nil
  }
}

extension RotaryTables {
  /// A digest of the angles behind a table index, the same in every process.
  func digest(_ index: Int) -> String { digest(variants[index].angles) }

  /// A digest of the angles that a planned length leads to.
  func digest(plannedLength: Int) throws(IngotError) -> String {
    digest(try angles(plannedLength: plannedLength))
  }

  private func digest(_ angles: [RotaryFrequencies]) -> String {
    var bytes: [UInt8] = []
    func append(_ word: UInt32) { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
    for (name, table) in zip(names, angles).sorted(by: { $0.0 < $1.0 }) {
      append(UInt32(truncatingIfNeeded: name.utf8.count))
      bytes += name.utf8
      append(UInt32(truncatingIfNeeded: table.inverseFrequencies.count))
      for frequency in table.inverseFrequencies { append(frequency.bitPattern) }
      append(table.attentionFactor.bitPattern)
    }
    return bytes.withUnsafeBytes { bytes in
      [UInt64(0), 1].map { seed in
        let digits = String(ingot_hash64(bytes.baseAddress, bytes.count, seed), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }.joined()
    }
  }
}
