extension BPE {
  /// Longest piece, in symbols, for which scanning all pairs before each merge is faster than a heap.
  static let scanLimit = 48

  /// Merges in place by looking for the lowest rank each time.
  /// - Returns: the number of symbols left.
  func mergeByScanning(_ symbols: inout [UInt32], _ pairs: inout [MergeTable.Merge]) -> Int {
    let total = symbols.count
    guard total > 1 else { return total }
    if pairs.count < total {
      pairs = [MergeTable.Merge](repeating: .none, count: max(total, Self.scanLimit))
    }
    return symbols.withUnsafeMutableBufferPointer { symbols in
      pairs.withUnsafeMutableBufferPointer { pairs in
        var count = total
        for index in 0..<count &- 1 { pairs[index] = merges.merge(symbols[index], symbols[index &+ 1]) }
        while count > 1 {
          var best = 0
          var rank = UInt32.max
          for index in 0..<count &- 1 where pairs[index].rank < rank {
            rank = pairs[index].rank
            best = index
          }
          if rank == .max { break }
          symbols[best] = pairs[best].symbol
          count &-= 1
          var index = best &+ 1
          while index < count {
            symbols[index] = symbols[index &+ 1]
            pairs[index &- 1] = pairs[index]
            index &+= 1
          }
          if best < count &- 1 { pairs[best] = merges.merge(symbols[best], symbols[best &+ 1]) }
          if best > 0 { pairs[best &- 1] = merges.merge(symbols[best &- 1], symbols[best]) }
        }
        return count
      }
    }
  }

  /// Merges in place with a heap of candidate pairs over a linked list of symbols.
  /// - Returns: the number of symbols left.
  func mergeByHeap(_ symbols: inout [UInt32]) -> Int {
    let total = symbols.count
    guard total > 1 else { return total }
    // Neighbours by index; -1 for none. A merged-away symbol has itself as its next.
    var next = (1...total).map { Int32(truncatingIfNeeded: $0 == total ? -1 : $0) }
    var previous = (0..<total).map { Int32(truncatingIfNeeded: $0 - 1) }
    var heap = PairHeap()
    return symbols.withUnsafeMutableBufferPointer { symbols in
      next.withUnsafeMutableBufferPointer { next in
        previous.withUnsafeMutableBufferPointer { previous in
          func push(_ left: Int, _ right: Int) {
            let rank = merges.merge(symbols[left], symbols[right]).rank
            if rank != .max { heap.push(UInt64(rank) << 32 | UInt64(left)) }
          }
          for index in 0..<total - 1 { push(index, index + 1) }
          while let entry = heap.pop() {
            let left = Int(entry & 0xFFFF_FFFF)
            let right = Int(next[left])
            guard right >= 0, right != left else { continue }
            let merge = merges.merge(symbols[left], symbols[right])
            // A pair that has since changed.
            guard UInt64(merge.rank) == entry >> 32 else { continue }
            symbols[left] = merge.symbol
            let after = Int(next[right])
            next[left] = Int32(truncatingIfNeeded: after)
            next[right] = Int32(truncatingIfNeeded: right)
            if after >= 0 {
              previous[after] = Int32(truncatingIfNeeded: left)
              push(left, after)
            }
            if previous[left] >= 0 { push(Int(previous[left]), left) }
          }
          var count = 0
          var index = 0
          while index >= 0 {
            symbols[count] = symbols[index]
            count += 1
            index = Int(next[index])
          }
          return count
        }
      }
    }
  }
}

/// A binary min-heap of candidate merges: rank in the upper half of a key, position in the lower.
struct PairHeap {
  private var keys: [UInt64] = []

  mutating func push(_ key: UInt64) {
    keys.append(key)
    keys.withUnsafeMutableBufferPointer { keys in
      var child = keys.count &- 1
      while child > 0 {
        let parent = (child &- 1) / 2
        guard keys[parent] > key else { break }
        keys[child] = keys[parent]
        child = parent
      }
      keys[child] = key
    }
  }

  mutating func pop() -> UInt64? {
    guard let least = keys.first, let last = keys.popLast() else { return nil }
    guard !keys.isEmpty else { return least }
    keys.withUnsafeMutableBufferPointer { keys in
      var parent = 0
      while true {
        var child = 2 &* parent &+ 1
        guard child < keys.count else { break }
        if child &+ 1 < keys.count, keys[child &+ 1] < keys[child] { child &+= 1 }
        guard keys[child] < last else { break }
        keys[parent] = keys[child]
        parent = child
      }
      keys[parent] = last
    }
    return least
  }
}
