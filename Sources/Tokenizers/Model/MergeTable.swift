import IngotCore

/// The merges of a byte-pair encoding: for two neighbouring symbols, the rank of their merge and the
/// symbol it makes. Open addressing over the pair as a 64-bit key.
final class MergeTable: @unchecked Sendable {
  struct Merge {
    /// The lower, the earlier.
    var rank: UInt32
    var symbol: UInt32
    /// The rank of pairs that do not merge.
    static let none = Merge(rank: .max, symbol: .max)
  }

  private struct Slot {
    var key: UInt64
    var merge: Merge
  }

  // `.max` as a key is two absent symbols: a free slot.
  private static let free = UInt64.max
  private var slots: UnsafeMutableBufferPointer<Slot>
  private var mask: Int
  /// Number of pairs.
  private(set) var count = 0

  init(capacity: Int) {
    var slotCount = 16
    while slotCount * 5 < capacity * 8 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: Slot(key: Self.free, merge: .none))
    mask = slotCount - 1
  }

  deinit { slots.deallocate() }

  @inline(__always) private static func key(_ left: UInt32, _ right: UInt32) -> UInt64 {
    UInt64(left) << 32 | UInt64(right)
  }

  /// Sets the merge of a pair; of a repeated pair the last counts. Only while the table is built.
  func set(_ left: UInt32, _ right: UInt32, rank: UInt32, symbol: UInt32) {
    if (count + 1) * 8 > slots.count * 5 { grow() }
    insert(Slot(key: Self.key(left, right), merge: Merge(rank: rank, symbol: symbol)))
  }

  private func insert(_ new: Slot) {
    var index = Int(truncatingIfNeeded: Hash.mix(new.key)) & mask
    while slots[index].key != Self.free, slots[index].key != new.key { index = (index + 1) & mask }
    if slots[index].key == Self.free { count += 1 }
    slots[index] = new
  }

  private func grow() {
    let old = slots
    slots = .allocate(capacity: old.count * 2)
    slots.initialize(repeating: Slot(key: Self.free, merge: .none))
    mask = slots.count - 1
    count = 0
    for slot in old where slot.key != Self.free { insert(slot) }
    old.deallocate()
  }

  /// The merge of a pair; `.none` when there is none.
  @inline(__always) func merge(_ left: UInt32, _ right: UInt32) -> Merge {
    let key = Self.key(left, right)
    let base = slots.baseAddress!
    var index = Int(truncatingIfNeeded: Hash.mix(key)) & mask
    while true {
      let slot = base[index]
      if slot.key == key { return slot.merge }
      if slot.key == Self.free { return .none }
      index = (index &+ 1) & mask
    }
  }

  /// Calls `body` with every pair, in no particular order.
  func forEachPair(_ body: (UInt32, UInt32) -> Void) {
    for slot in slots where slot.key != Self.free {
      body(UInt32(slot.key >> 32), UInt32(truncatingIfNeeded: slot.key))
    }
  }
}
