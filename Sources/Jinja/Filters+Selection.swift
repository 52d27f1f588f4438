import IngotCore

extension Filters {
  /// Filters that apply other filters and tests to items.
  static let selection: [String: Filter] = [
    "map": { (i, value, a) throws(IngotError) in
      try generator(i, value) { () throws(IngotError) in try map(value, a, i) }
    },
    "select": { (i, value, a) throws(IngotError) in
      try generator(i, value) { () throws(IngotError) in
        try select(value, a, i, byAttribute: false, keeps: true)
      }
    },
    "reject": { (i, value, a) throws(IngotError) in
      try generator(i, value) { () throws(IngotError) in
        try select(value, a, i, byAttribute: false, keeps: false)
      }
    },
    "selectattr": { (i, value, a) throws(IngotError) in
      try generator(i, value) { () throws(IngotError) in
        try select(value, a, i, byAttribute: true, keeps: true)
      }
    },
    "rejectattr": { (i, value, a) throws(IngotError) in
      try generator(i, value) { () throws(IngotError) in
        try select(value, a, i, byAttribute: true, keeps: false)
      }
    },
  ]

  private static func map(
    _ value: Value, _ arguments: Arguments, _ i: Interpreter
  ) throws(IngotError) -> [Value] {
    guard value.isTrue else { return [] }
    var result: [Value] = []
    if arguments.positional.isEmpty, let attribute = arguments.value(named: "attribute") {
      if let other = arguments.keyword.first(where: { $0.name != "attribute" && $0.name != "default" }) {
        throw .python("Unexpected keyword argument '\(other.name)'")
      }
      let path = try AttributePath(attribute, fallback: arguments.value(named: "default"))
      for item in try i.items(value) { result.append(try path.value(of: item, i)) }
      return result
    }
    guard let first = arguments.positional.first else { throw .python("map requires a filter argument") }
    let rest = Arguments(positional: Array(arguments.positional.dropFirst()), keyword: arguments.keyword)
    for item in try i.items(value) {
      guard case .string(let name) = first else { throw .python("no filter named \(first.typeName)") }
      try i.charge(steps: 1)
      result.append(try i.filter(name.string, item, rest))
    }
    return result
  }

  private static func select(
    _ value: Value, _ arguments: Arguments, _ i: Interpreter, byAttribute: Bool, keeps: Bool
  ) throws(IngotError) -> [Value] {
    guard value.isTrue else { return [] }
    var positional = arguments.positional[...]
    var path = try AttributePath(nil)
    if byAttribute {
      guard let attribute = positional.popFirst() else {
        throw .python("Missing parameter for attribute name")
      }
      path = try AttributePath(attribute)
    }
    let test = positional.popFirst()
    let rest = Arguments(positional: Array(positional), keyword: arguments.keyword)
    var result: [Value] = []
    for item in try i.items(value) {
      try i.charge(steps: 1)
      let tested = try path.value(of: item, i)
      let passes: Bool
      if let test {
        guard case .string(let name) = test else { throw .python("no test named \(test.typeName)") }
        passes = try i.test(name.string, tested, rest)
      } else {
        passes = tested.isTrue
      }
      if passes == keeps { result.append(item) }
    }
    return result
  }
}
