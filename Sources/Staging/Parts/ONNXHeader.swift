package import IngotCore

/// What of an ONNX file tells its form: inputs, outputs, and where its weights are. Nothing is copied, so this
/// costs as little for a large model as for a small one.
/// Source: `onnx.proto`, IR version 10.
package struct ONNXHeader {
  /// A weight of the graph.
  struct Weight {
    var name = ""
    /// ONNX's number for the element type.
    var type = 0
    var dims: [Int] = []
    /// Bytes in the file itself.
    var inline: Range<Int>?
    /// Bytes in a file beside it.
    var location: String?
    var offset = 0
    var length: Int?
  }

  let file: MappedFile
  /// Inputs and outputs.
  package private(set) var ports = StagePorts(inputs: [], outputs: [])
  private(set) var weights: [Weight] = []

  /// Reads the form.
  /// - Throws: `.io`; `.format` for what is no ONNX file.
  package init(path: String) throws(IngotError) {
    file = try MappedFile(path: path)
    var model = ProtobufCursor(file)
    var foundGraph = false
    while let (field, value) = try model.next() {
      guard field == 7, case .range(let range) = value else { continue }
      foundGraph = true
      try readGraph(range)
    }
    guard foundGraph else {
      throw IngotError(
        .format, "not an ONNX file: it has no graph", at: .init(file: path),
        hint: "the file may be damaged; export the model again")
    }
    // Old files list weights among the inputs.
    let names = Set(weights.map(\.name))
    ports.inputs.removeAll { names.contains($0.name) }
  }

  private mutating func readGraph(_ range: Range<Int>) throws(IngotError) {
    var graph = ProtobufCursor(file, range)
    while let (field, value) = try graph.next() {
      guard case .range(let range) = value else { continue }
      switch field {
      case 5: weights.append(try weight(range))
      case 11: ports.inputs.append(try port(range))
      case 12: ports.outputs.append(try port(range))
      default: break
      }
    }
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: file.bytes[range], as: UTF8.self) }

  /// A `ValueInfoProto`.
  private func port(_ range: Range<Int>) throws(IngotError) -> StagePort {
    var port = StagePort("", nil, [])
    var cursor = ProtobufCursor(file, range)
    while let (field, value) = try cursor.next() {
      guard case .range(let range) = value else { continue }
      if field == 1 { port.name = text(range) }
      if field == 2 {
        var type = ProtobufCursor(file, range)
        while let (field, value) = try type.next() {
          if field == 1, case .range(let range) = value { try readTensorType(range, into: &port) }
        }
      }
    }
    return port
  }

  private func readTensorType(_ range: Range<Int>, into port: inout StagePort) throws(IngotError) {
    var cursor = ProtobufCursor(file, range)
    while let (field, value) = try cursor.next() {
      switch (field, value) {
      case (1, .varint(let type)): port.dtype = Self.dtype(type)
      case (2, .range(let range)):
        var shape = ProtobufCursor(file, range)
        while let (field, value) = try shape.next() {
          guard field == 1, case .range(let range) = value else { continue }
          var dim: Int?
          var cursor = ProtobufCursor(file, range)
          while let (field, value) = try cursor.next() {
            if field == 1, case .varint(let number) = value { dim = Int(exactly: number) }
          }
          port.dims.append(dim)
        }
      default: break
      }
    }
  }

  /// A `TensorProto`.
  private func weight(_ range: Range<Int>) throws(IngotError) -> Weight {
    var weight = Weight()
    var cursor = ProtobufCursor(file, range)
    while let (field, value) = try cursor.next() {
      switch (field, value) {
      case (1, .varint(let dim)): weight.dims.append(Int(truncatingIfNeeded: dim))
      case (1, .range(let range)):
        var packed = ProtobufCursor(file, range)
        while let dim = try packed.nextPacked() { weight.dims.append(Int(truncatingIfNeeded: dim)) }
      case (2, .varint(let type)): weight.type = Int(truncatingIfNeeded: type)
      case (8, .range(let range)): weight.name = text(range)
      case (4, .range(let range)), (5, .range(let range)), (7, .range(let range)), (9, .range(let range)),
        (10, .range(let range)), (11, .range(let range)):
        weight.inline = range
      case (13, .range(let range)): try readExternal(range, into: &weight)
      default: break
      }
    }
    return weight
  }

  /// A `StringStringEntryProto` of `external_data`.
  private func readExternal(_ range: Range<Int>, into weight: inout Weight) throws(IngotError) {
    var key = "", content = ""
    var cursor = ProtobufCursor(file, range)
    while let (field, value) = try cursor.next() {
      guard case .range(let range) = value else { continue }
      if field == 1 { key = text(range) }
      if field == 2 { content = text(range) }
    }
    func number() throws(IngotError) -> Int {
      guard let number = Int(content), number >= 0 else {
        throw IngotError(
          .format, "the external data's \(key) is \"\(content)\"",
          at: .init(file: file.path, tensor: weight.name))
      }
      return number
    }
    switch key {
    case "location": weight.location = content
    case "offset": weight.offset = try number()
    case "length": weight.length = try number()
    default: break
    }
  }

  /// Source: `TensorProto.DataType`.
  static func dtype(_ number: UInt64) -> DType? {
    switch number {
    case 1: .f32
    case 2: .u8
    case 3: .i8
    case 4: .u16
    case 5: .i16
    case 6: .i32
    case 7: .i64
    case 9: .bool
    case 10: .f16
    case 11: .f64
    case 12: .u32
    case 13: .u64
    case 16: .bf16
    default: nil
    }
  }
}
