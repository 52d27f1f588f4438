internal import COnnxRuntime
public import IngotCore

/// The tensors that runs of a session read and write, bound once and kept between runs (IO binding).
///
/// A value bound as an output may be bound as an input of the next run: nothing is copied. Not to be used from two
/// threads at once.
public final class OrtBinding: @unchecked Sendable {
  /// The session that runs.
  public let session: OrtSession
  private let handle: OpaquePointer
  // The library keeps its own references; ours keep the memory beneath them.
  private var inputs: [String: OrtValue] = [:]
  private var outputs: [String: OrtValue] = [:]
  private var allocated: Set<String> = []
  /// The bound outputs in the library's order; empty when it is to be asked.
  private var order: [String] = []

  /// Binds nothing yet.
  /// - Throws: `.memory`.
  public init(_ session: OrtSession) throws(IngotError) {
    var made: OpaquePointer?
    try session.runtime.check(
      session.runtime.api.pointee.CreateIoBinding(session.handle, &made), "bind tensors", .memory,
      file: session.path)
    guard let made else {
      throw IngotError(.memory, "ONNX Runtime made no binding", at: .init(file: session.path))
    }
    (self.session, handle) = (session, made)
  }

  deinit { session.runtime.api.pointee.ReleaseIoBinding(handle) }

  /// Binds a value to an input, in place of what was bound to it.
  /// - Throws: `.argument` for an unknown name, `.shape` for a value that does not fit.
  public func bind(input name: String, to value: OrtValue) throws(IngotError) {
    if inputs[name] === value { return }
    let port = try session.port(named: name, .input)
    try session.check(value.dtype, value.shape, fits: port, .input)
    try session.runtime.check(
      session.runtime.api.pointee.BindInput(handle, session.cName(name), value.handle), "bind \"\(name)\"",
      .shape, file: session.path)
    inputs[name] = value
  }

  /// Binds a value that an output is written to.
  /// - Throws: as above.
  public func bind(output name: String, to value: OrtValue) throws(IngotError) {
    if outputs[name] === value { return }
    let port = try session.port(named: name, .output)
    try session.check(value.dtype, value.shape, fits: port, .output)
    try session.runtime.check(
      session.runtime.api.pointee.BindOutput(handle, session.cName(name), value.handle), "bind \"\(name)\"",
      .shape, file: session.path)
    outputs[name] = value
    allocated.remove(name)
    order = []
  }

  /// Lets every run allocate an output; `takeOutputs` hands it out.
  /// - Throws: `.argument` for an unknown name.
  public func bind(allocatedOutput name: String) throws(IngotError) {
    if allocated.contains(name) { return }
    _ = try session.port(named: name, .output)
    try bindAllocated(name)
    outputs[name] = nil
    allocated.insert(name)
    order = []
  }

  private func bindAllocated(_ name: String) throws(IngotError) {
    try session.runtime.check(
      session.runtime.api.pointee.BindOutputToDevice(handle, session.cName(name), session.runtime.memory),
      "bind \"\(name)\"", .memory, file: session.path)
  }

  /// Runs the model on what is bound.
  /// - Throws: `.argument` when an input is not bound; what the run fails with.
  public func run() throws(IngotError) {
    guard inputs.count == session.inputs.count else {
      let missing = session.inputs.first { inputs[$0.name] == nil }?.name ?? ""
      throw IngotError(
        .argument, "the input \"\(missing)\" is not bound", at: .init(file: session.path, tensor: missing))
    }
    // What the last run allocated would be taken for memory to write to.
    for name in allocated { try bindAllocated(name) }
    try session.runtime.check(
      session.runtime.api.pointee.RunWithBinding(session.handle, nil, handle), "run the model", .shape,
      file: session.path)
  }

  /// The outputs of the last run by name: values that were bound, and those that it allocated.
  /// - Throws: `.format` for outputs that are no tensors.
  public func takeOutputs() throws(IngotError) -> [String: OrtValue] {
    var results = outputs
    guard !allocated.isEmpty else { return results }
    let runtime = session.runtime
    var made: UnsafeMutablePointer<OpaquePointer?>?
    var count = 0
    try runtime.check(
      runtime.api.pointee.GetBoundOutputValues(handle, runtime.allocator, &made, &count), "read outputs",
      .format, file: session.path)
    let handles = UnsafeBufferPointer(start: made, count: made == nil ? 0 : count)
    defer { free(made) }
    if order.isEmpty { order = try boundOutputNames() }
    let names = order
    guard names.count == handles.count else {
      for value in handles { runtime.api.pointee.ReleaseValue(value) }
      throw IngotError(
        .format, "\(names.count) outputs are bound, the run made \(handles.count)",
        at: .init(file: session.path))
    }
    for (name, value) in zip(names, handles) where !allocated.contains(name) {
      runtime.api.pointee.ReleaseValue(value)
    }
    let own = zip(names, handles).filter { allocated.contains($0.0) }
    for (name, value) in zip(own.map(\.0), try session.take(own.map(\.1), named: own.map(\.0))) {
      results[name] = value
    }
    return results
  }

  /// The bound outputs in the library's order.
  private func boundOutputNames() throws(IngotError) -> [String] {
    let runtime = session.runtime
    var text: UnsafeMutablePointer<CChar>?
    var lengths: UnsafeMutablePointer<Int>?
    var count = 0
    try runtime.check(
      runtime.api.pointee.GetBoundOutputNames(handle, runtime.allocator, &text, &lengths, &count),
      "name outputs", .format, file: session.path)
    defer {
      free(text)
      free(lengths)
    }
    guard let text, let lengths else { return [] }
    var names: [String] = []
    var offset = 0
    for length in UnsafeBufferPointer(start: lengths, count: count) {
      let bytes = UnsafeRawBufferPointer(start: text + offset, count: length)
      names.append(String(decoding: bytes, as: UTF8.self))
      offset += length
    }
    return names
  }

  private func free(_ memory: UnsafeMutableRawPointer?) {
    guard let memory else { return }
    let api = session.runtime.api
    _ = IngotError(api, api.pointee.AllocatorFree(session.runtime.allocator, memory), "free", .memory)
  }
}
