/// The value of a node's attribute.
package enum Attribute: Sendable {
  case int(Int)
  case ints([Int])
  case float(Float)
  case string(String)

  func proto(_ name: String) -> Onnx_AttributeProto {
    var proto = Onnx_AttributeProto()
    proto.name = name
    switch self {
    case .int(let value): (proto.type, proto.i) = (.int, Int64(value))
    case .ints(let values): (proto.type, proto.ints) = (.ints, values.map(Int64.init))
    case .float(let value): (proto.type, proto.f) = (.float, value)
    case .string(let text):
      proto.type = .string
      proto.s.append(contentsOf: text.utf8)
    }
    return proto
  }
}
