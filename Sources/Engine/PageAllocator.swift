package import IngotCore

/// Which pages are free, and how many sequences hold each of the others.
package struct PageAllocator {
  private var free: [Int32]
  private var counts: [Int32]

  package init(pageCount: Int) {
    free = (0..<Int32(pageCount)).reversed()
    counts = [Int32](repeating: 0, count: pageCount)
  }

  package var freeCount: Int { free.count }

  package mutating func allocate() throws(IngotError) -> Int32 {
    guard let page = free.popLast() else {
      throw IngotError(
        .limit,
        "the key/value cache is full: all \(counts.count) pages of \(KVCache.pageTokens) tokens are in use",
        hint: "use a larger context (-c) or fewer sequences")
    }
    counts[Int(page)] = 1
    return page
  }

  package mutating func retain(_ page: Int32) { counts[Int(page)] += 1 }

  package mutating func release(_ page: Int32) {
    counts[Int(page)] -= 1
    precondition(counts[Int(page)] >= 0, "page \(page) released too often")
    if counts[Int(page)] == 0 { free.append(page) }
  }

  package func users(of page: Int32) -> Int { Int(counts[Int(page)]) }

  /// Checks that every page is either free or held, once. For tests.
  package func checkInvariants() {
    precondition(Set(free).count == free.count, "a page is free twice")
    for page in counts.indices {
      precondition((counts[page] == 0) == free.contains(Int32(page)), "page \(page) is neither free nor held")
    }
  }
}
