/// Places buffers with known lifetimes in one block of memory so that those alive together do not overlap.
///
/// Greedy by size: the largest buffer is placed first, each at the lowest offset free during its life.
/// Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, algorithm 3.
package struct ArenaPlanner {
  /// A buffer and the steps, both included, between which its contents matter.
  package struct Request {
    package var byteCount: Int
    package var firstStep: Int
    package var lastStep: Int

    package init(byteCount: Int, firstStep: Int, lastStep: Int) {
      (self.byteCount, self.firstStep, self.lastStep) = (byteCount, firstStep, lastStep)
    }
  }

  /// Offset of each request, in their order.
  package private(set) var offsets: [Int]
  /// Bytes of the whole.
  package private(set) var byteCount = 0
  private let requests: [Request]

  /// Every buffer starts at a multiple of this, a cache line.
  static let alignment = 64

  package init(_ requests: [Request]) {
    self.requests = requests
    offsets = [Int](repeating: 0, count: requests.count)
    var placed: [Int] = []
    let largestFirst = requests.indices.sorted { (requests[$0].byteCount, $1) > (requests[$1].byteCount, $0) }
    for index in largestFirst {
      let neighbours = placed.filter { requests[$0].overlapsInTime(requests[index]) }
        .sorted { offsets[$0] < offsets[$1] }
      var offset = 0
      for neighbour in neighbours {
        if offset + requests[index].byteCount <= offsets[neighbour] { break }
        offset = max(offset, Self.align(offsets[neighbour] + requests[neighbour].byteCount))
      }
      offsets[index] = offset
      byteCount = max(byteCount, Self.align(offset + requests[index].byteCount))
      placed.append(index)
    }
  }

  private static func align(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

  /// Checks that no two buffers share a byte while both are alive. For tests.
  package func checkInvariants() {
    for (i, a) in requests.enumerated() {
      precondition(offsets[i] % Self.alignment == 0 && offsets[i] + a.byteCount <= byteCount)
      for j in 0..<i where a.overlapsInTime(requests[j]) && a.byteCount > 0 && requests[j].byteCount > 0 {
        precondition(
          offsets[i] + a.byteCount <= offsets[j] || offsets[j] + requests[j].byteCount <= offsets[i],
          "buffers \(i) and \(j) overlap")
      }
    }
  }
}

extension ArenaPlanner.Request {
  fileprivate func overlapsInTime(_ other: Self) -> Bool {
    firstStep <= other.lastStep && other.firstStep <= lastStep
  }
}
