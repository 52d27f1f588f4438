internal import COnnxRuntime
public import IngotCore

extension OrtSession {
  /// Runs the model once.
  /// - Parameters:
  ///   - inputs: a tensor for each of its inputs.
  ///   - outputs: the outputs wanted; nil for all.
  /// - Returns: the outputs by name, in memory of the library that they keep.
  /// - Throws: `.argument` for names the model does not have or inputs that are missing, `.shape` for another dtype
  ///   or extents; what the run itself fails with.
  public func run(
    _ inputs: [String: HostTensor], outputs: [String]? = nil
  ) throws(IngotError) -> [String: HostTensor] {
    let wanted = outputs ?? self.outputs.map(\.name)
    for name in wanted { _ = try port(named: name, .output) }
    for name in inputs.keys.sorted() { _ = try port(named: name, .input) }
    var values: [OrtValue] = []
    for port in self.inputs {
      guard let tensor = inputs[port.name] else {
        throw IngotError(
          .argument, "the input \"\(port.name)\" is missing", at: .init(file: path, tensor: port.name),
          hint: "the model takes \(Self.list(self.inputs))")
      }
      try check(tensor.dtype, tensor.shape, fits: port, .input)
      values.append(try OrtValue(runtime, tensor))
    }
    guard !wanted.isEmpty else { return [:] }
    let results = try run(values, wanted)
    var tensors: [String: HostTensor] = [:]
    for (name, value) in zip(wanted, results) { tensors[name] = try value.hostTensor() }
    return tensors
  }

  private func run(_ inputs: [OrtValue], _ wanted: [String]) throws(IngotError) -> [OrtValue] {
    let inputNames = self.inputs.map { cName($0.name) }
    let outputNames = wanted.map { cName($0) }
    let handles = inputs.map { Optional($0.handle) }
    var made = [OpaquePointer?](repeating: nil, count: wanted.count)
    let status = runtime.api.pointee.Run(
      handle, nil, inputNames, handles, handles.count, outputNames, wanted.count, &made)
    withExtendedLifetime(inputs) {}
    try runtime.check(status, "run the model", .shape, file: path)
    return try take(made, named: wanted)
  }

  /// Takes over values that the library made; all of them, even when one is refused.
  func take(_ made: [OpaquePointer?], named names: [String]) throws(IngotError) -> [OrtValue] {
    var values: [OrtValue] = []
    var failure: IngotError?
    for (name, handle) in zip(names, made) {
      do throws(IngotError) {
        guard let handle else {
          throw IngotError(
            .format, "the run made no output \"\(name)\"", at: .init(file: path, tensor: name))
        }
        values.append(try OrtValue(taking: handle, runtime, name: name, file: path))
      } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    return values
  }

  /// The port of a name.
  /// - Throws: `.argument` when there is none.
  func port(named name: String, _ side: PortSide) throws(IngotError) -> TensorPort {
    let ports =
      switch side {
      case .input: inputs
      case .output: outputs
      }
    guard let port = ports.first(where: { $0.name == name }) else {
      throw IngotError(
        .argument, "the model has no \(side.rawValue) \"\(name)\"", at: .init(file: path, tensor: name),
        hint: "its \(side.rawValue)s are \(Self.list(ports))")
    }
    return port
  }

  /// - Throws: `.shape` unless a tensor has the port's dtype and fixed extents.
  func check(
    _ dtype: DType, _ shape: Shape, fits port: TensorPort, _ side: PortSide
  ) throws(IngotError) {
    guard dtype == port.dtype, port.accepts(shape) else {
      throw IngotError(
        .shape, "the \(side.rawValue) \"\(port.name)\" is \(dtype) \(shape), the model has \(port)",
        at: .init(file: path, tensor: port.name))
    }
  }

  private static func list(_ ports: [TensorPort]) -> String {
    let shown = ports.prefix(12).map(\.description)
    return shown.joined(separator: ", ") + (ports.count > 12 ? ", … (\(ports.count) in all)" : "")
  }
}
