/// Values by texts of tokens, in a tree whose edges are runs of tokens: what begins alike is stored once.
///
/// Every leaf has a value. Not to be used from two threads at once.
final class RadixTree<Value> {
  final class Node {
    /// The tokens that lead here from the parent; none at the root.
    fileprivate(set) var edge: ArraySlice<Int>
    fileprivate(set) weak var parent: Node?
    /// By the first token of their edges.
    fileprivate(set) var children: [Int: Node] = [:]
    var value: Value?

    fileprivate init(_ edge: ArraySlice<Int>, parent: Node?) { (self.edge, self.parent) = (edge, parent) }

    /// Tokens from the root to here.
    var depth: Int { edge.count + (parent?.depth ?? 0) }

    /// This node and all above it that have values, from here upwards.
    var valuedPath: [Node] {
      var path: [Node] = []
      var node: Node? = self
      while let current = node {
        if current.value != nil { path.append(current) }
        node = current.parent
      }
      return path
    }

    /// All nodes from here down that have values.
    var valued: [Node] {
      var (found, open): ([Node], [Node]) = ([], [self])
      while let node = open.popLast() {
        if node.value != nil { found.append(node) }
        open += node.children.values
      }
      return found
    }
  }

  private let root = Node([], parent: nil)

  /// All nodes that have values, in no particular order.
  var valued: [Node] { root.valued }

  /// How many of the tokens begin a text of the tree, and a node all of whose texts begin with them.
  func longestPrefix(of tokens: [Int]) -> (count: Int, node: Node) {
    var (node, count) = (root, 0)
    while count < tokens.count, let child = node.children[tokens[count]] {
      let common = zip(child.edge, tokens[count...]).prefix { $0 == $1 }.count
      (node, count) = (child, count + common)
      if common < child.edge.count { break }
    }
    return (count, node)
  }

  /// The node of a text, made where there is none; it must be given a value.
  func node(for tokens: [Int]) -> Node {
    var (node, count) = (root, 0)
    while count < tokens.count {
      guard let child = node.children[tokens[count]] else {
        let leaf = Node(tokens[count...], parent: node)
        node.children[tokens[count]] = leaf
        return leaf
      }
      let common = zip(child.edge, tokens[count...]).prefix { $0 == $1 }.count
      node = common < child.edge.count ? split(child, at: common) : child
      count += common
    }
    return node
  }

  /// Takes a node's value away, and with it what of the tree nobody needs any more.
  func removeValue(of node: Node) {
    node.value = nil
    guard let parent = node.parent else { return }
    if node.children.isEmpty {
      parent.children[node.edge[node.edge.startIndex]] = nil
      if parent.value == nil { join(parent) }
    } else {
      join(node)
    }
  }

  /// Cuts the edge of a node in two.
  /// - Returns: the new node in between.
  private func split(_ node: Node, at count: Int) -> Node {
    let middle = Node(node.edge.prefix(count), parent: node.parent)
    node.parent?.children[middle.edge[middle.edge.startIndex]] = middle
    node.edge = node.edge.dropFirst(count)
    node.parent = middle
    middle.children[node.edge[node.edge.startIndex]] = node
    return middle
  }

  /// Makes one edge of those to and from a node that has one child and no value.
  private func join(_ node: Node) {
    guard let parent = node.parent, node.children.count == 1, let child = node.children.values.first else {
      return
    }
    child.edge = ArraySlice(Array(node.edge) + child.edge)
    child.parent = parent
    parent.children[child.edge[child.edge.startIndex]] = child
  }
}
