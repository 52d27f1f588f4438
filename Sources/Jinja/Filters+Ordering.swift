import IngotCore

extension Filters {
  /// Filters that compare items.
  static let ordering: [String: Filter] = [
    "sort": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("sort", ["reverse", "case_sensitive", "attribute"])
      let ignoresCase = !bound[1].isTrue()
      var paths: [AttributePath] = []
      if case .string(let names)? = bound[2] {
        for name in names.split(by: ",", limit: -1) {
          paths.append(try AttributePath(.string(name), ignoresCase: ignoresCase))
        }
      } else {
        paths = [try AttributePath(bound[2], ignoresCase: ignoresCase)]
      }
      var keyed: [(key: Value, item: Value)] = []
      for item in try i.items(value) {
        var keys: [Value] = []
        for path in paths { keys.append(try path.value(of: item, i)) }
        keyed.append((.list(keys), item))
      }
      return try i.list(try sorted(keyed, reverse: bound[0].isTrue(), i))
    },
    "dictsort": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("dictsort", ["case_sensitive", "by", "reverse"])
      let by = try bound[1].text()?.string ?? "key"
      guard by == "key" || by == "value" else {
        throw .python("You can only sort by either \"key\" or \"value\"")
      }
      guard case .dict(let dict) = value else { throw .python("dictsort needs a mapping") }
      let ignoresCase = !bound[0].isTrue()
      let keyed = dict.entries.map { entry -> (key: Value, item: Value) in
        let key = by == "key" ? entry.key : entry.value
        return (ignoresCase ? ignoringCase(key) : key, .tuple([entry.key, entry.value]))
      }
      return try i.list(try sorted(keyed, reverse: bound[2].isTrue(), i))
    },
    "unique": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("unique", ["case_sensitive", "attribute"])
      let path = try AttributePath(bound[1], ignoresCase: !bound[0].isTrue())
      return try generator(i, value) { () throws(IngotError) in
        var seen: Set<Key> = []
        var result: [Value] = []
        for item in try i.items(value) {
          let key = try path.value(of: item, i)
          try i.charge(steps: 1 + key.size / 64)
          if seen.insert(try key.hashable()).inserted { result.append(item) }
        }
        return result
      }
    },
    "min": { (i, value, a) throws(IngotError) in
      try extreme("min", value, a, i) { (new, best) throws(IngotError) in try new.isLess(than: best) }
    },
    "max": { (i, value, a) throws(IngotError) in
      try extreme("max", value, a, i) { (new, best) throws(IngotError) in try best.isLess(than: new) }
    },
    "groupby": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("groupby", ["attribute", "default", "case_sensitive"], required: 1)
      let ignoresCase = !bound[2].isTrue()
      let path = try AttributePath(bound[0], fallback: bound[1])
      var keyed: [(key: Value, item: Value)] = []
      for item in try i.items(value) {
        let key = try path.value(of: item, i)
        keyed.append((ignoresCase ? ignoringCase(key) : key, item))
      }
      let order = try sortedPairs(keyed, reverse: false, i)
      var groups: [Value] = []
      var start = 0
      while start < order.count {
        var end = start + 1
        while end < order.count, order[end].key.equals(order[start].key) { end += 1 }
        let items = order[start..<end].map(\.item)
        let key = ignoresCase ? try path.value(of: items[0], i) : order[start].key
        groups.append(try i.tuple([key, try i.list(items)], names: ["grouper", "list"]))
        start = end
      }
      return try i.list(groups)
    },
  ]

  private static func sorted(
    _ keyed: [(key: Value, item: Value)], reverse: Bool, _ i: Interpreter
  ) throws(IngotError) -> [Value] {
    try sortedPairs(keyed, reverse: reverse, i).map(\.item)
  }

  /// A stable sort; equal items keep their order in reverse as well.
  private static func sortedPairs(
    _ keyed: [(key: Value, item: Value)], reverse: Bool, _ i: Interpreter
  ) throws(IngotError) -> [(key: Value, item: Value)] {
    try keyed.stableSorted { (left, right) throws(IngotError) in
      try i.charge(steps: 1 + min(left.key.size, right.key.size) / 64)
      return reverse ? try right.key.isLess(than: left.key) : try left.key.isLess(than: right.key)
    }
  }

  private static func extreme(
    _ name: String, _ value: Value, _ arguments: Arguments, _ i: Interpreter,
    _ isBetter: (Value, Value) throws(IngotError) -> Bool
  ) throws(IngotError) -> Value {
    let bound = try arguments.bind(name, ["case_sensitive", "attribute"])
    let path = try AttributePath(bound[1], ignoresCase: !bound[0].isTrue())
    var best: (key: Value, item: Value)?
    for item in try i.items(value) {
      let key = try path.value(of: item, i)
      try i.charge(steps: 1 + key.size / 64)
      guard let current = best else {
        best = (key, item)
        continue
      }
      if try isBetter(key, current.key) { best = (key, item) }
    }
    return best?.item ?? .undefined("No aggregated item, sequence was empty.")
  }
}
