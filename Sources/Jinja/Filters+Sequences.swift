import IngotCore

extension Filters {
  static let sequences: [String: Filter] = [
    "default": fallback, "d": fallback, "length": length, "count": length,
    "first": { (i, value, a) throws(IngotError) in
      _ = try a.bind("first", [])
      return try i.iterator(value).next() ?? .undefined("No first item, sequence was empty.")
    },
    "last": { (i, value, a) throws(IngotError) in
      _ = try a.bind("last", [])
      return try reversed(value, i)?.first ?? .undefined("No last item, sequence was empty.")
    },
    "list": { (i, value, a) throws(IngotError) in
      _ = try a.bind("list", [])
      return try i.list(try i.items(value))
    },
    "reverse": { (i, value, a) throws(IngotError) in
      _ = try a.bind("reverse", [])
      if case .string(let text) = value { return .string(Text(text.scalars.reversed()).markup(like: text)) }
      guard let items = try reversed(value, i, allowsGenerators: true) else {
        return try i.list(try i.items(value).reversed())
      }
      return try generator(i, value) { () throws(IngotError) in items }
    },
    "join": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("join", ["d", "attribute"])
      let separator = try i.text(bound[0] ?? .string(""))
      let path = try AttributePath(bound[1])
      var parts: [Text] = []
      for item in try i.items(value) { parts.append(try i.text(try path.value(of: item, i))) }
      return .string(try StringMethods.join(parts, with: separator, i))
    },
    "sum": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("sum", ["attribute", "start"])
      let path = try AttributePath(bound[0])
      var total = bound[1] ?? .int(0)
      if case .string = total { throw .python("sum() can't sum strings [use ''.join(seq) instead]") }
      for item in try i.items(value) { total = try total.applying(.add, try path.value(of: item, i), i) }
      return total
    },
    "items": { (i, value, a) throws(IngotError) in
      _ = try a.bind("items", [])
      return try generator(i, value) { () throws(IngotError) in
        if value.isUndefined { return [] }
        guard case .dict(let dict) = value else { throw .python("Can only get item pairs from a mapping.") }
        return dict.entries.map { .tuple([$0.key, $0.value]) }
      }
    },
    "attr": { (i, value, a) throws(IngotError) in
      let name = try a.bind("attr", ["name"], required: 1)[0]!
      guard case .string(let name) = name else { throw .python("attribute name must be string") }
      if case .dict = value, !ContainerMethods.dictNames.contains(name.string) {
        return .undefined("'dict object' has no attribute '\(name.string)'")
      }
      return try i.attribute(name.string, of: value)
    },
    "batch": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("batch", ["linecount", "fill_with"], required: 1)
      return try generator(i, value) { () throws(IngotError) in
        try batch(try i.items(value), bound[0]!, bound[1] ?? Value.none, i)
      }
    },
    "slice": { (i, value, a) throws(IngotError) in
      let bound = try a.bind("slice", ["slices", "fill_with"], required: 1)
      return try generator(i, value) { () throws(IngotError) in
        try slice(try i.items(value), try bound[0].int(or: 0), bound[1] ?? Value.none, i)
      }
    },
  ]

  private static let fallback: Filter = { (_, value, a) throws(IngotError) in
    let bound = try a.bind("default", ["default_value", "boolean"])
    let isMissing = value.isUndefined || bound[1].isTrue() && !value.isTrue
    return isMissing ? bound[0] ?? .string("") : value
  }

  private static let length: Filter = { (_, value, a) throws(IngotError) in
    _ = try a.bindPositional("length", 0...0)
    guard let length = value.length else { throw .python("object of type '\(value.typeName)' has no len()") }
    return .int(length)
  }

  /// Python's `reversed`; nil for what can only be walked forward, when that is allowed.
  private static func reversed(
    _ value: Value, _ i: Interpreter, allowsGenerators: Bool = false
  ) throws(IngotError) -> [Value]? {
    switch value {
    case .list, .tuple, .dict, .string: return try i.items(value).reversed()
    case .undefined: return []
    case .object(let object):
      if object.length != nil { return try i.items(value).reversed() }
      if allowsGenerators { return nil }
    case .none, .bool, .int, .float: break
    }
    throw .python("'\(value.typeName)' object is not reversible")
  }

  private static func batch(
    _ items: [Value], _ size: Value, _ fill: Value, _ i: Interpreter
  ) throws(IngotError) -> [Value] {
    // Python compares lengths with whatever was given: what is no number is never reached.
    let count = size.integer
    var batches: [Value] = []
    var current: [Value] = []
    for item in items {
      if current.count == count {
        batches.append(try i.list(current))
        current = []
      }
      current.append(item)
    }
    if !current.isEmpty {
      if !fill.isNone {
        guard let count else { throw .python("batch needs an integer to fill up to") }
        if current.count >= count { return batches + [try i.list(current)] }
        try i.charge(bytes: 16, times: count)
        current += Array(repeating: fill, count: count - current.count)
      }
      batches.append(try i.list(current))
    }
    return batches
  }

  private static func slice(
    _ items: [Value], _ slices: Int, _ fill: Value, _ i: Interpreter
  ) throws(IngotError) -> [Value] {
    guard slices != 0 else { throw .python("integer division or modulo by zero") }
    try i.charge(bytes: 64, times: slices)
    guard slices > 0 else { return [] }
    let (size, extra) = items.count.quotientAndRemainder(dividingBy: slices)
    var parts: [Value] = []
    var start = 0
    for index in 0..<slices {
      let end = start + size + (index < extra ? 1 : 0)
      var part = Array(items[start..<end])
      if !fill.isNone && index >= extra { part.append(fill) }
      parts.append(try i.list(part))
      start = end
    }
    return parts
  }
}
