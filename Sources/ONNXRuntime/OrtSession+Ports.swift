internal import COnnxRuntime
internal import IngotCore

/// Which side of a session a port is on.
enum PortSide: String {
  case input, output
}

extension OrtRuntime {
  /// The ports of a session, in the model's order.
  /// - Throws: `.unsupported` for ports that are no tensors or have elements without a `DType`.
  func ports(of session: OpaquePointer, _ side: PortSide, file: String) throws(IngotError) -> [TensorPort] {
    var count = 0
    switch side {
    case .input:
      try check(api.pointee.SessionGetInputCount(session, &count), "count inputs", .format, file: file)
    case .output:
      try check(api.pointee.SessionGetOutputCount(session, &count), "count outputs", .format, file: file)
    }
    var ports: [TensorPort] = []
    for index in 0..<count {
      ports.append(try port(of: session, side, index, file: file))
    }
    return ports
  }

  private func port(
    of session: OpaquePointer, _ side: PortSide, _ index: Int, file: String
  ) throws(IngotError) -> TensorPort {
    var text: UnsafeMutablePointer<CChar>?
    var info: OpaquePointer?
    switch side {
    case .input:
      try check(
        api.pointee.SessionGetInputName(session, index, allocator, &text), "name an input", .format,
        file: file)
    case .output:
      try check(
        api.pointee.SessionGetOutputName(session, index, allocator, &text), "name an output", .format,
        file: file)
    }
    let name = text.map { String(cString: $0) } ?? ""
    if let text { _ = IngotError(api, api.pointee.AllocatorFree(allocator, text), "free", .memory) }
    switch side {
    case .input:
      try check(
        api.pointee.SessionGetInputTypeInfo(session, index, &info), "describe an input", .format, file: file)
    case .output:
      try check(
        api.pointee.SessionGetOutputTypeInfo(session, index, &info), "describe an output", .format, file: file
      )
    }
    defer { api.pointee.ReleaseTypeInfo(info) }
    func unsupported(_ what: String) -> IngotError {
      IngotError(
        .unsupported, "the \(side.rawValue) \"\(name)\" \(what)", at: .init(file: file, tensor: name))
    }
    var tensor: OpaquePointer?
    try check(
      api.pointee.CastTypeInfoToTensorInfo(info, &tensor), "describe \"\(name)\"", .format, file: file)
    guard let tensor else { throw unsupported("is not a tensor") }
    var type: Int32 = 0
    try check(api.pointee.GetTensorElementType(tensor, &type), "describe \"\(name)\"", .format, file: file)
    guard let dtype = DType(onnxElementType: type) else { throw unsupported("holds \(DType.onnxName(type))") }
    let dims = try dims(of: tensor, file: file)
    var symbols = [UnsafePointer<CChar>?](repeating: nil, count: dims.count)
    try check(
      api.pointee.GetSymbolicDimensions(tensor, &symbols, dims.count), "describe \"\(name)\"", .format,
      file: file)
    let names = symbols.map { symbol in
      symbol.map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    return TensorPort(
      name: name, dtype: dtype, dims: dims.map { $0 < 0 ? nil : Int($0) }, dimNames: names)
  }

  /// The extents in a tensor's description; negative for dynamic ones.
  func dims(of tensor: OpaquePointer, file: String) throws(IngotError) -> [Int64] {
    var rank = 0
    try check(api.pointee.GetDimensionsCount(tensor, &rank), "count dimensions", .format, file: file)
    var dims = [Int64](repeating: 0, count: rank)
    try check(api.pointee.GetDimensions(tensor, &dims, rank), "read dimensions", .format, file: file)
    return dims
  }
}
