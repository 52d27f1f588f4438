internal import Graph
internal import IngotCore

/// The values of a plan's named dims for one forward, in the order of `SymbolTable.names`.
struct Sizes {
  var values: (Int, Int, Int, Int) = (0, 0, 0, 0)
}

/// The named dims of a plan, at most four: `tokens`, `rows`, `batch`, `blocks` for a decoder.
struct SymbolTable {
  let names: [String]

  init(_ graph: Graph) throws(IngotError) {
    var names: Set<String> = []
    for node in graph.nodes {
      for type in node.types { for dim in type.dims { names.formUnion(dim.terms.map(\.name)) } }
    }
    guard names.count <= 4 else {
      throw IngotError(
        .unsupported,
        "\(names.count) named dims (\(names.sorted().joined(separator: ", "))); the engine takes 4")
    }
    self.names = names.sorted()
  }

  /// The values of the names.
  /// - Throws: `.argument` when one is missing.
  func sizes(_ values: [String: Int]) throws(IngotError) -> Sizes {
    var sizes = Sizes()
    for (index, name) in names.enumerated() {
      guard let value = values[name] else { throw IngotError(.argument, "no size given for dim \"\(name)\"") }
      switch index {
      case 0: sizes.values.0 = value
      case 1: sizes.values.1 = value
      case 2: sizes.values.2 = value
      default: sizes.values.3 = value
      }
    }
    return sizes
  }

  func extent(_ dim: Dim) -> Extent {
    var factors = (0, 0, 0, 0)
    for term in dim.terms {
      switch names.firstIndex(of: term.name) {
      case 0: factors.0 = term.factor
      case 1: factors.1 = term.factor
      case 2: factors.2 = term.factor
      default: factors.3 = term.factor
      }
    }
    return Extent(constant: dim.constant, factors: factors)
  }
}

/// A `Dim` resolved against a symbol table: evaluated for every forward without a look-up.
struct Extent {
  var constant: Int
  var factors: (Int, Int, Int, Int)

  static func fixed(_ value: Int) -> Extent { Extent(constant: value, factors: (0, 0, 0, 0)) }

  func value(_ sizes: Sizes) -> Int {
    constant + factors.0 * sizes.values.0 + factors.1 * sizes.values.1 + factors.2 * sizes.values.2
      + factors.3 * sizes.values.3
  }
}
