public import IngotCore

/// Finds the first of several stop strings in text that arrives in pieces of any size.
///
/// Text that may be the beginning of a stop string is held back until that is settled; text before a stop
/// string is handed out, the stop string and all behind it is not. Where several end at the same byte, the
/// longest counts. Linear in the text: an automaton over bytes.
/// Source: Aho and Corasick, doi:10.1145/360825.360855.
public struct StopMatcher: Sendable {
  private struct Node: Sendable {
    /// The node of the longest proper suffix that begins a stop string.
    var fallback = 0
    /// Bytes from the root.
    var depth = 0
    /// The longest stop string that ends here.
    var match: Int?
  }

  private let stops: [String]
  private var nodes = [Node()]
  /// Node and byte to node: `node * 256 + byte`.
  private var edges: [Int: Int] = [:]
  private var node = 0
  private var held: [UInt8] = []

  /// Matches stop strings, of which there may be none.
  /// - Throws: `.argument` for an empty one.
  public init(_ stops: [String]) throws(IngotError) {
    self.stops = stops
    for (index, stop) in stops.enumerated() {
      guard !stop.isEmpty else { throw IngotError(.argument, "a stop string is empty") }
      insert(Array(stop.utf8), index)
    }
    linkFallbacks()
  }

  /// What came of a piece of text.
  public struct Output: Sendable, Equatable {
    /// Text that is certain not to belong to a stop string.
    public var text: String
    /// The stop string that has been found, if any; then the text is over.
    public var stop: String?

    /// Pairs both.
    public init(text: String, stop: String? = nil) { (self.text, self.stop) = (text, stop) }
  }

  /// Takes the next piece.
  public mutating func push(_ piece: String) -> Output {
    if nodes.count == 1 { return Output(text: piece) }
    for byte in piece.utf8 {
      held.append(byte)
      node = next(node, byte)
      if let stop = nodes[node].match {
        held.removeLast(stops[stop].utf8.count)
        return Output(text: take(held.count), stop: stops[stop])
      }
    }
    return Output(text: take(held.count - nodes[node].depth))
  }

  /// Ends the text.
  /// - Returns: what was held back.
  public mutating func finish() -> String { take(held.count) }

  private mutating func take(_ count: Int) -> String {
    let text = String(decoding: held[..<count], as: UTF8.self)
    held.removeFirst(count)
    return text
  }

  private mutating func insert(_ bytes: [UInt8], _ index: Int) {
    var node = 0
    for byte in bytes {
      let key = node << 8 | Int(byte)
      if let known = edges[key] {
        node = known
      } else {
        nodes.append(Node(depth: nodes[node].depth + 1))
        edges[key] = nodes.count - 1
        node = nodes.count - 1
      }
    }
    nodes[node].match = nodes[node].match ?? index
  }

  /// Breadth first, since a fallback is nearer to the root.
  private mutating func linkFallbacks() {
    let byDepth = edges.sorted { nodes[$0.value].depth < nodes[$1.value].depth }
    for (key, child) in byDepth {
      let parent = key >> 8
      guard parent > 0 else { continue }
      let fallback = next(nodes[parent].fallback, UInt8(key & 0xFF))
      nodes[child].fallback = fallback
      nodes[child].match = nodes[child].match ?? nodes[fallback].match
    }
  }

  private func next(_ start: Int, _ byte: UInt8) -> Int {
    var node = start
    while true {
      if let child = edges[node << 8 | Int(byte)] { return child }
      if node == 0 { return 0 }
      node = nodes[node].fallback
    }
  }
}
