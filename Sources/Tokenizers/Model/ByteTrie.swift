/// Byte strings by their prefixes.
struct ByteTrie: Sendable {
  /// From node and byte to node; the root is node 0.
  private let edges: MergeTable
  /// The value at each node; -1 for none.
  private var values: [Int32] = [-1]
  private var starts = [Bool](repeating: false, count: 256)

  init(byteCapacity: Int) { edges = MergeTable(capacity: byteCapacity) }

  /// Adds a string; of equal ones the first counts, unless `replaces`.
  mutating func insert(_ string: some Collection<UInt8>, value: Int, replaces: Bool = false) {
    guard let first = string.first else { return }
    starts[Int(first)] = true
    var node: UInt32 = 0
    for byte in string {
      let known = edges.merge(node, UInt32(byte)).symbol
      if known != .max {
        node = known
      } else {
        let new = UInt32(values.count)
        edges.set(node, UInt32(byte), rank: 0, symbol: new)
        values.append(-1)
        node = new
      }
    }
    if values[Int(node)] < 0 || replaces { values[Int(node)] = Int32(truncatingIfNeeded: value) }
  }

  /// Calls `body(value, end)` for every string that stands at a position, the shortest first.
  @inline(__always)
  func forEachPrefix(
    _ bytes: UnsafeBufferPointer<UInt8>, at start: Int, _ body: (_ value: Int, _ end: Int) -> Void
  ) {
    guard starts[Int(bytes[start])] else { return }
    var node: UInt32 = 0
    var position = start
    while position < bytes.count {
      node = edges.merge(node, UInt32(bytes[position])).symbol
      if node == .max { return }
      position &+= 1
      let value = values[Int(node)]
      if value >= 0 { body(Int(value), position) }
    }
  }
}
