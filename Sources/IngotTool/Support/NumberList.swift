import ArgumentParser
import Ingot

/// Numbers as a list, as `0,4096`.
struct NumberList: ExpressibleByArgument {
  var numbers: [Int]

  init(_ numbers: [Int]) { self.numbers = numbers }

  init?(argument: String) {
    let fields = argument.split(separator: ",", omittingEmptySubsequences: false)
    numbers = fields.compactMap { Int($0) }
    guard numbers.count == fields.count else { return nil }
  }

  var defaultValueDescription: String { numbers.map(String.init).joined(separator: ",") }
}

/// Element types of the cache as a list, as `f16,f32`.
struct KVTypeList: ExpressibleByArgument {
  var types: [KVType]

  init(_ types: [KVType]) { self.types = types }

  init?(argument: String) {
    let fields = argument.split(separator: ",", omittingEmptySubsequences: false)
    types = fields.compactMap { KVType(named: String($0)) }
    guard types.count == fields.count else { return nil }
  }

  var defaultValueDescription: String { types.map(\.rawValue).joined(separator: ",") }
}
